// apt installs from a repository that `scripts/release apt` has made, and upgrades when the next version is
// published in it: configuration, ledger and channels stay. In a Debian 12 of its own, without systemd.
import { execFile } from 'node:child_process'
import {
  chown,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { version } from '../../platform/system/version.ts'
import { asItsUser, debianFolder } from '../support/debian.ts'
import { temporaryFolder } from '../support/folder.ts'
import { nextVersion } from '../support/next-version.ts'
import { runIn } from '../support/packed.ts'
import { givenReceiverFolder, startProgram } from '../support/receiver-program.ts'
import { startScript } from '../support/script.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const programs = ['uraiden-agent', 'uraiden-receiver'] as const

/** A repository over HTTP on this machine, with a key that was made for it. */
async function givenRepository(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const repository = join(folder, 'apt')
  // The socket of gpg's agent must have a short path.
  const home = await mkdtemp(join(tmpdir(), 'gpg-'))
  const environment = { GNUPGHOME: home }
  const env = { ...process.env, ...environment }
  t.teardown(async () => {
    await run('gpgconf', ['--kill', 'all'], { env })
    await rm(home, { recursive: true, force: true })
  })
  const key = ['--quick-generate-key', 'owner@example.org', 'ed25519', 'sign', '1d']
  await run('gpg', ['--batch', '--passphrase', '', ...key], { env })
  const server = createServer(async (request, response) => {
    const file = await readFile(join(repository, request.url ?? '')).catch(() => undefined)
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const publish = async (packages: string) => {
    const args = ['apt', repository, '--packages', packages, '--key', 'owner@example.org']
    const options = { folder, environment }
    const { code, stderr } = await startScript(t, 'release', [...args, '--url', url], options).ended
    t.is(code, 0, stderr)
  }
  return { repository, publish }
}

/** The three lines of the guide, in a Debian that knows no other repository. */
async function givenDebian(t: ExecutionContext, repository: string) {
  const folder = await debianFolder(t)
  await rm(join(folder, 'etc/apt/sources.list'))
  const keyring = 'uraiden-archive-keyring.gpg'
  await copyFile(join(repository, keyring), join(folder, 'usr/share/keyrings', keyring))
  const sources = join(folder, 'etc/apt/sources.list.d/uraiden.sources')
  await copyFile(join(repository, 'uraiden.sources'), sources)
  const apt = (...args: readonly string[]) =>
    run('chroot', [
      ...[folder, 'env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'],
      ...['apt-get', '--yes', '--quiet', ...args],
    ])
  const versions = async () => {
    const how = ['-W', '-f', '$' + '{Package} $' + '{Version}\n', ...programs]
    return (await run('chroot', [folder, 'dpkg-query', ...how])).stdout
  }
  return { folder, apt, versions }
}

/** Both programs, configured as their guides say, for a chain on this machine. */
async function configure(t: ExecutionContext, folder: string) {
  const { chain, contract, senderAccount, receiverAccount } = await givenReceiverFolder(t)
  const more = {
    'uraiden-agent': 'budget: { total: 1000 units }\n',
    'uraiden-receiver':
      'confirmations: 1\nresources:\n  /reading: { price: 5 units, command: echo 21.4 }\n',
  }
  const accounts = { 'uraiden-agent': senderAccount, 'uraiden-receiver': receiverAccount }
  for (const program of programs) {
    const state = join(folder, 'var/lib', program)
    const { uid, gid } = await stat(state)
    await writeFile(join(state, 'key'), accounts[program].privateKey, { mode: 0o600 })
    await chown(join(state, 'key'), uid, gid)
    const text = `# Mine.\nrpc: ${chain.rpcUrl}\ncontract: '${contract}'\nkey: /var/lib/${program}/key\nstate: /var/lib/${program}\n${more[program]}`
    await writeFile(join(folder, configurationOf(program)), text)
  }
  return { chain }
}

function configurationOf(program: (typeof programs)[number]): string {
  return `etc/uraiden/${program.replace('uraiden-', '')}.yaml`
}

test('apt installs version n; when n+1 is published, it upgrades, and both programs go on with their books', async (t) => {
  const { repository, publish } = await givenRepository(t)
  await publish(join(root, 'dist-pi'))
  const { folder, apt, versions } = await givenDebian(t, repository)
  await apt('update')
  await apt('install', ...programs)
  t.is(await versions(), programs.map((program) => `${program} ${version}\n`).join(''))

  const { chain } = await configure(t, folder)
  const agent = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runIn(folder, [
      ...asItsUser(folder, 'uraiden-agent'),
      ...args,
    ])
    t.is(code, 0, stderr)
    return stdout
  }
  const receiver = { folder, chain, command: asItsUser(folder, 'uraiden-receiver') }
  const first = await startProgram(t, receiver, [])
  t.regex(await agent('get', `${first.url}/reading`), /^21\.4/)
  const [before] = JSON.parse(await agent('--json', 'channels'))
  first.kill('SIGTERM')
  await first.ended
  const configurations = () =>
    Promise.all(programs.map((program) => readFile(join(folder, configurationOf(program)), 'utf8')))
  const written = await configurations()
  const owners = () =>
    Promise.all(
      programs.map(async (program) => {
        const { uid, gid, mode } = await stat(join(folder, 'var/lib', program))
        return { uid, gid, mode }
      }),
    )
  const owned = await owners()

  await publish(join(root, 'dist-pi/next'))
  await apt('update')
  await apt('upgrade')

  t.is(await versions(), programs.map((program) => `${program} ${nextVersion}\n`).join(''))
  t.is(await agent('--version'), `${nextVersion}\n`)
  t.deepEqual(await configurations(), written)
  t.deepEqual(await owners(), owned)
  t.deepEqual((await readdir(join(folder, 'etc/uraiden'))).sort(), ['agent.yaml', 'receiver.yaml'])
  const [kept] = JSON.parse(await agent('--json', 'channels'))
  t.deepEqual(kept, before)
  const second = await startProgram(t, receiver, [])
  t.regex(await agent('get', `${second.url}/reading`), /^21\.4/)
  const [after, ...others] = JSON.parse(await agent('--json', 'channels'))
  t.deepEqual(others, [])
  t.is(after.openBlock, before.openBlock)
  t.is(BigInt(after.balance) - BigInt(before.balance), 5n)

  // The way back.
  await apt('--allow-downgrades', 'install', ...programs.map((program) => `${program}=${version}`))
  t.is(await agent('--version'), `${version}\n`)
  t.deepEqual(JSON.parse(await agent('--json', 'channels')), [after])
})

test('apt takes nothing from a repository that somebody else has changed', async (t) => {
  const { repository, publish } = await givenRepository(t)
  await publish(join(root, 'dist-pi'))
  const { apt, folder } = await givenDebian(t, repository)
  const file = join(repository, 'dists/stable/InRelease')
  const signed = await readFile(file, 'utf8')
  await writeFile(file, signed.replace('Components: main', 'Components: evil'))
  await rm(join(repository, 'dists/stable/Release'))
  await t.throwsAsync(apt('update'), { message: /is not signed|invalid|BADSIG/ })
  await writeFile(file, signed)
  await mkdir(join(folder, 'var/lib/apt/lists/partial'), { recursive: true })
  await apt('update')
  const name = `uraiden-agent_${version}_amd64.deb`
  const deb = join(repository, 'pool/main/u/uraiden-agent', name)
  const bytes = await readFile(deb)
  bytes[bytes.length >> 1] = Number(bytes[bytes.length >> 1]) ^ 1
  await writeFile(deb, bytes)
  await t.throwsAsync(apt('install', 'uraiden-agent'), { message: /Hash Sum mismatch/ })
})
