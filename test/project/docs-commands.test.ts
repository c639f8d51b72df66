// Every command line in the documents is one that the program takes: as a person copies it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { documentedCommands } from '../support/documented-commands.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { temporaryFolder } from '../support/folder.ts'
import { markdownFiles } from '../support/markdown.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const parseOnly = fileURLToPath(new URL('../support/programs/parse-only.ts', import.meta.url))

/** They have no command line library. */
const plain = ['fuzz', 'test']

const commands = markdownFiles(root)
  .flatMap((file) =>
    documentedCommands(readFileSync(`${root}${file}`, 'utf8')).map((command) => ({
      ...command,
      place: `${file}:${command.line}`,
    })),
  )
  .filter(({ name }) => !plain.includes(name))
const names = [...new Set(commands.map(({ name }) => name))].sort()

test('command lines are found in the documents', (t) => {
  for (const name of ['build-pi', 'chain', 'provision', 'uraiden-agent', 'uraiden-receiver']) {
    t.true(names.includes(name), name)
  }
})

for (const name of names) {
  test(`each documented command line of ${name} is taken`, async (t) => {
    const own = commands.filter((command) => command.name === name)
    // Its help, too: what it shows of the options can fail.
    const lines = [...own.map(({ args }) => args), ['--help']]
    const refused = await refusals(sourceOf(name), lines, await temporaryFolder(t))
    t.deepEqual(
      refused.map(({ index, says }) => `${own[index]?.place} ${own[index]?.text}\n${says}`),
      [],
    )
  })
}

/** What the script of this name runs. */
function sourceOf(name: string): string {
  const [script = '', own = ''] = name.split(' ')
  const wrapper = [`scripts/${script}`, `deploy/pi/${script}`].find((file) =>
    existsSync(root + file),
  )
  const text = readFileSync(root + wrapper, 'utf8')
  const [, source = ''] = /exec node "\$root\/([^"]+)"/.exec(text) ?? []
  return `${root}${source.replace('$name', own)}`
}

interface Refusal {
  readonly index: number
  readonly says: string
}

/** Which of these command lines the program does not take. */
async function refusals(
  source: string,
  lines: readonly (readonly string[])[],
  folder: string,
): Promise<readonly Refusal[]> {
  const child = spawn(process.execPath, ['--import', parseOnly, source], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), LINES: JSON.stringify(lines) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  await once(child, 'close')
  return JSON.parse(said)
}
