// What is written by hand of settings and commands is what the programs know: names both ways, and defaults.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { agentConfig, loadAgentConfig } from '../../agent/program/configuration/config.ts'
import { jsonSchemaOf } from '../../platform/config/index.ts'
import { loadReceiverConfig, receiverConfig } from '../../receiver/program/config.ts'
import { loadWatchConfig, watchConfig } from '../../receiver/program/watchtower/config.ts'
import { allCommands, programs } from '../../scripts/lib/manuals/model.ts'
import { isValue, type SettingRow, settingRows, settings } from '../support/documented-settings.ts'
import { temporaryFolder } from '../support/folder.ts'

const read = (page: string) =>
  readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')

interface Table {
  readonly of: 'agent' | 'receiver' | 'watchtower'
  readonly page: string
  readonly heading: string
  readonly after?: string
  /** What its names begin with. */
  readonly prefix: string
  /** Where the program's defaults are, below the loaded configuration; none are compared without. */
  readonly loaded?: readonly string[]
  /** Of its prefix, but in other tables. */
  readonly elsewhere?: readonly string[]
}

const sink = 'jobs.<name>.sinks[]'

const tables: readonly Table[] = [
  {
    of: 'agent',
    page: 'reference/agent-config',
    heading: 'key',
    prefix: '',
    loaded: [],
    // The last is an earlier name.
    elsewhere: ['jobs', 'alerts', 'mqtt', 'proxy', 'page', 'log.form'],
  },
  {
    of: 'agent',
    page: 'guides/proxy',
    heading: 'key of `proxy`',
    prefix: 'proxy.',
    loaded: ['proxy'],
  },
  { of: 'agent', page: 'guides/agent-page', heading: 'setting', prefix: '' },
  {
    of: 'agent',
    page: 'reference/jobs',
    heading: 'key',
    prefix: 'jobs.<name>.',
    loaded: ['jobs', 'one'],
    elsewhere: [sink],
  },
  { of: 'agent', page: 'reference/jobs', heading: '`influx` of a sink', prefix: `${sink}.influx.` },
  {
    of: 'agent',
    page: 'reference/jobs',
    heading: '`webhook` of a sink',
    prefix: `${sink}.webhook.`,
  },
  {
    of: 'agent',
    page: 'reference/jobs',
    heading: '`mqtt` at the top',
    prefix: 'mqtt.',
    loaded: ['mqtt'],
  },
  { of: 'agent', page: 'reference/jobs', heading: '`mqtt` of a sink', prefix: `${sink}.mqtt.` },
  {
    of: 'agent',
    page: 'reference/jobs',
    heading: '`alerts`',
    prefix: 'alerts.',
    loaded: ['alerts'],
    elsewhere: ['alerts.sinks[]'],
  },
  {
    of: 'receiver',
    page: 'reference/receiver-config',
    heading: 'key',
    prefix: '',
    loaded: [],
    elsewhere: ['resources', 'alerts.sinks[]'],
  },
  {
    of: 'watchtower',
    page: 'guides/settlement',
    heading: 'setting of watchtower.yaml',
    prefix: '',
    loaded: [],
  },
]

const schemas = { agent: agentConfig, receiver: receiverConfig, watchtower: watchConfig }

for (const table of tables) {
  const { of, page, heading, after, prefix, elsewhere = [] } = table
  const rows = settingRows(read(page), heading, after)
  const known = settings(jsonSchemaOf(schemas[of])).filter((name) => name.startsWith(prefix))

  test(`docs/${page}.md, ${heading}: every setting, and nothing else`, (t) => {
    t.true(rows.length > 1)
    const explained = rows.flatMap(({ names }) => names.map((name) => prefix + name))
    const all = new Set(known)
    t.deepEqual(
      explained.filter((name) => !all.has(name)),
      [],
      'no such setting',
    )
    if (heading === 'setting') return
    const isExplained = (name: string) =>
      explained.some((each) => isBelow(name, each)) ||
      elsewhere.some((each) => isBelow(name, each)) ||
      rows.some((row) => goesOn(row, name.slice(prefix.length))) ||
      // A folder of settings is explained by them.
      known.some((each) => each !== name && isBelow(each, name))
    t.deepEqual(
      known.filter((name) => !isExplained(name)),
      [],
      'not on the page',
    )
  })
}

/** `a.b[]` and `a.b.c` are below `a.b`, as `a.b` itself is. */
function isBelow(name: string, folder: string): boolean {
  return name === folder || (name.startsWith(folder) && /[.[]/.test(name[folder.length] ?? ''))
}

function goesOn({ names, goesOn }: SettingRow, name: string): boolean {
  const [first = ''] = names
  return (
    goesOn && first.includes('.') && name.startsWith(first.slice(0, first.lastIndexOf('.') + 1))
  )
}

const least = `rpc: http://127.0.0.1:8545
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: key
`
const guarded = `receiver: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
token: token
`
const parts = `proxy: {}
page: {}
mqtt: { url: 'mqtt://127.0.0.1' }
alerts: { sinks: [{ command: /bin/true }] }
jobs: { one: { get: 'http://127.0.0.1/', every: 1m, sinks: [{ command: /bin/true }] } }
`

test('defaults that the programs read from nothing are those of the tables', async (t) => {
  const folder = await temporaryFolder(t)
  const write = async (name: string, text: string) => {
    const file = join(folder, name)
    await writeFile(file, text)
    return file
  }
  const loaded = {
    agent: await loadAgentConfig(await write('agent.yaml', least + parts), {}),
    receiver: await loadReceiverConfig({
      file: await write('receiver.yaml', least),
      environment: {},
    }),
    watchtower: await loadWatchConfig({
      file: await write('watchtower.yaml', least + guarded),
      environment: {},
    }),
  }
  let compared = 0
  for (const { of, page, heading, after, loaded: path } of tables) {
    if (path === undefined) continue
    const whole = at(loaded[of], path)
    for (const { names, value } of settingRows(read(page), heading, after)) {
      const columns = value.split(', ')
      for (const [index, name] of names.entries()) {
        const found = at(whole, name.split('.'))
        if (found === undefined || typeof found === 'object') continue
        const same = isValue(
          names.length === columns.length ? (columns[index] ?? '') : value,
          found,
        )
        if (same === undefined) continue
        compared++
        t.true(same, `${page}: ${name} is ${found}, not ${value}`)
      }
    }
  }
  t.log(`${compared} defaults`)
  t.true(compared > 30)
})

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inside, name) => (inside as { readonly [name: string]: unknown } | undefined)?.[name],
    value,
  )
}

test('defaults that only the library has are those of its docstrings', (t) => {
  const options = settingRows(read('reference/library'), 'name')
  t.true(options.length > 30)
  const library = read('reference/library')
  const rows = settingRows(read('reference/agent-config'), 'key')
  const names = [
    'quorum',
    'timeZone',
    'clock',
    'funding',
    'reservation',
    'ticks',
    'confirmations',
    'history',
  ]
  const times = ['confirmTimeout', 'retryInterval']
  for (const name of [...names, ...times]) {
    const [, said = ''] =
      new RegExp(`\\| \`${name}\\?\` \\|.*? Default:? ([\\d ]+|\\w+)`).exec(library) ?? []
    const { value = '' } = rows.find((row) => row.names.includes(name)) ?? {}
    const [own = ''] = value.replaceAll('`', '').split(/[;,]/)
    const expected = times.includes(name) ? Number(said.replaceAll(' ', '')) / 1000 : said.trim()
    t.is(own.trim(), `${expected}`, name)
  }
})

test('each setting of a resource is in docs/reference/resources.md', (t) => {
  const text = read('reference/resources')
  const names = settings(jsonSchemaOf(receiverConfig)).flatMap((name) => {
    const [, own = ''] = /^resources\.<name>\.(\w+)$/.exec(name) ?? []
    return own === '' ? [] : [own]
  })
  t.true(names.length > 15)
  for (const name of names) t.regex(text, new RegExp(`\\b${name}\\b`))
})

for (const [name, page] of [
  ['uraiden-agent', 'reference/agent-cli'],
  ['uraiden-receiver', 'reference/receiver-cli'],
] as const) {
  test(`each command of ${name}, and each option of its own, is in docs/${page}.md`, (t) => {
    const text = read(page)
    const program = programs.find((each) => each.name === name)
    if (program === undefined) return t.fail(name)
    const commands = allCommands(program).filter(({ path }) => path.length === 1)
    const names = [
      ...commands.flatMap(({ path }) => path),
      ...program.options.map(({ long }) => long).filter((long) => long !== '--help'),
    ]
    t.true(names.length > 15)
    t.deepEqual(
      names.filter((each) => !new RegExp(`[\`\\s]${each}\\b`).test(text)),
      [],
    )
  })
}
