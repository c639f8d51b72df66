import { execFile } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { build } from 'esbuild'
import { temporaryFolder } from '../../support/folder.ts'
import { needing, tools } from '../../support/tools.ts'

const programs = ['uraiden-agent', 'uraiden-receiver'] as const

/** The unit with a program that is there: the packaged one is not. */
async function installed(t: ExecutionContext, program: string): Promise<string> {
  const unit = new URL(`../../../deploy/pi/systemd/${program}.service`, import.meta.url)
  const file = join(await temporaryFolder(t), `${program}.service`)
  const text = await readFile(fileURLToPath(unit), 'utf8')
  const there = text.replaceAll(`/usr/lib/${program}/notifying`, process.execPath)
  await writeFile(file, there.replaceAll(`/usr/bin/${program}`, process.execPath))
  return file
}

async function exposureOf(file: string): Promise<number> {
  const options = ['security', '--offline=true', '--no-pager', file]
  const { stdout } = await promisify(execFile)('systemd-analyze', options)
  return Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(stdout)?.[1])
}

const check = needing(test, tools.systemdAnalyze)

for (const program of programs) {
  check(`${program}: systemd finds nothing wrong with the unit`, async (t) => {
    const file = await installed(t, program)
    const run = promisify(execFile)
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
    t.is(stdout + stderr, '')
    // And it would find something.
    const broken = join(await temporaryFolder(t), 'broken.service')
    await writeFile(broken, (await readFile(file, 'utf8')).replace('WatchdogSec=2min', 'Watch=1'))
    const { stderr: found } = await run('systemd-analyze', ['verify', '--man=no', broken])
    t.regex(found, /Unknown key.* 'Watch'/)
  })

  test(`${program}: its memory, with the key in it, gets onto no disk`, async (t) => {
    const unit = await readFile(`deploy/pi/systemd/${program}.service`, 'utf8')
    t.regex(unit, /^LimitCORE=0$/m)
    t.regex(unit, /^MemorySwapMax=0$/m)
  })

  check(`${program}: little is exposed to it, and less in a local network only`, async (t) => {
    const file = await installed(t, program)
    // 1.1 and 1.0 with systemd 252; other versions know more or less settings to count.
    t.true((await exposureOf(file)) <= 1.3)
    await appendFile(file, await readFile('deploy/pi/systemd/lan-only.conf', 'utf8'))
    t.true((await exposureOf(file)) <= 1.2)
    await appendFile(file, '[Service]\nProtectSystem=no\nPrivateDevices=no\nNoNewPrivileges=no\n')
    t.true((await exposureOf(file)) > 1.5)
  })
}

test('uraiden-agent: what waits in memory for the card outlasts a restart', async (t) => {
  const unit = await readFile('deploy/pi/systemd/uraiden-agent.service', 'utf8')
  t.regex(unit, /^RuntimeDirectory=uraiden-agent$/m)
  t.regex(unit, /^RuntimeDirectoryPreserve=yes$/m)
  t.regex(await readFile('deploy/pi/config/agent.yaml', 'utf8'), /^card: gentle$/m)
})

test('uraiden-agent: with the variables of its unit Node has no memory that is written and executed, and signs', async (t) => {
  const unit = await readFile('deploy/pi/systemd/uraiden-agent.service', 'utf8')
  t.regex(unit, /^MemoryDenyWriteExecute=yes$/m)
  const [, options = ''] = /^Environment="NODE_OPTIONS=([^"]*)"/m.exec(unit) ?? []
  const source = `
    import { readFileSync } from 'node:fs'
    import { createKeySigner } from './platform/keys/index.ts'
    const signer = createKeySigner(new Uint8Array(32).fill(7))
    // Often enough to be compiled where V8 may.
    const signatures = []
    for (let byte = 0; byte < 100; byte++) {
      signatures.push(await signer.sign(new Uint8Array(32).fill(byte)))
    }
    const maps = readFileSync('/proc/self/maps', 'utf8').split('\\n')
    const ofNoFile = maps.filter((each) => /^\\S+ ..x\\S+ \\S+ \\S+ 0 *$/.test(each))
    console.log(JSON.stringify({ ofNoFile, signature: signatures.at(-1) }))`
  const program = join(await temporaryFolder(t), 'program.mjs')
  // As it is installed: Node strips types with WebAssembly, which is machine code.
  await build({
    stdin: { contents: source, resolveDir: '.', loader: 'ts' },
    outfile: program,
    ...{ bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
  })
  const said = async (nodeOptions: string) => {
    const env = { ...process.env, NODE_OPTIONS: nodeOptions }
    return JSON.parse((await promisify(execFile)(process.execPath, [program], { env })).stdout)
  }
  const [compiling, service] = await Promise.all([said(''), said(options)])
  t.not(compiling.ofNoFile.length, 0)
  t.deepEqual(service.ofNoFile, [])
  t.deepEqual(service.signature, compiling.signature)
})
