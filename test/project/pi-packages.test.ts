// What is in the Debian package besides the program, and that it is the same each time.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { bundleAgent } from '../../scripts/lib/build-pi/bundle.ts'
import { writeCopyright } from '../../scripts/lib/build-pi/copyright.ts'
import { platformNames, platformOf } from '../../scripts/lib/build-pi/platforms.ts'
import { checkIntegrity } from '../../scripts/lib/build-pi/runtime.ts'
import { readAddon } from '../../scripts/lib/build-pi/tree.ts'
import { runCli } from '../support/cli.ts'
import { temporaryFolder } from '../support/folder.ts'

const run = promisify(execFile)
const deploy = (path: string) => readFile(`deploy/pi/${path}`, 'utf8')

async function commandsOf(folder: string, ...path: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await runCli(folder, [...path, '--help'])
  const list = stdout.split('Commands:\n')[1] ?? ''
  const names = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1] ?? '')
  return names.filter((name) => name !== 'help')
}

test('man page and completion know every command', async (t) => {
  const folder = await temporaryFolder(t)
  const man = (await deploy('man/uraiden-agent.1')).replaceAll('\\-', '-')
  const completion = await deploy('completion/uraiden-agent')
  const commands = await commandsOf(folder)
  t.true(commands.length > 10)
  for (const command of commands) {
    t.regex(man, new RegExp(`^\\.B.* "?${command}\\b`, 'm'), command)
    t.regex(completion, new RegExp(`\\b${command}\\b`), command)
  }
  for (const group of ['key', 'config']) {
    for (const command of await commandsOf(folder, group)) {
      t.true(man.includes(`${group} ${command}`), `${group} ${command}`)
      t.regex(completion, new RegExp(`${group}\\) words='[^']*\\b${command}\\b`))
    }
  }
})

test('bash completes a command', async (t) => {
  const script = `. deploy/pi/completion/uraiden-agent
    COMP_WORDS=(uraiden-agent --config x his) COMP_CWORD=3; _uraiden_agent; echo "\${COMPREPLY[@]}"
    COMP_WORDS=(uraiden-agent get --max) COMP_CWORD=2; _uraiden_agent; echo "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['-c', script])
  t.is(stdout, 'history\n--max-price\n')
})

test('the configuration that is installed runs nothing; with what its comments ask for it is right', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'agent.yaml')
  const installed = await deploy('config/agent.yaml')
  await writeFile(file, installed)
  const unconfigured = await runCli(folder, ['config', 'check', file])
  t.is(unconfigured.code, 2)
  for (const key of ['rpc', 'contract', 'key']) {
    t.true((unconfigured.stderr + unconfigured.stdout).includes(key), key)
  }

  const filledIn = installed
    .replace(/^#(?=(rpc|contract|key|receivers| {2}living-room| {4}(url|address)):)/gm, '')
    .replaceAll(`0x${'0'.repeat(40)}`, '0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
  await writeFile(file, filledIn)
  const configured = await runCli(folder, ['config', 'check', file])
  t.is(configured.code, 0, configured.stderr + configured.stdout)
})

test('the bundle is the same each time, names no folder of this machine, and keeps its lines', async (t) => {
  const [first, second] = [await bundleAgent(), await bundleAgent()]
  t.is(first.code, second.code)
  t.false(first.code.includes(process.cwd()))
  t.true(first.packages.includes('node_modules/ethers'))
  const runner = first.code.split('\n').find((line) => line.includes('runCommandLine({ program'))
  t.truthy(runner)
  // The script of the agent's page is in it: no file has to be beside it.
  t.true(first.code.includes('Resume everything'))
})

for (const name of platformNames) {
  test(`${name}: its Node is pinned, and classic-level has its addon`, async (t) => {
    const { node, addon } = platformOf(name)
    t.regex(node.integrity, /^sha512-[A-Za-z0-9+/]{86}==$/)
    t.is((await readAddon(platformOf(name))).subarray(1, 4).toString(), 'ELF', addon)
    t.throws(() => checkIntegrity(node, Buffer.from('another file')), {
      code: 'build_node_hash',
      message: new RegExp(`^${node.name}@${node.version} has the hash sha512-`),
    })
  })
}

test('the terms of everyone whose code is in it go with it', (t) => {
  const text = writeCopyright('MIT\n', [{ name: 'a 1.0.0', text: 'Terms of a.\n' }])
  t.regex(text, /^uRaiden for Raspberry Pi\n\nMIT\n/)
  t.regex(text, /\na 1\.0\.0\n-+\n\nTerms of a\.\n$/)
})

for (const { reason, prepare, kept } of [
  { reason: 'there is a key in it', prepare: 'echo key > "$state/key.json"', kept: true },
  { reason: 'it is empty', prepare: ':', kept: false },
  {
    reason: 'it is marked',
    prepare: 'echo key > "$state/key.json"; touch "$state/purge-me"',
    kept: false,
  },
  {
    reason: 'the administrator said so',
    prepare: 'echo key > "$state/key.json"; export URAIDEN_PURGE_STATE=yes',
    kept: false,
  },
]) {
  test(`purge ${kept ? 'keeps' : 'removes'} the state when ${reason}`, async (t) => {
    const folder = await temporaryFolder(t)
    // Without a running systemd, as in an image that is being built: nothing of this machine is asked.
    const script = `set -e
      state=$DPKG_ROOT/var/lib/uraiden-agent; mkdir -p "$state"; ${prepare}
      sed 's#/run/systemd/system#/nowhere#' deploy/pi/debian/postrm | sh -s purge
      [ -d "$state" ] && echo kept || echo removed`
    const env = { PATH: process.env.PATH, DPKG_ROOT: folder }
    const { stdout, stderr } = await run('bash', ['-c', script], { env })
    t.is(stdout, kept ? 'kept\n' : 'removed\n')
    t.is(stderr.includes('there may be money in it'), kept)
  })
}
