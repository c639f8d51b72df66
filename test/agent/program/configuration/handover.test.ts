// What a short process has read reaches the one that stays, or the reason why there is nothing.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { readerCommand } from '../../../../agent/cli/commands/reader-command.ts'
import { takeOver } from '../../../../agent/program/configuration/handover.ts'
import { loadSettings } from '../../../../agent/program/configuration/load.ts'
import { settingsOf } from '../../../../agent/program/configuration/settings.ts'
import { writeAgentFiles } from '../../../support/cli.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const main = fileURLToPath(new URL('../../../../agent/cli/main.ts', import.meta.url))
const privateKey = `0x${'11'.repeat(32)}`

/** Every kind of value that settings have. */
const config = (folder: string) => `rpc: [http://127.0.0.1:9, http://127.0.0.1:10]
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
chainId: 5
key: ${join(folder, 'key')}
state: ${join(folder, 'state')}
budget: { day: 1 TKN, ether: { day: 0.1 ETH }, openings: { day: 3 } }
mostGasPrice: 50 gwei
receivers: { shop: { url: 'http://127.0.0.1:9', bound: prefer } }
proxy: { programs: { one: { token: ${join(folder, 'token')} } } }
mqtt: { url: 'mqtts://127.0.0.1', ca: ${join(folder, 'ca.pem')} }
page: { token: ${join(folder, 'token')} }
metrics: 127.0.0.1:9100
jobs: { a: { get: shop/a, every: '* * * * *', sinks: [{ mqtt: a, select: $.b }] } }
`

async function givenFolder(t: ExecutionContext, text?: string) {
  const folder = await temporaryFolder(t)
  await writeAgentFiles(folder, privateKey, text ?? config(folder))
  await writeFile(join(folder, 'token'), '0123456789abcdef\n', { mode: 0o600 })
  await writeFile(join(folder, 'ca.pem'), 'a certificate')
  const file = join(folder, 'agent.yaml')
  const load = async () => (await loadSettings(file, process.env, () => undefined)).settings
  const take = () => takeOver(reader(process.execPath, main, readerCommand, file))
  return { load, take }
}

const reader = (...command: readonly string[]) => ({ command, environment: process.env })

test('settings arrive as they were read, with a signer for the key, and what was warned of', async (t) => {
  const { load, take } = await givenFolder(t)
  const { settings: arrived, warnings } = await take()
  const read = settingsOf(await load())
  const { signer, loaded, ...rest } = arrived
  const { signer: same, loaded: _, ...expected } = read
  t.deepEqual(rest, expected)
  t.true(Math.abs(loaded - read.loaded) < 600_000)
  t.is(signer.address, same.address)
  const digest = new Uint8Array(32).fill(7)
  t.deepEqual(await signer.sign(digest), await same.sign(digest))
  t.is(warnings.length, 1)
  t.regex(warnings[0] ?? '', /is not encrypted/)
})

test('what is wrong with a configuration is said as by the one who reads it', async (t) => {
  const { load, take } = await givenFolder(t, 'rpc: http://127.0.0.1:9\nkye: a\n')
  const arrived = await t.throwsAsync(take(), {
    code: 'config_invalid',
    message: /agent\.yaml:2 kye: there is no such setting/,
  })
  const read = await t.throwsAsync(load())
  t.is(arrived?.message, read?.message)
  t.deepEqual(Object.entries(arrived ?? {}), Object.entries(read ?? {}))
})

test('the key is wiped where it came from', async (t) => {
  const { load } = await givenFolder(t)
  const plain = await load()
  t.deepEqual([...plain.privateKey], Array(32).fill(0x11))
  settingsOf(plain)
  t.deepEqual([...plain.privateKey], Array(32).fill(0))
})

const writing = (value: string) =>
  reader(process.execPath, '-e', `fs.writeFileSync(3, v8.serialize(${value}))`)

for (const [when, command, says] of [
  ['is killed', reader('sh', '-c', 'kill -9 $$'), /ended with SIGKILL/],
  ['fails', reader('sh', '-c', 'exit 9'), /ended with 9/],
  ['cannot be started', reader('/no/such/program'), /ENOENT/],
  ['says nothing', reader('true'), /it is nothing/],
  ['says half of it', reader('sh', '-c', 'printf x >&3'), /it is nothing/],
  [
    'is of another version',
    writing("{ version: '0.0.1', handover: { refused: {} } }"),
    /it is of version 0\.0\.1, and this daemon of \d/,
  ],
] as const) {
  test(`a reader that ${when} is an error that says so`, async (t) => {
    await t.throwsAsync(takeOver(command), { code: 'settings_unread', message: says })
  })
}

test('a defect of the reader stays one', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const defect = writing(`{ version: '${version}', handover: { defect: new TypeError('oh') } }`)
  await t.throwsAsync(takeOver(defect), { instanceOf: TypeError, message: 'oh' })
})
