// The receiver's node goes away, comes back, is slow: what clients see of it (wire-protocol.md
// section 8, chain outage).
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  startReceiver,
} from '../../../receiver/index.ts'
import { readChain } from '../../support/chain-read.ts'
import { givenChannel } from '../../support/channel.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'

async function given(t: ExecutionContext, options: Partial<ReceiverOptions>) {
  const system = await givenChannel(t)
  let away = false
  let losesLogs = false
  const gate = await startFaultyRpc(t, system.chain.rpcUrl, ({ method }) =>
    away || (losesLogs && method === 'eth_getLogs') ? 'loseRequest' : undefined,
  )
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(system.receiverAccount.privateKey)),
    rpcUrl: gate.url,
    contract: system.contract,
    state: join(system.folder, 'behind-gate'),
    pollInterval: 20,
    confirmations: 1,
    ...options,
  })
  await receiver.synced
  const server = await createReceiverServer(receiver, [
    { path: '/reading', price: 5n, handler: () => 'served' },
  ])
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await server.close()
    await receiver.stop()
  })
  const pay = async (balance: bigint) => {
    const answer = await fetch(`${base}/reading`, {
      headers: system.headers(balance, {
        accept: 'application/json',
        // On a channel older than the receiver's state EIP-712 proofs are taken bound only.
        'RDN-Balance-Signature': system.sign(balance, system.senderAccount.privateKey, 'seed'),
      }),
    })
    const { status, headers } = answer
    const text = await answer.text()
    return { status, retryAfter: headers.get('retry-after'), code: codeOf(text) }
  }
  const node = {
    url: gate.url,
    goesAway: () => {
      away = true
    },
    comesBack: () => {
      away = false
    },
    /** Nobody can read what happened on the chain. */
    losesLogs: () => {
      losesLogs = true
    },
  }
  return { ...system, node, receiver, pay }
}

function codeOf(text: string): string | undefined {
  return text.startsWith('{') ? JSON.parse(text).code : undefined
}

test('without its node the receiver serves for as long as allowed, then says 502, and recovers', async (t) => {
  let elapsed = 0
  const { node, pay, receiver } = await given(t, {
    outage: { longest: 1500 },
    pollInterval: 20,
    confirmations: 1,
    now: () => elapsed,
  })
  node.goesAway()
  await readChain(receiver)
  elapsed = 1500
  t.is((await pay(5n)).status, 200)
  elapsed = 1501
  t.deepEqual(await pay(10n), { status: 502, retryAfter: '1', code: 'chain_unavailable' })
  node.comesBack()
  await until(async () => (await pay(10n)).status === 200)
  t.is((await pay(15n)).status, 200)
})

test('without its node the receiver risks so much on a channel and not one unit more', async (t) => {
  const { node, pay, receiver } = await given(t, {
    outage: { longest: 600_000, mostPerChannel: 10n },
  })
  t.is((await pay(5n)).status, 200)
  node.goesAway()
  await readChain(receiver)
  t.is((await pay(10n)).status, 200)
  t.deepEqual(await pay(15n), { status: 502, retryAfter: '1', code: 'chain_unavailable' })
  node.comesBack()
  await until(async () => (await pay(15n)).status === 200)
})

test('what was withdrawn is risked no more: without its node the receiver takes as much again', async (t) => {
  const { node, pay, receiver, chain, contract, receiverAccount, channel, sign } = await given(t, {
    outage: { longest: 600_000, mostPerChannel: 10n, mostInAll: 10n },
  })
  t.is((await pay(5n)).status, 200)
  t.is((await pay(10n)).status, 200)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  const signer = createKeySigner(fromHex(receiverAccount.privateKey))
  const { openBlock } = channel
  const call = client.calls.withdraw({ openBlock, balance: 10n, signature: sign(10n) })
  await createTransactionSender({ chain: client, signer, pollInterval: 10 }).send(call)
  client.close()
  await readChain(receiver)
  t.is(receiver.book.unsettled(), 0n)
  node.goesAway()
  await readChain(receiver)
  t.is((await pay(15n)).status, 200)
  t.is((await pay(20n)).status, 200)
  t.is((await pay(25n)).status, 502)
})

test('a receiver that has not read its chain yet says 502 and not that the channel is unknown', async (t) => {
  const { node, contract, receiverAccount, folder, headers } = await given(t, {})
  node.losesLogs()
  const starting = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: node.url,
    contract,
    state: join(folder, 'starting'),
    pollInterval: 20,
    confirmations: 1,
  })
  const sent = headers(5n)
  const admission = await starting.paywall.admit(
    {
      method: 'GET',
      url: '/',
      header: (name) => Object.entries(sent).find(([each]) => each === name)?.[1],
      cookie: () => undefined,
    },
    5n,
  )
  t.like(admission, { kind: 'refused', status: 502 })
  await starting.stop()
})

test('no request asks the node for anything', async (t) => {
  const { pay, receiver, node } = await given(t, {
    pollInterval: 3_600_000,
    outage: { longest: 3_600_000 },
  })
  await receiver.synced
  node.goesAway()
  for (let balance = 5n; balance <= 50n; balance += 5n) t.is((await pay(balance)).status, 200)
})
