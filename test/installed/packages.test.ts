// The packages, installed and upgraded by the dpkg of a Debian 12 of its own: their users, their folders,
// and former state that goes on paying. Without systemd: what is a unit's is test/e2e/pi's.
import { execFile } from 'node:child_process'
import { chown, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { version } from '../../platform/system/version.ts'
import { asItsUser, debianFolder } from '../support/debian.ts'
import { formerStates, givenFormerState } from '../support/former-state.ts'
import { runIn } from '../support/packed.ts'
import { startProgram } from '../support/receiver-program.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const programs = ['agent', 'receiver'] as const

/** Where both packages can be installed by dpkg. */
async function givenDebian(t: ExecutionContext) {
  const folder = await debianFolder(t)
  const dpkg = async (...args: readonly string[]) =>
    run('chroot', [folder, 'env', 'LC_ALL=C', 'dpkg', ...args])
  const install = async (from: string) => {
    const names = programs.map((name) => `uraiden-${name}_${version}_amd64.deb`)
    for (const name of names) await cp(join(root, 'dist-pi', name), join(folder, 'root', name))
    return dpkg(from, ...names.map((name) => `/root/${name}`))
  }
  return { folder, dpkg, install }
}

test('they are installed, start nothing, and say what to do', async (t) => {
  const { folder, dpkg, install } = await givenDebian(t)
  const { stdout } = await install('-i')
  for (const name of programs) {
    const program = `uraiden-${name}`
    t.true(stdout.includes(`${program} is installed and not started`), stdout)
    const state = await stat(join(folder, 'var/lib', program))
    t.is(state.mode & 0o777, 0o700)
    const passwd = await readFile(join(folder, 'etc/passwd'), 'utf8')
    t.regex(passwd, new RegExp(`^${program}:[^:]*:${state.uid}:`, 'm'))
    const said = await runIn(folder, ['chroot', folder, program, '--version'])
    t.is(said.stdout, `${version}\n`, said.stderr)
  }
  t.is((await dpkg('--verify', 'uraiden-agent', 'uraiden-receiver')).stdout, '')

  // A purge keeps what is worth money, and removes the rest.
  await writeFile(join(folder, 'var/lib/uraiden-receiver/key.json'), 'a key')
  const purged = await dpkg('--purge', 'uraiden-agent', 'uraiden-receiver')
  t.regex(purged.stderr, /uraiden-receiver was NOT removed: there may be money in it/)
  t.deepEqual(await readdir(join(folder, 'var/lib/uraiden-receiver')), ['key.json'])
  await t.throwsAsync(stat(join(folder, 'var/lib/uraiden-agent')), { code: 'ENOENT' })
  await t.throwsAsync(stat(join(folder, 'etc/uraiden')), { code: 'ENOENT' })
})

for (const name of formerStates) {
  test(`${name}: an upgrade keeps configuration and state, and both programs go on with it`, async (t) => {
    const former = await givenFormerState(t, name)
    const { folder, dpkg, install } = await givenDebian(t)
    await install('--unpack')
    await dpkg('--configure', '-a')
    const owners = new Map<string, number>()
    for (const program of programs) {
      const state = join(folder, `var/lib/uraiden-${program}`)
      const { uid, gid } = await stat(state)
      owners.set(program, uid)
      const books = program === 'agent' ? 'ledger' : '.'
      await former.copyState(program, join(state, books))
      const account = program === 'agent' ? former.senderAccount : former.receiverAccount
      await writeFile(join(state, 'key'), account.privateKey, { mode: 0o600 })
      const files = await readdir(state, { recursive: true })
      for (const file of ['.', ...files]) await chown(join(state, file), uid, gid)
    }
    const config = (program: string, more: string) =>
      writeFile(
        join(folder, `etc/uraiden/${program}.yaml`),
        `rpc: ${former.chain.rpcUrl}
contract: '${former.contract}'
key: /var/lib/uraiden-${program}/key
state: /var/lib/uraiden-${program}
${more}`,
      )
    await config('agent', 'budget: { total: 1000 units }\n')
    await config(
      'receiver',
      'confirmations: 1\nresources:\n  /reading: { price: 5 units, command: echo 21.4 }\n',
    )

    await install('-i')

    for (const program of programs) {
      const { uid, mode } = await stat(join(folder, `var/lib/uraiden-${program}`))
      t.true(uid === owners.get(program))
      t.is(mode & 0o777, 0o700)
    }
    const as = (program: string) => asItsUser(folder, program)
    const given = { folder, chain: former.chain, command: as('uraiden-receiver') }
    const { url } = await startProgram(t, given, [])
    const bought = await runIn(folder, [...as('uraiden-agent'), 'get', `${url}/reading`])
    t.is(bought.code, 0, bought.stderr)
    t.regex(bought.stdout, /^21\.4/)
    const channels = await runIn(folder, [...as('uraiden-agent'), '--json', 'channels'])
    const [channel, ...others] = JSON.parse(channels.stdout)
    t.deepEqual(others, [])
    t.is(channel.openBlock, former.facts.openBlock)
    const path = `api/1/channels/${former.signer.address}/${former.facts.openBlock}`
    const kept = (await (await fetch(`${url}/${path}`)).json()) as { readonly balance: string }
    t.true(BigInt(kept.balance) >= BigInt(former.facts.highest))
  })
}
