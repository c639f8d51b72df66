// README "By hand", and the tutorials that begin from it: their own lines, from an empty home on.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { blocksIn } from '../support/blocks/find.ts'
import { notPrinted } from '../support/blocks/printed.ts'
import { openTerminals, type Terminal, type Terminals } from '../support/terminals.ts'
import { needing, tools } from '../support/tools.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One after the other, on the same chain: what one adds to the receiver's configuration is there in the next. */
const tutorials = [
  'docs/tutorials/own-sensor.md',
  'docs/tutorials/paywall.md',
  'docs/tutorials/any-program.md',
  'docs/tutorials/without-ether.md',
  'docs/tutorials/broken.md',
  'docs/tutorials/try-it.md',
]

/** What a page has beside the README, or in its folder, is in the home of the test. */
const ownFiles = ['./receiver-state', './agent-state', './agent-key', 'buy.ts']

function atHome(text: string): string {
  return ownFiles.reduce((moved, name) => moved.replaceAll(name, join(home, name)), text)
}

const read = (page: string) => readFile(join(root, page), 'utf8')

const home = await mkdtemp(join(tmpdir(), 'uraiden-test-'))
let terminals: Terminals | undefined
let receiver: Terminal | undefined

const opened = async () => {
  terminals ??= await openTerminals(home)
  return terminals
}

test.after.always(async () => {
  await terminals?.end()
  await rm(home, { recursive: true, force: true })
})

const declare = needing(test.serial, tools.script, tools.ownNetwork)

declare(
  'from an empty home to a paid answer by the README’s own lines, at terminals',
  async (t) => {
    const [, section = ''] = (await read('README.md')).split('## By hand\n')
    const [own = ''] = section.split('\n## ')
    const [chainLines = '', receiverLines = '', agentLines = '', ...others] = blocksIn(
      'README.md',
      own,
    )
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text)
    t.deepEqual(others, [])
    const began = performance.now()
    const { open } = await opened()
    const chain = await open(chainLines)
    await chain.shows(/Ctrl-C ends it/)
    receiver = await open(receiverLines)
    await receiver.shows(/http:\/\/\S+:5000/)
    const agent = await open(agentLines)
    t.is(await agent.ended, 0, agent.screen() + receiver.screen())
    t.regex(agent.screen(), /^[0-9.]+ [0-9.]+ [0-9.]+ \d+\/\d+ \d+$/m, 'the load of this machine')
    t.regex(agent.screen(), /0\.005 TKN/)
    t.log(`${Math.round((performance.now() - began) / 1000)} s from the first line to the last`)
  },
)

/** Programs that stay, and what they show when they are ready. */
const staying = [
  { name: 'receiver', line: /uraiden-receiver start$/, ready: /^sells .*\n(?!sells)/m },
  { name: 'receiver', line: /^\.\/scripts\/sensor-receiver /, ready: / a reading\n/ },
  { name: 'daemon', line: /uraiden-agent run$/, ready: /^ready/m },
] as const

/** Types a page's blocks; `stay` starts what stays. Resolves with what each printed. */
async function typeBlock(
  text: string,
  type: (lines: string) => Promise<string>,
  stay: (line: string, how: (typeof staying)[number]) => Promise<string>,
): Promise<string> {
  const lines = atHome(text.replaceAll('\\\n', ' ')).trimEnd().split('\n')
  const last = lines.at(-1) ?? ''
  const how = staying.find(({ line }) => line.test(last))
  const before = how === undefined ? lines : lines.slice(0, -1)
  const printed = before.length === 0 ? '' : await type(`${before.join('\n')}\n`)
  return how === undefined ? printed : stay(last, how)
}

for (const page of tutorials) {
  declare(`${page}: its lines do what it says, and print that`, async (t) => {
    const { open, shell } = await opened()
    const { type } = shell()
    if (page.endsWith('broken.md')) await receiver?.interrupt()
    let daemon: Terminal | undefined
    const stay = async (line: string, { name, ready }: (typeof staying)[number]) => {
      if (name === 'receiver') await receiver?.interrupt()
      const terminal = await open(line)
      await terminal.shows(ready)
      if (name === 'receiver') receiver = terminal
      else daemon = terminal
      return terminal.screen()
    }
    let printed = ''
    for (const { language, text, place } of blocksIn(page, await read(page))) {
      if (language === 'text') {
        t.deepEqual(notPrinted(text.trimEnd(), printed, home), [], `${place}\n${printed}`)
      }
      if (language === 'ts') await writeFile(join(home, 'buy.ts'), importing(atHome(text)))
      // The chain runs already.
      if (language !== 'sh' || text === './scripts/chain\n') continue
      printed = await typeBlock(text, type, stay)
    }
    await daemon?.interrupt()
  })
}

/** From the checkout, wherever the file is. */
function importing(text: string): string {
  return text.replaceAll("from './", `from '${root}`)
}
