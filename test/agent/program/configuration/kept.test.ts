// What was read at an earlier start stands in for reading it again exactly as long as nothing has changed that it came
// from, and only for who has the key.
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { keepSettings, keptSettings } from '../../../../agent/program/configuration/kept.ts'
import { loadSettings } from '../../../../agent/program/configuration/load.ts'
import { type Settings, settingsOf } from '../../../../agent/program/configuration/settings.ts'
import { writeAgentFiles } from '../../../support/cli.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const key = '11'.repeat(32)
const token = '0123456789abcdef'

/** Every setting that names a file which is read. */
const config = (folder: string) => `rpc: http://127.0.0.1:9
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
chainId: 5
key: ${join(folder, 'key')}
budget: { day: 1 TKN }
proxy: { programs: { one: { token: ${join(folder, 'token')} } } }
mqtt:
  url: mqtts://127.0.0.1
  username: me
  password: ${join(folder, 'password')}
  ca: ${join(folder, 'ca.pem')}
  cert: ${join(folder, 'cert.pem')}
  certKey: ${join(folder, 'cert.key')}
page: { token: ${join(folder, 'page-token')} }
`

const named = ['key', 'token', 'password', 'ca.pem', 'cert.pem', 'cert.key', 'page-token'] as const

async function givenService(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  await writeAgentFiles(folder, `0x${key}`, config(folder))
  await chmod(join(folder, 'agent.yaml'), 0o600)
  const state = join(folder, 'state')
  const credentials = join(folder, 'credentials')
  await Promise.all([mkdir(state), mkdir(credentials)])
  await Promise.all(
    named.slice(1).map((name) => {
      return writeFile(join(folder, name), `${token}-${name}\n`, { mode: 0o600 })
    }),
  )
  await writeFile(join(credentials, 'agent-key'), key, { mode: 0o600 })
  const environment = { STATE_DIRECTORY: state, CREDENTIALS_DIRECTORY: credentials, LANG: 'C' }
  const file = join(folder, 'agent.yaml')
  const load = () => loadSettings(file, environment, () => undefined)
  const keep = async (begun = longAgo()) => {
    const { settings, files } = await load()
    await keepSettings({ settings, warnings: ['a warning'] }, { file, files, environment }, begun)
  }
  const kept = (more: NodeJS.ProcessEnv = {}) => {
    return keptSettings({ file, environment: { ...environment, ...more } })
  }
  return { folder, file, environment, load, keep, kept, copy: join(state, 'settings.kept') }
}

/** As if all files had been there for an hour when reading began. */
const longAgo = () => Date.now() + 3_600_000

const plain = ({ loaded: _, signer, ...rest }: Settings) => ({ ...rest, address: signer.address })

test('the same as reading it all again, with what was warned of', async (t) => {
  const { load, keep, kept } = await givenService(t)
  t.is(await kept(), undefined)
  await keep()
  const taken = await kept()
  t.deepEqual(taken && plain(taken.settings), plain(settingsOf((await load()).settings)))
  t.deepEqual(taken?.warnings, ['a warning'])
})

for (const name of ['agent.yaml', ...named]) {
  test(`not after a change of ${name}, of its mode, or without it`, async (t) => {
    const { folder, keep, kept } = await givenService(t)
    const file = join(folder, name)
    await keep()
    await chmod(file, 0o640)
    t.is(await kept(), undefined)
    await chmod(file, 0o600)
    t.not(await kept(), undefined)
    await writeFile(file, `${await readFile(file, 'utf8')} `)
    t.is(await kept(), undefined)
    await rm(file)
    t.is(await kept(), undefined)
  })
}

test('each file that is read is among those that are looked at again', async (t) => {
  const { file, environment, load } = await givenService(t)
  // Whoever reads a file by node asks one of these.
  const script = `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const seen = new Set()
const spied = (object, name) => {
  const original = object[name]
  object[name] = (path, ...rest) => (seen.add(String(path)), original(path, ...rest))
}
for (const name of ['open', 'readFile']) { spied(fs.promises, name); spied(fs, name) }
for (const name of ['openSync', 'readFileSync']) spied(fs, name)
syncBuiltinESMExports()
const { loadSettings } = await import(${JSON.stringify(import.meta.resolve('../../../../agent/program/configuration/load.ts'))})
const before = new Set(seen)
await loadSettings(${JSON.stringify(file)}, process.env, () => undefined)
console.log(JSON.stringify([...seen].filter((path) => !before.has(path))))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    },
  )
  const read: readonly string[] = JSON.parse(stdout || `["${stderr}"]`)
  const { files } = await load()
  const known = [file, ...files, join(environment.CREDENTIALS_DIRECTORY, 'agent-key')]
  // What else it reads are modules that it loads late.
  const foreign = read.filter((path) => !path.endsWith('.ts') && !path.includes('node_modules'))
  t.deepEqual(foreign.toSorted(), known.toSorted())
})

test('not with another variable, as any of them may override a setting or name a folder', async (t) => {
  const { keep, kept } = await givenService(t)
  await keep()
  for (const [name, value] of Object.entries({
    ...{ URAIDEN_AGENT_BUDGET_DAY: '2 TKN', LANG: 'de', RUNTIME_DIRECTORY: '/run/x', NEW: '' },
  })) {
    t.is(await kept({ [name]: value }), undefined, name)
  }
  // systemd says these anew at each start.
  t.not(
    await kept({ INVOCATION_ID: 'a', URAIDEN_BOOT_ID: 'b', NOTIFY_SOCKET: '/run/c' }),
    undefined,
  )
})

test('nobody makes, changes or reads a copy without the key', async (t) => {
  const { environment, keep, kept, copy } = await givenService(t)
  await keep()
  const written = await readFile(copy)
  for (const secret of [token, key, Buffer.from(key, 'hex')]) t.false(written.includes(secret))
  await fc.assert(
    fc.asyncProperty(
      fc.nat(written.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, by) => {
        const changed = Buffer.from(written)
        changed[at] = (changed[at] ?? 0) ^ by
        await writeFile(copy, changed)
        t.is(await kept(), undefined)
        await writeFile(copy, written.subarray(0, at))
        t.is(await kept(), undefined)
      },
    ),
    { numRuns: 50 },
  )
  await writeFile(copy, written)
  t.not(await kept(), undefined)
  await writeFile(join(environment.CREDENTIALS_DIRECTORY, 'agent-key'), '22'.repeat(32))
  t.is(await kept(), undefined)
})

test('nothing is kept of what was changed while it may have been read', async (t) => {
  const { folder, keep, kept, copy } = await givenService(t)
  const changes = await Promise.all(
    ['agent.yaml', ...named].map(async (name) => (await stat(join(folder, name))).ctimeMs),
  )
  const newest = Math.max(...changes)
  await keep(newest + 1999)
  await t.throwsAsync(readFile(copy), { code: 'ENOENT' })
  t.is(await kept(), undefined)
  await keep(newest + 2000)
  t.not(await kept(), undefined)
})

test('nothing is kept of a key that is not sealed, nor without a folder of the service', async (t) => {
  const { file, environment, load, keep, copy } = await givenService(t)
  const { settings, files } = await load()
  const origin = { file, files, environment }
  await keepSettings(
    { settings: { ...settings, key: 'keystore' }, warnings: [] },
    origin,
    longAgo(),
  )
  await t.throwsAsync(readFile(copy), { code: 'ENOENT' })
  const { STATE_DIRECTORY: _, ...elsewhere } = environment
  const other = { ...origin, environment: elsewhere }
  await keepSettings({ settings, warnings: [] }, other, longAgo())
  t.is(await keptSettings({ file, environment: elsewhere }), undefined)
  await keep()
  t.true((await readFile(copy)).length > 0)
})

test('what cannot be written is not kept, and harms nothing', async (t) => {
  const { file, environment, load } = await givenService(t)
  const { settings, files } = await load()
  const nowhere = { ...environment, STATE_DIRECTORY: '/proc/none' }
  const origin = { file, files, environment: nowhere }
  await t.notThrowsAsync(keepSettings({ settings, warnings: [] }, origin, longAgo()))
})
