// Openings and ether have budgets as tokens have; both sides of each bound.
import test from 'ava'
import type { Budget } from '../../../agent/budget/caps.ts'
import { createTransactionBudget } from '../../../agent/channels/transaction-budget.ts'
import {
  channel,
  ledgerOn,
  newChannel,
  otherReceiver,
  receiver,
  testClock,
  testDisk,
} from '../../support/ledger.ts'

const gwei = 10n ** 9n
const gasOfDeposit = 150_000n
const day = 86_400_000

async function given(budget: Budget, mostFeePerGas?: bigint) {
  const disk = testDisk()
  const clock = testClock()
  let price = gwei
  let sent = 0
  const ledger = await ledgerOn({ disk, clock: clock.read, budget })
  const transactions = createTransactionBudget({ ledger, mostFeePerGas })
  const deposit = (to: { readonly receiver: typeof receiver; readonly openBlock?: number }) =>
    transactions.within(to, async (fees) => {
      const most = await fees({ gasPrice: async () => price })
      sent += 1
      const { openBlock } = to
      // As booking does.
      if (openBlock === undefined) ledger.spend(['openings', `openings/${to.receiver}`], 1n)
      const gasUsed = 100_000n
      transactions.paid({ gasUsed, gasPrice: price, fee: gasUsed * price })
      return most
    })
  return {
    ...{ disk, clock, ledger, transactions, deposit },
    sent: () => sent,
    costs: (wei: bigint) => {
      price = wei
    },
  }
}

const topUp = { receiver, openBlock: 7 }

test('a receiver gets so many channels a day, others still get theirs, and the next day it does', async (t) => {
  const { deposit, clock, sent } = await given({ openingsPerReceiver: { day: 2n } })
  await deposit({ receiver })
  await deposit({ receiver })
  const error = await t.throwsAsync(deposit({ receiver }), { code: 'budget_openings_spent' })
  t.regex(error?.message ?? '', new RegExp(`2 channels to ${receiver} that may be opened a day`))
  t.is(sent(), 2)
  await deposit({ receiver: otherReceiver })
  await deposit(topUp)
  clock.pass(day)
  await deposit({ receiver })
  t.is(sent(), 5)
})

test('so many channels are opened in all, and top-ups are no openings', async (t) => {
  const { deposit, clock, sent } = await given({ openings: { total: 2n } })
  await Promise.all([deposit({ receiver }), deposit({ receiver: otherReceiver })])
  clock.pass(day)
  await t.throwsAsync(deposit({ receiver }), { code: 'budget_openings_spent' })
  await deposit(topUp)
  t.is(sent(), 3)
})

test('openings under way count before they are booked', async (t) => {
  const { transactions } = await given({ openings: { day: 1n } })
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const first = transactions.within({ receiver }, () => held)
  await t.throwsAsync(
    transactions.within({ receiver: otherReceiver }, async () => t.fail()),
    { code: 'budget_openings_spent' },
  )
  release()
  await first
  await t.notThrowsAsync(transactions.within({ receiver }, async () => undefined))
})

test('a deposit is made while what it may cost is left of the day’s ether, and not a wei later', async (t) => {
  const least = gasOfDeposit * gwei
  const enough = await given({ ether: { day: least } })
  t.is(await enough.deposit(topUp), gwei)
  const short = await given({ ether: { day: least - 1n } })
  await t.throwsAsync(short.deposit(topUp), { code: 'budget_ether_spent' })
  t.is(short.sent(), 0)
})

test('what transactions cost is spent, also over a restart, and free again the next day', async (t) => {
  const cap = 100_000n * gwei + gasOfDeposit * gwei - 1n
  const { deposit, clock, ledger, disk } = await given({ ether: { day: cap } })
  await deposit(topUp)
  await t.throwsAsync(deposit(topUp), { code: 'budget_ether_spent' })
  await ledger.add(newChannel(10n))
  t.is(ledger.get(channel).deposit, 10n)
  const later = await ledgerOn({ disk, clock: clock.read, budget: { ether: { day: cap } } })
  t.is(later.limits(['ether'])[0]?.used, 100_000n * gwei)
  clock.pass(day)
  t.is(later.limits(['ether'])[0]?.used, 0n)
})

test('gas that costs ten times what it did is paid for, and a wei more is not', async (t) => {
  const { deposit, costs, sent } = await given({})
  costs(20n * gwei)
  await deposit(topUp)
  costs(200n * gwei + 1n)
  const error = await t.throwsAsync(deposit(topUp), { code: 'fee_jump' })
  t.regex(error?.message ?? '', /Gas costs 200 gwei now, more than 10 times the 20 gwei/)
  costs(200n * gwei)
  t.is(await deposit(topUp), 200n * gwei)
  t.is(sent(), 2)
})

test('gas up to 10 gwei is cheap, whatever it was before', async (t) => {
  const { deposit, costs } = await given({})
  costs(1n)
  await deposit(topUp)
  costs(10n * gwei + 1n)
  await t.throwsAsync(deposit(topUp), { code: 'fee_jump' })
  costs(10n * gwei)
  await t.notThrowsAsync(deposit(topUp))
})

test('a transaction offers no more than the owner’s limit, and the first no more than that either', async (t) => {
  const { deposit } = await given({}, 7n * gwei)
  t.is(await deposit(topUp), 7n * gwei)
})

test('a node whose receipts show less than it had us offer is not believed', async (t) => {
  const { transactions, ledger, costs } = await given({ ether: { total: 10n ** 18n } })
  costs(50n * gwei)
  await transactions.within(topUp, async (fees) => {
    await fees({ gasPrice: async () => 50n * gwei })
    transactions.paid({ gasUsed: 100_000n, gasPrice: 1n, fee: 100_000n })
  })
  t.is(ledger.limits(['ether'])[0]?.used, 100_000n * 50n * gwei)
})

test('what is relayed asks for no ether', async (t) => {
  const { transactions } = await given({ ether: { total: 0n } })
  await t.notThrowsAsync(transactions.within({ receiver }, async () => undefined))
})
