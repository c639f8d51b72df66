import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { runCli } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { needing, tools } from '../../support/tools.ts'
import { until } from '../../support/until.ts'

const bare = '11'.repeat(32)
const address = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'
const password = { URAIDEN_AGENT_KEY_PASSWORD: 'correct horse' }

/** A folder with a keystore that the configuration names; nothing is asked that needs the chain. */
async function given(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const config = `rpc: http://127.0.0.1:9
contract: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
key: key.json
state: state
control: { socket: control.sock }
`
  await writeFile(join(folder, 'agent.yaml'), config)
  await writeFile(join(folder, 'hex'), bare, { mode: 0o600 })
  const { code, stderr } = await runCli(folder, ['key', 'import', 'hex', 'key.json'], password)
  t.is(code, 0, stderr)
  const credentials = join(folder, 'credentials')
  await mkdir(credentials)
  const service = { CREDENTIALS_DIRECTORY: credentials }
  const doctor = async (environment: NodeJS.ProcessEnv) =>
    (await runCli(folder, ['doctor'], environment)).stdout
  const credential = (text: string) => writeFile(join(credentials, 'agent-key'), text)
  return { folder, service, doctor, credential }
}

needing(test, tools.systemdCreds)(
  'a sealed key opens with what systemd decrypts, and without a password; doctor says so of the daemon, too',
  async (t) => {
    const { folder, service, doctor } = await given(t)
    const sealed = await runCli(folder, ['--json', 'key', 'seal', '-o', 'made/sealed'], password)
    t.deepEqual(JSON.parse(sealed.stdout), { file: 'made/sealed', address })
    const file = join(folder, 'made/sealed')
    t.is((await stat(file)).mode & 0o777, 0o600)
    t.false((await readFile(file, 'utf8')).includes(bare))
    const again = await runCli(folder, ['key', 'seal', '-o', 'made/sealed'], password)
    t.regex(again.stderr, /key_file_exists, exit 6/)

    const decrypt = (name: string) =>
      promisify(execFile)('systemd-creds', [
        ...['decrypt', `--name=${name}`, file],
        join(folder, 'credentials', name),
      ])
    await t.throwsAsync(decrypt('another'))
    await decrypt('agent-key')
    t.regex(await doctor(service), new RegExp(`✔ key +${address}, sealed by systemd`))

    // It is the service that has it, and doctor does not.
    const running = new AbortController()
    const daemon = runCli(folder, ['run'], service, {
      interrupt: once(running.signal, 'abort'),
    })
    await until(() => existsSync(join(folder, 'control.sock')))
    await until(async () => (await doctor({})).includes('sealed by systemd'))
    running.abort()
    t.is((await daemon).code, 0)
    t.regex(await doctor(password), /✔ key +0x\w+, key\.json is readable.*, opened with a password/)
  },
)

test('a sealed key needs no key file beside it; one of another key is refused', async (t) => {
  const { folder, service, doctor, credential } = await given(t)
  await credential(`0x${'22'.repeat(32)}`)
  t.regex(await doctor(service), /✘ key +The key that systemd has sealed is that of 0x\w+, and/)
  await rm(join(folder, 'key.json'))
  t.regex(await doctor(service), /✔ key +0x1563915e194D8CfBA1943570603F7606A3115508, sealed/)
  await credential('nothing')
  t.regex(await doctor(service), /✘ key +The file \$CREDENTIALS_DIRECTORY\/agent-key holds/)
})

test('where systemd-creds is missing, nothing is written and the reason is said', async (t) => {
  const { folder } = await given(t)
  const nowhere = { ...password, PATH: join(folder, 'nowhere') }
  const { code, stderr } = await runCli(folder, ['key', 'seal', '-o', 'sealed'], nowhere)
  t.is(code, 6)
  t.regex(stderr, /systemd-creds does not encrypt the key: .*ENOENT.*\n.*key_not_sealed/)
  t.false(existsSync(join(folder, 'sealed')))
})
