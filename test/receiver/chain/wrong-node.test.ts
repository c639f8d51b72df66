// A receiver whose node is slow, goes away, and says wrong things: it never crashes, and in the end knows
// what the chain says (wire-protocol.md section 6).
import anyTest from 'ava'
import { connectChain } from '../../../platform/chain/index.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { seededRandom } from '../../lab/random/random.ts'
import { givenCheater } from '../../support/cheating.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

const nonsense: readonly unknown[] = [
  null,
  '',
  'nonsense',
  {},
  [{}],
  7,
  { number: '0x', hash: '0x' },
  { number: '-1', hash: null },
  [{ address: '0x', topics: ['0x'], data: '0x', blockNumber: '0x1' }],
]

/** What is read of the chain, each with an answer that is none. */
for (const method of ['eth_getBlockByNumber', 'eth_getLogs', 'eth_getBalance', 'eth_call']) {
  test(`nonsense as the answer to ${method} is an error that names the node`, async (t) => {
    const { chain, contract, channel } = await givenCheater(t)
    let answer: unknown
    const node = await startFaultyRpc(t, chain.rpcUrl, (call) =>
      call.method === method ? { answer } : undefined,
    )
    const client = await connectChain({ rpcUrl: node.url, contract })
    t.teardown(() => client.close())
    for (answer of nonsense) {
      const asked = [
        () => client.head(),
        () => client.block(1),
        () => client.events({ from: 0, to: 5 }),
        () => client.etherBalance(channel.sender),
        () => client.tokenBalance(channel.sender),
      ]
      for (const ask of asked) {
        // Some of it is a possible answer to another question: no block, no logs.
        const error = await ask().then(
          () => undefined,
          (thrown) => thrown,
        )
        t.true(error === undefined || isUraidenError(error), `${answer}: ${error}`)
      }
    }
  })
}

/** Everything that a bad node may do to one question, except to hide what has happened. */
function mischief(random: () => number, { method }: RpcCall): Fault | undefined {
  const dice = random()
  if (dice < 0.1) return 'loseAnswer'
  if (dice < 0.2) return 'loseRequest'
  if (dice < 0.3) return { refuse: 'too many requests' }
  if (dice < 0.4) return { answer: nonsense[Math.floor(random() * nonsense.length)] }
  if (dice < 0.5 && method === 'eth_getBlockByNumber') {
    // Another chain for a moment.
    return { change: (block) => ({ ...Object(block), hash: `0x${'e'.repeat(64)}` }) }
  }
  return undefined
}

for (const seed of [1, 2, 3]) {
  test(`whatever its node does (seed ${seed}), the receiver ends up with what the chain says, and answers cheats`, async (t) => {
    const given = await givenCheater(t)
    const { chain, client, channel, openAnother, startAgain, tokensOf, receiverAccount } = given
    await given.pay(5n)
    await given.stopped()
    const random = seededRandom(seed)
    let bad = true
    const node = await startFaultyRpc(t, chain.rpcUrl, (call) =>
      bad && call.method !== 'eth_chainId' ? mischief(random, call) : undefined,
    )
    const again = await startAgainPatiently(() =>
      startAgain({ rpcUrl: node.url, pollInterval: 5, outage: { longest: 0 } }),
    )
    for (let step = 0; step < 6; step++) {
      const block = await openAnother(10n + BigInt(step))
      if (step % 2 === 0) await given.transactions.send(topUp(block))
      if (step === 2) await given.requestClose(0n)
      await chain.mine(1)
      await again.refresh().catch(() => undefined)
    }
    bad = false
    // The receiver's answer is a transaction of its own: only when it is mined the chain stands still. What
    // the node refused in the last block is tried again in the next one, and there has to be one.
    await until(async () => {
      if (await given.isOver()) return true
      await again.refresh()
      await chain.mine(1)
      return false
    })
    const head = (await client.head()).number
    await until(() => (again.book.position()?.block ?? 0) >= head)
    const events = await client.events({ from: 0, to: head })
    const opened = events.filter(({ kind }) => kind === 'created')
    for (const { channel: each } of opened) {
      const known = again.book.get(each.sender, each.openBlock)
      const info = await client.channelInfo(each)
      if (info === undefined) t.is(known?.state, 'settled')
      else t.is(known?.deposit, info.deposit)
    }
    t.is(await tokensOf(receiverAccount.address), 5n)
    t.is(await given.sent(), 1)

    function topUp(openBlock: number) {
      return client.calls.topUpErc223(given.token, { ...channel, openBlock }, 7n)
    }
  })
}

/** It does not start without an answer to its first questions; a person would try again. */
async function startAgainPatiently<Value>(start: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (!isUraidenError(error)) throw error
    }
  }
}

test('a slow node makes the receiver late, and nothing else', async (t) => {
  const given = await givenCheater(t)
  const { chain, startAgain, pay, requestClose, isOver } = given
  await pay(5n)
  await given.stopped()
  const held: (() => void)[] = []
  let slow = true
  const node = await startFaultyRpc(t, chain.rpcUrl, async () => {
    if (slow) await new Promise<void>((resolve) => held.push(resolve))
    return undefined
  })
  const drip = setInterval(() => held.shift()?.(), 20)
  t.teardown(() => clearInterval(drip))
  const again = await startAgain({ rpcUrl: node.url })
  await again.synced
  await requestClose(0n)
  await until(isOver)
  slow = false
  for (const release of held.splice(0)) release()
  t.is(await given.sent(), 1)
})
