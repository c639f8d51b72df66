import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { runCli } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/folder.ts'

const root = new URL('../../../', import.meta.url)

/** What a command says when nobody reads its standard output. */
async function withoutReader(program: string, args: readonly string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, root)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  const said: Buffer[] = []
  child.stderr.on('data', (chunk) => said.push(chunk))
  const [code] = await once(child, 'close')
  return { code, said: Buffer.concat(said).toString() }
}

for (const name of ['agent', 'receiver']) {
  const program = `${name}/cli/main.ts`

  test(`uraiden-${name} tells the version of the package`, async (t) => {
    const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
    const child = spawn(process.execPath, [fileURLToPath(new URL(program, root)), '--version'])
    const [says] = await once(child.stdout, 'data')
    t.is(`${says}`, `${version}\n`)
  })

  test(`uraiden-${name} says in words that its output cannot be written`, async (t) => {
    const full = await open('/dev/full', 'w')
    t.teardown(() => full.close())
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL(program, root)), 'config', 'schema'],
      { stdio: ['ignore', full.fd, 'pipe'] },
    )
    const said: Buffer[] = []
    child.stderr?.on('data', (chunk) => said.push(chunk))
    const [code] = await once(child, 'close')
    t.is(code, 1)
    const text = Buffer.concat(said).toString()
    t.regex(text, /^uraiden-\w+: What was to be printed cannot be written: ENOSPC/)
    t.notRegex(text, /\n\s+at /)
  })

  test(`uraiden-${name} ends quietly when nobody reads on, as in a pipe to head`, async (t) => {
    t.deepEqual(await withoutReader(program, ['config', 'schema']), { code: 0, said: '' })
  })
}

for (const [what, text] of [
  ['broken', '{{{: nope\n\t- x'],
  ['not a table', 'just text'],
  ['bytes', '\u0000\u0001'],
] as const) {
  test(`a configuration that is ${what} is said in a sentence by commands for the daemon too`, async (t) => {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'agent.yaml'), text)
    for (const command of ['status', 'channels']) {
      const { code, stderr } = await runCli(folder, [command])
      t.is(code, 2)
      t.regex(stderr, /^uraiden-agent: .*agent\.yaml:\d+/)
      t.regex(stderr, /\(config_invalid, exit 2\)\n$/)
    }
  })
}
