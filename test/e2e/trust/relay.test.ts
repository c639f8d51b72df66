// Strangers let the receiver send transactions for them, so that its ether or its time does not suffice
// for the answer to a cheating close.
import { randomBytes } from 'node:crypto'
import anyTest, { type ExecutionContext } from 'ava'
import { authoriseDeposit } from '../../../agent/channels/authorise.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import {
  type Address,
  fromHex,
  isUraidenError,
  openChannelDigest,
  parseSignature,
  type Signature,
  type UraidenError,
} from '../../../protocol/index.ts'
import type { Receiver, ReceiverOptions } from '../../../receiver/index.ts'
import { givenCheater } from '../../support/cheating.ts'
import { type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

const gwei = 10n ** 9n

/** Of one answer, at the price that the receivers here pay at most. */
const answerCost = 60_000n * 10n * gwei

const rubbish = parseSignature(`0x${'11'.repeat(64)}1b`)

async function given(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const cheater = await givenCheater(t, {
    relay: { mostPerDay: 50, mostGasPerDay: 50_000_000n },
    settlement: { fees: { most: 10n * gwei } },
    ...options,
  })
  const { client, channel, senderAccount, chain, receiver } = cheater
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  /** A top-up of one unit, as the channel's own sender signs it; the error's code when it is refused. */
  const topUp = async (): Promise<string | undefined> => {
    const { sender, receiver: to, openBlock } = channel
    const signed = await authoriseDeposit({ client, signer }, { ...channel, amount: 1n })
    const request = { sender, receiver: to, openBlock, deposit: 1n, ...signed }
    try {
      const hash = await receiver.relay?.topUp(request)
      await chain.provider.waitForTransaction(hash ?? '')
      return undefined
    } catch (error) {
      return (error as { readonly code?: string }).code
    }
  }
  return { ...cheater, topUp }
}

test('top-ups of one unit stop at twice the ether of the answers, and a cheating close is answered', async (t) => {
  const { pay, topUp, setEther, receiver, requestClose, isOver, tokensOf, ...rest } = await given(t)
  t.is((await pay(5n)).status, 200)
  await setEther(3n * answerCost)
  await receiver.refresh()
  let refused: string | undefined
  let sent = 0
  for (; sent < 50 && refused === undefined; sent++) refused = await topUp()
  t.is(refused, 'relay_reserve')
  t.true(sent > 1, 'some were sent before')
  const left = await rest.client.etherBalance(receiver.address)
  t.true(left > answerCost, `${left} wei are left`)
  await requestClose(0n)
  await until(isOver)
  t.is(await tokensOf(receiver.address), 5n)
})

test('with an account of its own the relay takes neither ether nor nonces of the answers', async (t) => {
  const relaySigner = createKeySigner(fromHex(`0x${'5a'.repeat(32)}`))
  const system = await given(t, { relay: { signer: relaySigner, mostPerDay: 50 } })
  const { pay, topUp, receiver, requestClose, isOver, tokensOf, sent, chain, client } = system
  const { address } = relaySigner
  await chain.provider.send('hardhat_setBalance', [address, `0x${(10n ** 15n).toString(16)}`])
  await pay(5n)
  const before = await client.etherBalance(receiver.address)
  let refused: string | undefined
  for (let count = 0; count < 50 && refused === undefined; count++) refused = await topUp()
  t.is(refused, 'ether_missing')
  t.is(await client.etherBalance(receiver.address), before)
  t.is(await sent(), 0)
  await requestClose(0n)
  await until(isOver)
  t.is(await tokensOf(receiver.address), 5n)
})

test('a relay that closes for a sender from an account of its own shows our agreement', async (t) => {
  const relaySigner = createKeySigner(fromHex(`0x${'5b'.repeat(32)}`))
  const system = await given(t, { relay: { signer: relaySigner } })
  const { pay, receiver, channel, sign, chain, isOver, tokensOf, setEther } = system
  const rich = [relaySigner.address, '0xde0b6b3a7640000']
  await chain.provider.send('hardhat_setBalance', rich)
  await pay(5n)
  await setEther(0n)
  const { sender, openBlock } = channel
  await receiver.relay?.close({ sender, openBlock, balance: 5n, signature: sign(5n) })
  await until(isOver)
  t.is(await tokensOf(receiver.address), 5n)
})

test('a relay with the receiver’s own key does not start', async (t) => {
  const { startAgain, stopped, receiverAccount } = await given(t)
  await stopped()
  const signer = createKeySigner(fromHex(receiverAccount.privateKey))
  await t.throwsAsync(startAgain({ relay: { signer } }), { code: 'relay_key_same' })
})

/** Deposits of accounts that have nothing: well signed, and sure to fail on the node. */
function strangers(receiver: Receiver, count: number): readonly (() => Promise<unknown>)[] {
  return Array.from({ length: count }, () => async () => {
    const signer = createKeySigner(randomBytes(32))
    const { address: sender } = signer
    const deposit = { sender, receiver: receiver.address, deposit: 100n }
    const deadline = 4_000_000_000n
    const domain = { contract: receiver.contract, chainId: receiver.chainId }
    const message = openChannelDigest(domain, { ...deposit, nonce: 0n, deadline })
    const signature = await signer.sign(message)
    return (await open(receiver, { ...deposit, signature }))?.code
  })
}

async function open(
  receiver: Receiver,
  deposit: {
    readonly sender: Address
    readonly receiver: Address
    readonly deposit: bigint
    readonly signature: Signature
  },
): Promise<UraidenError | undefined> {
  const permit = { deadline: 4_000_000_000n, signature: rubbish }
  try {
    await receiver.relay?.open({ ...deposit, permit })
    return undefined
  } catch (error) {
    if (isUraidenError(error)) return error
    throw error
  }
}

test('rubbish that nobody signed hardly costs a question to the node', async (t) => {
  const { chain, startAgain, stopped } = await given(t)
  await stopped()
  const node = await startFaultyRpc(t, chain.rpcUrl, () => undefined)
  const receiver = await startAgain({ rpcUrl: node.url, pollInterval: 3_600_000 })
  await receiver.synced
  const before = node.calls.length
  const refusals = await Promise.all(
    Array.from({ length: 400 }, () => {
      const sender = createKeySigner(randomBytes(32)).address
      const deposit = { sender, receiver: receiver.address, deposit: 100n }
      return open(receiver, { ...deposit, signature: rubbish })
    }),
  )
  const others = refusals.filter((each) => each?.code !== 'relay_not_the_sender')
  t.deepEqual(
    others.map((each) => each?.message),
    [],
  )
  t.true(node.calls.length - before <= 8)
})

test('400 requests of strangers and a slow node: the answer to a cheating close waits behind one of them at most', async (t) => {
  const { pay, chain, startAgain, stopped, requestClose, isOver, tokensOf, client } = await given(t)
  await pay(5n)
  await stopped()
  const node = await startFaultyRpc(t, chain.rpcUrl, async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    return undefined
  })
  const receiver = await startAgain({ rpcUrl: node.url })
  await receiver.synced
  await requestClose(0n)
  const codes: unknown[] = []
  const flood = (async () => {
    for (const ask of strangers(receiver, 400)) {
      void ask().then((code) => codes.push(code))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await until(isOver)
  await flood
  await until(() => codes.length === 400)
  t.is(await tokensOf(receiver.address), 5n)
  t.true(codes.includes('relay_busy'), 'not all wait')

  const { calls } = node
  const parties = { sender: receiver.address, receiver: receiver.address }
  const permit = { deadline: 1n, signature: rubbish }
  const { data } = client.calls.createChannelFor({ ...parties, deposit: 1n }, permit, rubbish)
  const isStranger = ({ params }: RpcCall) => {
    const [request] = params as readonly { readonly data: string }[]
    return request?.data.startsWith(data.slice(0, 10))
  }
  const isTry = ({ method }: RpcCall) => method === 'eth_estimateGas'
  const answer = calls.findIndex((call) => isTry(call) && !isStranger(call))
  // Its tokens are the last that the receiver looks at before it answers.
  const looked = calls.slice(0, answer).findLastIndex(({ method }) => method === 'eth_call')
  const between = calls.slice(looked, answer).filter(isTry).length
  // Each is tried in two blocks: one was under way, one may just have begun.
  t.true(between <= 4, `${between} tries of ${calls.filter(isTry).length} came before the answer`)
})

test('a restart does not give a sender its share of the day once more', async (t) => {
  const relay = { mostPerDay: 2 }
  const { topUp, channel, client, senderAccount, stopped, startAgain } = await given(t, { relay })
  t.is(await topUp(), undefined)
  t.is(await topUp(), undefined)
  t.is(await topUp(), 'relay_limit')
  await stopped()
  const again = await startAgain({ relay })
  await again.synced
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const signed = await authoriseDeposit({ client, signer }, { ...channel, amount: 1n })
  const request = again.relay?.topUp({ ...channel, deposit: 1n, ...signed })
  await t.throwsAsync(async () => request, { code: 'relay_limit' })
})
