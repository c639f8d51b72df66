// Payments without HTTP: what `agent.transfer` gives is what `receiver.take` takes, and nothing else is.
import { join } from 'node:path'
import test from 'ava'
import { type BeforePayment, createKeySigner } from '../../agent/index.ts'
import { fromHex, type TransferProof } from '../../protocol/index.ts'
import { crashCopy } from '../support/folder.ts'
import { reading, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** As it comes out of a message. */
const carried = (proof: TransferProof): unknown => JSON.parse(JSON.stringify(proof))

test('a transfer is taken once, and the next one goes on from it', async (t) => {
  const { agent, receiver, contract, chain, senderAccount } = await startSystem(t)
  const { transfer, spentToday, channels } = await agent()
  const first = await transfer({ receiver: receiver.address.toLowerCase(), amount: '7 units' })
  t.like(first, { contract, receiver: receiver.address, amount: '7', balance: '7' })
  t.is(first.chainId, `${chain.chainId}`)
  t.is(first.sender, createKeySigner(fromHex(senderAccount.privateKey)).address)
  await receiver.refresh()
  t.like(await receiver.take(carried(first)), { kind: 'taken', amount: 7n, balance: 7n })
  t.like(await receiver.take(carried(first)), { kind: 'refused', code: 'balance_spent' })
  const second = await transfer({ receiver: receiver.address, amount: 3n })
  t.is(second.balance, '10')
  t.like(await receiver.take(carried(second)), { kind: 'taken', amount: 3n, balance: 10n })
  t.is(spentToday(), 10n)
  t.is(channels().length, 1)
})

test('one that was lost on its way does not hold up the next', async (t) => {
  const { agent, receiver } = await startSystem(t)
  const { transfer } = await agent()
  const lost = await transfer({ receiver: receiver.address, amount: 7n })
  const next = await transfer({ receiver: receiver.address, amount: 3n })
  await receiver.refresh()
  t.like(await receiver.take(carried(next)), { kind: 'taken', amount: 3n })
  t.like(await receiver.take(carried(lost)), { kind: 'taken', amount: 7n })
})

test('transfers at the same time are of different units', async (t) => {
  const { agent, receiver } = await startSystem(t)
  const { transfer } = await agent()
  const one = () => transfer({ receiver: receiver.address, amount: 2n })
  const proofs = await Promise.all([one(), one(), one(), one()])
  await receiver.refresh()
  for (const proof of proofs) t.like(await receiver.take(carried(proof)), { kind: 'taken' })
  t.deepEqual(proofs.map(({ balance }) => balance).sort(), ['2', '4', '6', '8'])
})

test('requests and transfers to one receiver keep to channels of their own', async (t) => {
  const { agent, receiver, base } = await startSystem(t)
  const buyer = await agent()
  await buyer.transfer({ receiver: receiver.address, amount: 1n })
  t.is((await buyer.get(`${base}/reading`)).status, 200)
  const after = await buyer.transfer({ receiver: receiver.address, amount: 1n })
  t.is((await buyer.get(`${base}/reading`)).payment?.cost, 5n)
  await receiver.refresh()
  t.like(await receiver.take(carried(after)), { kind: 'taken' })
  t.deepEqual(
    buyer
      .channels()
      .map(({ balance }) => balance)
      .sort(),
    [10n, 2n],
  )
})

test('a transfer counts in every budget, and nothing is signed above one', async (t) => {
  const { agent, receiver } = await startSystem(t)
  const { transfer, channels } = await agent({
    budget: { request: 5n, total: 8n, jobs: { valve: { day: 5n } } },
  })
  const to = { receiver: receiver.address }
  await t.throwsAsync(transfer({ ...to, amount: 6n }), { code: 'price_over_cap' })
  t.deepEqual(channels(), [])
  await transfer({ ...to, amount: 4n, job: 'valve' })
  await t.throwsAsync(transfer({ ...to, amount: 2n, job: 'valve' }), { code: 'budget_day_spent' })
  await t.throwsAsync(transfer({ ...to, amount: 5n }), { code: 'budget_total_spent' })
  t.is((await transfer({ ...to, amount: 4n })).balance, '8')
})

test('a transfer that may not be is refused before anything happens', async (t) => {
  const { agent, receiver, contract } = await startSystem(t)
  const asked: BeforePayment[] = []
  const buyer = await agent({
    receivers: [receiver.address],
    hosts: ['shop.example'],
    hooks: {
      beforePayment: (payment) => {
        asked.push(payment)
        return payment.terms.price > 3n ? { refuse: 'more than three' } : undefined
      },
    },
  })
  const to = { receiver: receiver.address }
  await t.throwsAsync(buyer.transfer({ receiver: contract, amount: 1n }), {
    code: 'receiver_not_allowed',
  })
  await t.throwsAsync(buyer.transfer({ ...to, amount: 4n }), {
    code: 'stopped_by_hook',
    message: /more than three/,
  })
  await t.throwsAsync(buyer.transfer({ ...to, amount: 0n }), { code: 'transfer_empty' })
  await t.throwsAsync(buyer.transfer({ ...to, amount: '1 EUR' }), { code: 'wrong_token' })
  await t.throwsAsync(buyer.transfer({ receiver: 'shop', amount: 1n }), { code: 'not_an_address' })
  t.deepEqual(buyer.channels(), [])
  t.is((await buyer.transfer({ ...to, amount: 3n })).amount, '3')
  t.deepEqual(
    asked.map(({ terms, request }) => [terms.price, request]),
    [
      [4n, undefined],
      [3n, undefined],
    ],
  )
})

for (const [name, spool] of [
  ['after a power cut', undefined],
  ['after a kill, of an agent that spares its card', 'spool'],
] as const) {
  test(`no unit is transferred twice, and none is left out, ${name}`, async (t) => {
    const { agent, receiver, folder } = await startSystem(t)
    const [store, copy] = [join(folder, 'agent'), join(folder, 'copy')]
    const inMemory = spool && { spool: join(folder, spool) }
    const before = await agent({ store, ...inMemory })
    const proofs = [
      await before.transfer({ receiver: receiver.address, amount: 2n }),
      await before.transfer({ receiver: receiver.address, amount: 2n }),
    ]
    const after = await agent({ store: await crashCopy(store, copy), ...inMemory })
    proofs.push(await after.transfer({ receiver: receiver.address, amount: 2n }))
    await receiver.refresh()
    for (const proof of proofs) t.like(await receiver.take(carried(proof)), { kind: 'taken' })
    t.deepEqual(
      proofs.map(({ balance }) => balance),
      ['2', '4', '6'],
    )
  })
}

test('what is no transfer to this receiver is refused with a reason', async (t) => {
  const { agent, receiver } = await startSystem(t)
  const { transfer } = await agent()
  const proof = await transfer({ receiver: receiver.address, amount: 5n })
  await receiver.refresh()
  for (const [wrong, code] of [
    [undefined, 'malformed_payment'],
    ['text', 'malformed_payment'],
    [{ ...proof, amount: 5 }, 'malformed_payment'],
    [{ ...proof, amount: '0' }, 'malformed_payment'],
    [{ ...proof, openBlock: -1 }, 'malformed_payment'],
    [{ ...proof, signature: '0x12' }, 'malformed_payment'],
    [{ ...proof, chainId: '1' }, 'wrong_contract'],
    [{ ...proof, contract: proof.sender }, 'wrong_contract'],
    [{ ...proof, receiver: proof.sender }, 'wrong_contract'],
    [{ ...proof, openBlock: proof.openBlock + 1 }, 'nonexisting_channel'],
    [{ ...proof, balance: '6', amount: '6' }, 'invalid_balance_proof'],
    [{ ...proof, balance: '51', amount: '51' }, 'balance_over_deposit'],
    [{ ...proof, amount: '6' }, 'invalid_amount'],
  ] as const) {
    t.like(await receiver.take(wrong), { kind: 'refused', code }, JSON.stringify(wrong))
  }
  t.like(await receiver.take(proof), { kind: 'taken' })
})

test('a receiver that takes bound requests only takes no transfer', async (t) => {
  const { agent, receiver } = await startSystem(t, [reading()], { bound: 'require' })
  const { transfer } = await agent()
  const proof = await transfer({ receiver: receiver.address, amount: 5n })
  t.like(await receiver.take(proof), { kind: 'refused', code: 'payment_required' })
})

test('until the channel is confirmed the same proof waits', async (t) => {
  const { agent, receiver, chain } = await startSystem(t, [reading()], { confirmations: 3 })
  const { transfer } = await agent()
  const proof = await transfer({ receiver: receiver.address, amount: 5n })
  await receiver.refresh()
  t.like(await receiver.take(proof), { kind: 'refused', code: 'insufficient_confirmations' })
  await chain.mine(3)
  await until(async () => (await receiver.take(proof)).kind === 'taken')
  t.pass()
})

test('the hook before payments sees the price that is signed for, and may refuse it', async (t) => {
  const { agent, base } = await startSystem(t)
  const seen: BeforePayment[] = []
  let refuse: string | undefined
  const buyer = await agent({
    hooks: {
      beforePayment: (payment) => {
        seen.push(payment)
        return refuse === undefined ? undefined : { refuse }
      },
    },
  })
  await buyer.get(`${base}/reading`)
  t.like(seen[0]?.terms, { price: 5n })
  t.is(seen[0]?.request?.url.pathname, '/reading')
  refuse = 'the sun is down'
  await t.throwsAsync(buyer.get(`${base}/reading`), {
    code: 'stopped_by_hook',
    message: /has refused the request to .*: the sun is down$/,
  })
  t.is(buyer.spentToday(), 5n)
})
