// The operator's day with uraiden-receiver as a process: health, login, backup, a lost state, restore.
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { isSecret, parseSecretHash } from '../../../receiver/server/admin/secrets.ts'
import {
  type BackupChannel,
  formatBackup,
  parseBackup,
} from '../../../receiver/server/backup/document.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'

async function given(t: ExecutionContext) {
  const system = await givenReceiverFolder(t)
  const { chain, contract, folder, receiverAccount, senderAccount } = system
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
  const parties = { sender: senderAccount.address, receiver: receiverAccount.address }
  const { token } = await client.contractFacts()
  const { contractBlock: openBlock } = await transactions.send(
    client.calls.openErc223(token, { ...parties, deposit: 100n }),
  )
  const domain = { contract, chainId: chain.chainId }
  const paid = (balance: bigint): BackupChannel => {
    const form = 'eip712'
    const key = senderAccount.privateKey
    const signature = balanceProof({ domain, ...parties, openBlock, balance, key, form })
    const claims = { highest: balance, unclaimed: [] }
    return { ...parties, openBlock, claims, proof: { signature, form }, agreedToClose: false }
  }
  const identity = { ...domain, receiver: parties.receiver }
  const own = createKeySigner(fromHex(receiverAccount.privateKey))
  const writeProofs = async (name: string, ...channels: readonly BackupChannel[]) => {
    const created = '2026-01-02T03:04:05.000Z'
    await writeFile(join(folder, name), await formatBackup({ ...identity, created, channels }, own))
  }
  const configure = (lines: readonly string[] = []) =>
    writeFile(
      join(folder, 'receiver.yaml'),
      [`contract: '${contract}'`, 'key: key', 'state: state', ...lines].join('\n'),
    )
  const options = ['-c', 'receiver.yaml', '--rpc', chain.rpcUrl, '--json']
  const run = (...args: readonly string[]) => runReceiver(folder, [...options, ...args])
  return { ...system, openBlock, paid, writeProofs, configure, run }
}

test.serial(
  'proofs survive the loss of the state, and a backup is taken while the receiver runs',
  async (t) => {
    const system = await given(t)
    const { folder, paid, writeProofs, configure, run, openBlock } = system
    await configure()
    await writeProofs('before', paid(30n))
    const restored = await run('restore', 'before')
    t.is(restored.code, 0, restored.stderr)
    t.like(JSON.parse(restored.stdout), { restored: 1, kept: 0, balanceSum: '30' })

    const first = await startProgram(t, system, ['-c', 'receiver.yaml'])
    const channels = await (await fetch(`${first.url}/api/1/channels`)).json()
    t.like((channels as object[])[0], { balance: '30', open_block: `${openBlock}` })
    const taken = await run('backup', 'after')
    t.is(taken.code, 0, taken.stderr)
    t.like(JSON.parse(taken.stdout), { channels: 1, balanceSum: '30' })
    t.is((await stat(join(folder, 'after'))).mode & 0o777, 0o600)
    const busy = await run('restore', 'after')
    t.is(busy.code, 7)
    t.regex(busy.stderr, /Another process uses the state/)
    first.kill('SIGKILL')
    await first.ended

    await rm(join(folder, 'state'), { recursive: true })
    const again = await run('restore', 'after')
    t.is(again.code, 0, again.stderr)
    await writeProofs('older', paid(20n))
    t.like(JSON.parse((await run('restore', 'older')).stdout), { restored: 0, kept: 1 })
    // Nothing runs: the state itself is read.
    const offline = await run('backup', 'after')
    t.is(offline.code, 0, offline.stderr)
    const [found] = parseBackup(await readFile(join(folder, 'after'), 'utf8')).channels
    t.deepEqual(found?.claims, { highest: 30n, unclaimed: [] })
  },
)

test.serial('a backup of a state that is not there is an error, and makes neither', async (t) => {
  const { configure, run, folder } = await given(t)
  await configure()
  const { code, stderr } = await run('backup', 'proofs')
  t.is(code, 7)
  t.regex(stderr, /There is no state in .*state/)
  await t.throwsAsync(stat(join(folder, 'state')), { code: 'ENOENT' })
  await t.throwsAsync(stat(join(folder, 'proofs')), { code: 'ENOENT' })
})

test.serial(
  'health and metrics have their own address; an administrator logs in; the socket can be off',
  async (t) => {
    const system = await given(t)
    const { folder, configure, run } = system
    const hashed = await runReceiver(folder, ['admin', 'hash'], {}, 'correct horse\n')
    t.is(hashed.code, 0, hashed.stderr)
    const hash = hashed.stdout.trim()
    await configure([
      'ops: { listen: 127.0.0.1:0 }',
      `admin: { listen: 127.0.0.1:0, users: { alice: '${hash}' }, socket: off }`,
    ])
    const program = await startProgram(t, system, ['-c', 'receiver.yaml'])
    const own = / ops=(http:\S+)/.exec(program.log())?.[1]
    t.is((await fetch(`${own}/readyz`)).status, 200)
    t.regex(await (await fetch(`${own}/metrics`)).text(), /^uraiden_channels\{state="open"\} 1$/m)
    t.is((await fetch(`${program.url}/metrics`)).status, 404)
    const authorization = `Basic ${Buffer.from('alice:correct horse').toString('base64')}`
    t.is((await fetch(`${program.url}/api/1/admin`, { headers: { authorization } })).status, 404)
    const dashboard = / admin=(http:\S+)/.exec(program.log())?.[1]
    t.is((await fetch(`${dashboard}`)).status, 200)
    const api = new URL('/api/1/admin', dashboard)
    const admin = await fetch(api, { headers: { authorization } })
    t.deepEqual(await admin.json(), { user: 'alice', by: 'password' })
    t.false(program.log().includes('correct horse'))
    const refused = await run('backup', 'proofs')
    t.is(refused.code, 7)
    t.regex(refused.stderr, /Another process uses the state/)
  },
)

test.serial('a password comes from standard input, and a token is shown once', async (t) => {
  const folder = await temporaryFolder(t)
  const hashed = await runReceiver(folder, ['--json', 'admin', 'hash'], {}, 'correct horse\n')
  t.true(await isSecret(parseSecretHash(JSON.parse(hashed.stdout).hash), 'correct horse'))
  for (const input of ['', 'short12', 'two\nlines of it']) {
    const { code, stderr, stdout } = await runReceiver(folder, ['admin', 'hash'], {}, input)
    t.is(code, 2, input)
    t.is(stdout, '')
    t.regex(stderr, /at least 8 characters/)
  }
  const made = await runReceiver(folder, ['--json', 'admin', 'token', 'grafana'])
  const { token, hash } = JSON.parse(made.stdout)
  t.regex(token, /^grafana\.[A-Za-z0-9_-]{43}$/)
  t.true(await isSecret(parseSecretHash(hash), token))
  t.is((await runReceiver(folder, ['admin', 'token', 'gra fana'])).code, 2)
})
