// Every block of code in the documentation is run, checked, or left out for a reason that is said here.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { typeErrors } from '../support/blocks/code.ts'
import { readConfiguration } from '../support/blocks/configuration.ts'
import { type Block, blocksIn, documentedBlocks } from '../support/blocks/find.ts'
import { notPrinted } from '../support/blocks/printed.ts'
import { isShell, script, unknownPrograms } from '../support/blocks/shell.ts'
import { temporaryFolder } from '../support/folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Others {
  readonly blocks: (block: Block) => boolean
  /** The test that runs or compares them; it names the page. */
  readonly by: string
}

const on = (page: string, language: string) => (block: Block) =>
  block.page === page && block.language === language

/** Its lines are run, and what they print is compared with what the page says. */
const tutorials = ['own-sensor', 'paywall', 'any-program', 'without-ether', 'broken', 'try-it'].map(
  (name) => `docs/tutorials/${name}.md`,
)

/** Run by another test, as they stand. */
const run: readonly Others[] = [
  // It holds the page to examples/, which the packages suite runs.
  { blocks: on('docs/guides/proxy.md', 'python'), by: 'test/project/examples.test.ts' },
  { blocks: on('README.md', 'sh'), by: 'test/e2e/first-hour.test.ts' },
  ...tutorials.flatMap((page) =>
    ['sh', 'text'].map((language) => ({
      blocks: on(page, language),
      by: 'test/e2e/first-hour.test.ts',
    })),
  ),
  {
    blocks: on('docs/tutorials/raspberry-pi.md', 'sh'),
    by: 'test/e2e/geth/raspberry-pi.test.ts',
  },
  {
    blocks: (block) =>
      on('docs/tutorials/raspberry-pi.md', 'text')(block) &&
      !/✔ pi|^HOST|^a ch|^hello/.test(block.text),
    by: 'test/e2e/geth/raspberry-pi.test.ts',
  },
  ...['nginx', 'haproxy', 'caddy'].map((language) => ({
    blocks: on('docs/guides/gateways.md', language),
    by: 'test/support/gateways.ts',
  })),
  ...['nginx', 'haproxy'].map((language) => ({
    blocks: on('docs/guides/many-receivers.md', language),
    by: 'test/e2e/many-receivers.test.ts',
  })),
]

/** Checked by another test. */
const checked: readonly Others[] = [
  {
    blocks: on('docs/reference/functions.md', 'ts'),
    by: 'test/project/docstrings.test.ts',
  },
  {
    blocks: on('docs/guides/provisioning.md', 'yaml'),
    by: 'test/deploy/pi/fleet/docs.test.ts',
  },
]

/** Neither, and why. A block is named by its page and a part of its text. */
const excluded: readonly (readonly [page: string, part: string, why: string])[] = [
  ['README.md', '┌────', 'a drawing'],
  [
    'README.md',
    'a device buys sensor readings',
    'what the demo prints: test/e2e/demo.test.ts has its sums',
  ],
  ['CONTRIBUTING.md', 'import nothing of ours', 'a drawing'],
  ['docs/tutorials/raspberry-pi.md', '<---', 'a drawing'],
  ...['✔ pi: changed', 'HOST  ACCOUNT', 'a channel was opened', 'hello\nCHANNEL'].map(
    (part) =>
      [
        'docs/tutorials/raspberry-pi.md',
        part,
        'what a Pi answers: test/provision sets containers up by the same commands',
      ] as const,
  ),
  ...['✔ broker', 'home/garden 21.4', '2 wait for mqtt'].map(
    (part) =>
      [
        'docs/tutorials/home-assistant-sensor.md',
        part,
        'what mosquitto 2.0.11 was told: test/e2e/home-assistant.test.ts has the messages',
      ] as const,
  ),
  ...['budget.day, of', 'name: temperature', 'time,job,cost,value', 'payments_total 6'].map(
    (part) =>
      [
        'docs/tutorials/influxdb.md',
        part,
        'what InfluxDB 1.6.7 was told: test/agent/jobs/sinks writes to a stand-in',
      ] as const,
  ),
  ['docs/tutorials/influxdb.md', 'SELECT mean', 'a query for Grafana, which is not installed'],
  [
    'docs/reference/jobs.md',
    'time,job,cost,value',
    'what a sink writes: test/agent/jobs/sinks has it',
  ],
  ['docs/reference/receiver-config.md', 'is not an amount', 'what a mistake looks like'],
  ['docs/reference/receiver-cli.md', 'agreed to close a channel', 'a line of the log'],
  ['docs/reference/ticks.md', 'RDN-Balance: ', 'headers, with what varies left out'],
  [
    'docs/reference/ticks.md',
    'TickProof(',
    'a type string: test/protocol/ticks.test.ts signs with it',
  ],
  ['docs/guides/daemon.md', '✔ fees', 'a line of doctor'],
  ['docs/guides/daemon.md', '[Service]', 'a part of systemd’s unit'],
  ['docs/guides/deploying.md', 'Etherscan, Blockscout', 'what a command prints'],
  [
    'docs/guides/monitoring.md',
    'scrape_configs:',
    'Prometheus’ own configuration, which needs its promtool',
  ],
  ['docs/guides/many-receivers.md', 'image: postgres', 'a part of a compose file'],
]

const blocks = documentedBlocks(root)

const exclusionOf = (block: Block) =>
  excluded.find(([page, part]) => page === block.page && block.text.includes(part))
const has = (others: readonly Others[]) => (block: Block) =>
  others.some((other) => other.blocks(block))

type How = 'run' | 'by another test' | 'generated' | 'excluded' | 'shell' | 'yaml' | 'json' | 'code'

/** Nothing for a block that nobody looks at. */
function howOf(block: Block): How | undefined {
  if (exclusionOf(block)) return 'excluded'
  if (has(run)(block)) return 'run'
  if (has(checked)(block)) return 'by another test'
  if (block.language === 'solidity') return 'generated'
  if (isShell(block)) return 'shell'
  if (block.language === 'yaml') return 'yaml'
  if (block.language === 'json') return 'json'
  return ['ts', 'js'].includes(block.language) ? 'code' : undefined
}

const of = (how: How) => blocks.filter((block) => howOf(block) === how)

test('every block is run, checked or excluded for a reason', (t) => {
  t.deepEqual(
    blocks.filter((block) => howOf(block) === undefined).map(({ place, text }) => [place, text]),
    [],
  )
  const count = (...hows: readonly How[]) => hows.reduce((sum, how) => sum + of(how).length, 0)
  const counts = {
    all: blocks.length,
    run: count('run'),
    checked: count('by another test', 'generated', 'shell', 'yaml', 'json', 'code'),
    excluded: count('excluded'),
  }
  t.is(counts.run + counts.checked + counts.excluded, counts.all)
  t.log(counts)
  for (const how of ['shell', 'yaml', 'json', 'code', 'generated'] as const) t.log(how, count(how))
  for (const block of of('excluded')) t.log(block.place, 'excluded:', exclusionOf(block)?.[2])
})

test('whoever is said to run or check a block names its page, and no exclusion is left over', (t) => {
  for (const { blocks: which, by } of [...run, ...checked]) {
    const [page] = new Set(blocks.filter(which).map((block) => block.page))
    t.true(page !== undefined && readFileSync(root + by, 'utf8').includes(page), by)
  }
  for (const [page, part] of excluded) {
    t.true(
      blocks.some((block) => block.page === page && block.text.includes(part)),
      `${page}: ${part}`,
    )
  }
})

test('shell: bash can read it, and its programs are known', (t) => {
  t.true(of('shell').length > 70)
  const faults = of('shell').flatMap((block) => {
    const { stderr } = spawnSync('bash', ['-n'], { input: script(block), encoding: 'utf8' })
    const said = stderr === '' ? [] : [stderr]
    return [...said, ...unknownPrograms(block)].map((fault) => [block.place, fault])
  })
  t.deepEqual(faults, [])
})

test('shell: npm has the scripts that it is asked for', (t) => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const asked = of('shell').flatMap(({ place, text }) =>
    [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => ({
      place,
      name,
    })),
  )
  t.true(asked.length > 0)
  t.deepEqual(
    asked.filter(({ name }) => scripts[name] === undefined),
    [],
  )
})

for (const block of of('yaml')) {
  test(`yaml: ${block.place} is a configuration, or a part of one`, async (t) => {
    const { by, refusals, named } = await readConfiguration(block, await temporaryFolder(t))
    t.true(named === undefined ? by.length > 0 : by.includes(named), refusals.join('\n'))
    t.log(by.join(', '))
  })
}

test('json: every line or the whole of it is read', (t) => {
  for (const { place, text } of of('json')) {
    const texts = text.trim().startsWith('{\n') ? [text] : text.trim().split('\n')
    for (const each of texts) t.notThrows(() => JSON.parse(each), place)
  }
})

test('code: the compiler accepts it beside our sources', async (t) => {
  t.true(of('code').length >= 8)
  t.deepEqual(await typeErrors(root, of('code')), [])
})

test('blocks are found: indented ones, those in longer fences, and where they begin', (t) => {
  const page = '# A\n\n1. one\n\n   ```sh\n   ls\n   ```\n\n````md\n```js\n```\n````\n'
  t.deepEqual(blocksIn('a.md', page), [
    { place: 'a.md:5', page: 'a.md', language: 'sh', text: 'ls\n' },
    { place: 'a.md:9', page: 'a.md', language: 'md', text: '```js\n```\n' },
  ])
})

for (const { what, documented, printed, missing } of [
  {
    what: 'numbers, hashes, bars and the home folder may differ',
    documented: 'a 0x12…cd  ██·· 20 % of 0.5\n/home/me/x',
    printed: 'before\na 0x99  █· 7 % of 12\n/tmp/y/x\nafter',
    missing: [],
  },
  { what: 'words may not', documented: 'a 1\nb 1', printed: 'a 2\nc 2', missing: ['b 1'] },
]) {
  test(`what a page says is printed: ${what}`, (t) => {
    t.deepEqual(notPrinted(documented, printed, '/tmp/y'), missing)
  })
}

for (const { what, text, unknown } of [
  { what: 'known', text: 'curl -s http://x | head -1\nsudo uraiden-agent doctor\n', unknown: [] },
  { what: 'an unknown one', text: './scripts/chain\nfrobnicate --now\n', unknown: ['frobnicate'] },
  { what: 'an unknown one after a variable', text: 'A=1 frob x\n', unknown: ['frob'] },
  {
    what: 'an unknown one after a value of a program',
    text: "A=$(sed 's/(\\(x\\))//' f); frob\n",
    unknown: ['frob'],
  },
  { what: 'what is answered', text: '$ curl x\nfrob\n', unknown: [] },
]) {
  test(`programs of shell: ${what}`, (t) => {
    t.deepEqual(unknownPrograms({ place: '', page: '', language: '', text }), unknown)
  })
}
