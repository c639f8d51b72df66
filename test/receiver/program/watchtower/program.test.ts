// uraiden-receiver watch beside a receiver, both as processes of their own: the receiver is killed, its
// sender cheats, and the watchtower answers.
import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import anyTest, { type ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../../../platform/chain/index.ts'
import { createKeySigner } from '../../../../platform/keys/index.ts'
import { fromHex } from '../../../../protocol/index.ts'
import { balanceProof } from '../../../../scripts/lib/sign.ts'
import { challengePeriod } from '../../../support/cheating.ts'
import {
  givenReceiverFolder,
  runReceiver,
  spawnReceiver,
  startProgram,
} from '../../../support/receiver-program.ts'
import { until } from '../../../support/until.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

async function given(t: ExecutionContext) {
  const system = await givenReceiverFolder(t)
  const { chain, contract, folder, receiverAccount, senderAccount } = system
  const account = chain.accounts[5]
  if (account === undefined) throw new Error('no account')
  const certificate = (name: string) =>
    fileURLToPath(new URL(`../../../support/certificates/${name}`, import.meta.url))
  await copyFile(certificate('ip.key'), join(folder, 'tls.key'))
  await chmod(join(folder, 'tls.key'), 0o600)
  await copyFile(certificate('ip.pem'), join(folder, 'tls.pem'))
  await writeFile(join(folder, 'token'), `${'ab'.repeat(32)}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'tower-key'), account.privateKey, { mode: 0o600 })
  await writeFile(
    join(folder, 'watchtower.yaml'),
    `contract: '${contract}'
receiver: '${receiverAccount.address}'
key: tower-key
state: tower-state
token: token
tls: { cert: tls.pem, key: tls.key }
pollInterval: 0.05
patience: 0.2
`,
  )
  const watch = (...args: readonly string[]) =>
    spawnReceiver(folder, [
      ...['--json', '--rpc', chain.rpcUrl, '-c', 'watchtower.yaml', ...args],
      ...['watch', '--host', '127.0.0.1', '--port', '0'],
    ])
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
  return { ...system, watch, client, transactions, account }
}

test('a killed receiver, a cheating sender: the watchtower answers with its own key', async (t) => {
  const system = await given(t)
  const { watch, folder, chain, contract, client, transactions, senderAccount, account } = system
  const tower = watch()
  t.teardown(async () => {
    tower.kill('SIGTERM')
    await tower.ended
  })
  const { url } = await tower.announced
  t.true(url.startsWith('https://'))
  await writeFile(
    join(folder, 'receiver.yaml'),
    `contract: '${contract}'
key: key
state: state
resources:
  /reading: { price: 5 units, command: echo 21.4 }
watchtowers:
  - { url: '${url}', token: token, ca: tls.pem, every: 0.05 }
`,
  )
  const receiver = await startProgram(t, system, ['-c', 'receiver.yaml'])
  const parties = { sender: senderAccount.address, receiver: receiver.receiver }
  const { token } = await client.contractFacts()
  const { contractBlock: openBlock } = await transactions.send(
    client.calls.openErc223(token, { ...parties, deposit: 100n }),
  )
  const signature = balanceProof({
    domain: { contract, chainId: chain.chainId },
    ...{ receiver: parties.receiver, openBlock, balance: 5n, key: senderAccount.privateKey },
  })
  const pay = () =>
    fetch(`${receiver.url}/reading`, {
      headers: {
        'RDN-Sender-Address': parties.sender,
        'RDN-Open-Block': `${openBlock}`,
        'RDN-Balance': '5',
        'RDN-Balance-Signature': signature,
      },
    })
  await until(async () => (await pay()).status === 200)
  const proofs = async () => {
    const answer = await statusOf(url, 'ab'.repeat(32))
    return answer.proofs
  }
  await until(async () => (await proofs()) === 1)
  receiver.kill('SIGKILL')
  await receiver.ended
  const channel = { ...parties, openBlock }
  await transactions.send(client.calls.uncooperativeClose(channel, 0n))
  await chain.mine(challengePeriod / 5)
  await until(async () => (await client.channelInfo(channel))?.closingBalance === 5n)
  t.is(await chain.provider.getTransactionCount(account.address), 1)
})

/** The test's own certificate is trusted by nobody else. */
async function statusOf(url: string, token: string): Promise<{ readonly proofs: number }> {
  const { Agent, request } = await import('undici')
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  const { body } = await request(`${url}/api/1/status`, {
    dispatcher,
    headers: { authorization: `Bearer ${token}` },
  })
  const status = (await body.json()) as { readonly proofs: number }
  await dispatcher.close()
  return status
}

test('what is wrong with its configuration is said before it starts', async (t) => {
  const { folder, chain, watch } = await given(t)
  await writeFile(join(folder, 'token'), 'short\n')
  const short = await watch().ended
  t.is(short.code, 2)
  t.regex(short.stderr, /is no token: 16 to 256/)
  const args = ['--rpc', chain.rpcUrl, '-c', 'none.yaml', 'watch']
  const missing = await runReceiver(folder, args)
  t.is(missing.code, 2)
  t.regex(missing.stderr, /There is no configuration file none.yaml/)
})
