// A sender asks to close for less than it has paid: the receiver answers in time, whatever happens
// meanwhile (wire-protocol.md section 6).
import anyTest from 'ava'
import { readChain } from '../../support/chain-read.ts'
import { challengePeriod, givenCheater } from '../../support/cheating.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { crashCopy } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

test('a close below the best proof is answered, and the receiver gets what was paid', async (t) => {
  const { pay, requestClose, receiver, receiverAccount, isOver, tokensOf, sent } =
    await givenCheater(t)
  t.is((await pay(5n)).status, 200)
  t.is((await pay(10n)).status, 200)
  await requestClose(5n)
  await until(isOver)
  t.is(await tokensOf(receiverAccount.address), 10n)
  await until(() => receiver.settlement.status().answers.length === 0)
  t.like(receiver.settlement.status(), { uncollected: 0n, atRisk: 0n, lost: 0n })
  t.is(await sent(), 1)
})

for (const balance of [10n, 11n]) {
  test(`a close at ${balance} of 10 paid is fair: it is left to the sender`, async (t) => {
    const { pay, requestClose, receiver, isOver, sent, chain } = await givenCheater(t)
    await pay(5n)
    await pay(10n)
    await requestClose(balance)
    await readChain(receiver)
    t.deepEqual(receiver.settlement.status().answers, [])
    t.like(receiver.settlement.status(), { uncollected: 10n, atRisk: 0n })
    t.is(await sent(), 0)
    t.false(await isOver())
    // The sender does not settle: after a while the receiver does, and gets what was asked for.
    await chain.mine(challengePeriod + 25)
    await until(isOver)
    t.is(await sent(), 1)
  })
}

test('a channel whose challenge period is over is the sender’s to settle for some blocks', async (t) => {
  const { pay, requestClose, receiver, sent, chain, isOver } = await givenCheater(t)
  await pay(5n)
  const { block } = await requestClose(5n)
  const settleAt = block + challengePeriod + 20
  await chain.mine(settleAt - block)
  await readChain(receiver)
  t.is(await sent(), 0)
  await chain.mine(1)
  await until(isOver)
  t.is(await sent(), 1)
})

for (const [down, blocks] of [
  ['for most of the challenge period', challengePeriod - 5],
  ['for all of it, and the sender has not settled yet', challengePeriod + 100],
] as const) {
  test(`the receiver was down ${down}: it answers right after the start, before anything else`, async (t) => {
    const given = await givenCheater(t)
    const { pay, requestClose, chain, tokensOf, receiverAccount, isOver, startAgain } = given
    await pay(5n)
    await given.stopped()
    await requestClose(0n)
    await chain.mine(blocks)
    const again = await startAgain({ settlement: { withdraw: { least: 1n } } })
    await again.synced
    await until(isOver)
    t.is(await tokensOf(receiverAccount.address), 5n)
    t.is(await given.sent(), 1)
  })
}

for (const fault of ['loseRequest', 'loseAnswer'] as const) {
  test(`killed when the answer was just sent (${fault}): after the restart there is one transaction`, async (t) => {
    const given = await givenCheater(t)
    const { pay, requestClose, chain, folder, isOver, startAgain } = given
    await pay(5n)
    await given.stopped()
    await requestClose(0n)
    // The first run never hears of what it has sent, and its disk is kept as it was then.
    let left = false
    const node = await startFaultyRpc(t, chain.rpcUrl, ({ method }) => {
      if (method === 'eth_sendRawTransaction') {
        left = true
        return fault
      }
      return left && /Receipt|ByHash/.test(method) ? 'loseRequest' : undefined
    })
    await startAgain({ rpcUrl: node.url })
    await until(() => left)
    const state = await crashCopy(`${folder}/receiver`, `${folder}/after-the-kill`)
    await startAgain({ state })
    await until(isOver)
    t.is(await given.sent(), 1)
  })
}

test('without ether closes wait, are shown as risk, and are answered most urgent first once there is some', async (t) => {
  const given = await givenCheater(t, { settlement: { withdraw: { least: 1n } } })
  const { pay, receiver, channel, chain, setEther, requestClose, isOver, openAnother } = given
  const other = await openAnother()
  await until(() => receiver.book.get(channel.sender, other) !== undefined)
  await setEther(0n)
  await readChain(receiver)
  // Without ether no payment is taken: these came before.
  const ledger = (highest: bigint, openBlock: number) => ({
    claims: { highest, unclaimed: [] },
    proof: {
      signature: given.sign(highest, undefined, undefined, openBlock),
      form: 'eip712' as const,
    },
    agreedToClose: false,
  })
  const second = { ...channel, openBlock: other }
  await receiver.book.putLedger(second, ledger(7n, other))
  await receiver.book.putLedger(channel, ledger(5n, channel.openBlock))
  t.is((await pay(10n)).status, 502)
  await requestClose(0n, other)
  await chain.mine(10)
  await requestClose(1n)
  await until(() => {
    const { answers } = receiver.settlement.status()
    return answers.length === 2 && answers.every(({ state }) => state?.kind === 'waiting')
  })
  const { atRisk, uncollected, answers } = receiver.settlement.status()
  t.is(atRisk, 11n)
  t.is(uncollected, 12n)
  t.deepEqual(
    answers.map(({ openBlock, stake, state }) => [
      openBlock,
      stake,
      state?.kind === 'waiting' && state.code,
    ]),
    [
      [other, 7n, 'ether_missing'],
      [channel.openBlock, 4n, 'ether_missing'],
    ],
  )
  await setEther(10n ** 18n)
  await until(isOver)
  await until(async () => (await given.infoOf(other)) === undefined)
  t.is(await given.tokensOf(given.receiverAccount.address), 12n)
  const settled = await given.client.events({ from: 0, to: 1_000_000 })
  const order = settled
    .filter(({ kind }) => kind === 'settled')
    .map(({ channel }) => channel.openBlock)
  t.deepEqual(order, [other, channel.openBlock])
})

test('while there is time an answer waits for a usual price of gas; later it pays what it costs', async (t) => {
  const usual = 3n * 10n ** 9n
  const given = await givenCheater(t, {
    pollInterval: 3_600_000,
    settlement: { fees: { usual } },
  })
  const { pay, receiver, requestClose, setBaseFee, chain, client, isOver, sent } = given
  const expensiveBlock = async () => {
    await setBaseFee(100n * usual)
    await chain.mine(1)
  }
  await pay(5n)
  await expensiveBlock()
  const { block } = await requestClose(0n)
  await receiver.refresh()
  t.like(receiver.settlement.status().answers, {
    length: 1,
    0: { state: { kind: 'waiting', code: 'fee_over_cap' } },
  })
  const lastCheap = block + challengePeriod / 2 - 1
  await chain.mine(lastCheap - 1 - (await client.head()).number)
  await expensiveBlock()
  t.is((await client.head()).number, lastCheap)
  await receiver.refresh()
  t.is(await sent(), 0)
  await expensiveBlock()
  await receiver.refresh()
  await until(isOver)
  t.is(await sent(), 1)
})

test('an answer that a reorganisation takes back is sent again; a close that it takes back is none', async (t) => {
  const log: string[] = []
  const tell = (_: object, message: string) => void log.push(message)
  const given = await givenCheater(t, {
    ...{ pollInterval: 3_600_000, confirmations: 2, log: { info: tell, warn: tell } },
  })
  const { pay, receiver, requestClose, chain, isOver, tokensOf, receiverAccount, sent } = given
  await chain.mine(2)
  await receiver.refresh()
  t.is((await pay(5n)).status, 200)
  const beforeClose = await chain.snapshot()
  await requestClose(0n)
  const beforeAnswer = await chain.snapshot()
  // The receiver knows it too: what it still waits for, it would send again.
  const answers = () => log.filter((line) => line === 'a dishonest close was answered').length
  await receiver.refresh()
  await until(() => answers() === 1)
  t.true(await isOver())
  await chain.mine(3)
  await receiver.refresh()
  t.is(receiver.settlement.status().answers.length, 0)
  await beforeAnswer()
  t.false(await isOver())
  await chain.mine(6)
  await receiver.refresh()
  await until(() => answers() === 2)
  t.true(await isOver())
  t.is(await tokensOf(receiverAccount.address), 5n)
  await beforeClose()
  await chain.mine(12)
  await receiver.refresh()
  t.deepEqual(receiver.settlement.status().answers, [])
  t.is(receiver.book.get(given.channel.sender, given.channel.openBlock)?.state, 'open')
  t.is(await sent(), 0)
})
