// Default settings: deposits last, so that hardly a reading needs a transaction.
import test, { type ExecutionContext } from 'ava'
import { type AgentOptions, defaultDeposits, depositsWorth } from '../../agent/index.ts'
import { parseAddress } from '../../protocol/index.ts'
import { price, startSystem } from '../support/system.ts'

/** Where no day ends while the test runs. */
function zoneAtNoon(): string {
  const ahead = 12 - new Date().getUTCHours()
  return `Etc/GMT${ahead >= 0 ? '-' : '+'}${Math.abs(ahead)}`
}

async function given(t: ExecutionContext, tokens: bigint, options: Partial<AgentOptions> = {}) {
  const system = await startSystem(t)
  const { token, senderAccount, tokensOf, chain } = system
  const has = await tokensOf(senderAccount.address)
  const transfer = token.getFunction('transfer(address,uint256)')
  if (tokens > has) await (await transfer(senderAccount.address, tokens - has)).wait()
  const deposit = { ...defaultDeposits, ...options.deposit }
  const agent = await system.agent({ ...options, deposit, timeZone: zoneAtNoon() })
  const sent = () => chain.provider.getTransactionCount(senderAccount.address)
  const before = await sent()
  return {
    ...system,
    agent,
    again: system.agent,
    transactions: async () => (await sent()) - before,
  }
}

test('1 440 readings of an agent that knows nothing of them take two transactions, and none fails', async (t) => {
  const { agent, base, transactions } = await given(t, 1_000_000n)
  for (let count = 0; count < 1440; count++) {
    t.is((await agent.get(`${base}/reading`)).status, 200)
  }
  t.is(await transactions(), 2)
})

test('where it is known how often something is bought, the first deposit lasts a week', async (t) => {
  const { agent, base, transactions } = await given(t, 1_000_000n)
  await agent.get(`${base}/reading`, { timesPerDay: 1440 })
  t.deepEqual(
    agent.channels().map(({ deposit }) => deposit),
    [7n * 1440n * price],
  )
  t.is(await transactions(), 1)
})

test('more than is needed now takes half of what the account has, and what is needed takes all', async (t) => {
  const { agent, base } = await given(t, 10_000n)
  await agent.get(`${base}/reading`, { timesPerDay: 1440 })
  t.is(agent.channels()[0]?.deposit, 5_000n)
})

test('caps and budgets are above what lasts', async (t) => {
  const { agent, base } = await given(t, 1_000_000n, { budget: { day: 700n } })
  await agent.get(`${base}/reading`, { timesPerDay: 1440 })
  t.is(agent.channels()[0]?.deposit, 700n)
  const most = await given(t, 1_000_000n, { deposit: { most: 300n } })
  await most.agent.get(`${most.base}/reading`, { timesPerDay: 1440 })
  t.is(most.agent.channels()[0]?.deposit, 300n)
})

const etherPrice = 1_000_000n
/** A deposit of some ten thousand units, where ten payments are fifty. */
const worth = depositsWorth({ feeShare: 100n, etherPrice })

/** At one percent. */
function isWorth(deposit: bigint, fee: bigint): boolean {
  return fee * etherPrice * 100n <= deposit * 10n ** 18n
}

test('deposits are as large as their fees want, at an opening and at a top-up', async (t) => {
  const system = await given(t, 1_000_000n, { deposit: worth })
  const { agent, base, senderAccount, chain } = system
  const ether = () => chain.provider.getBalance(senderAccount.address)
  const before = await ether()
  await agent.get(`${base}/reading`)
  const [channel] = agent.channels()
  if (channel === undefined) return t.fail('no channel')
  const { deposit, receiver, openBlock } = channel
  const opened = await ether()
  t.true(isWorth(deposit, before - opened))
  // Not as much as there would be.
  t.true(deposit < 100_000n)
  const added = await agent.topUpAhead(`${receiver}/${openBlock}`, 30n, 10n)
  t.true(isWorth(added, opened - (await ether())))
  t.true(added > 30n && added < deposit)
  t.is(agent.channels()[0]?.deposit, deposit + added)
})

for (const [what, tokens, options, most] of [
  ['half of what the account has', 10_000n, { deposit: worth }, 5000n],
  ['what a channel may hold', 1_000_000n, { deposit: { ...worth, most: 300n } }, 300n],
  ['what all channels may hold', 1_000_000n, { deposit: { ...worth, mostInAll: 301n } }, 301n],
  ['what a day may cost', 1_000_000n, { deposit: worth, budget: { day: 700n } }, 700n],
  ['what may be spent at all', 1_000_000n, { deposit: worth, budget: { total: 701n } }, 701n],
] as const) {
  test(`a deposit that is worth its fee is no more than ${what}`, async (t) => {
    const { agent, base } = await given(t, tokens, options)
    await agent.get(`${base}/reading`)
    t.is(agent.channels()[0]?.deposit, most)
  })
}

for (const [what, options, most] of [
  ['what a channel may hold', { deposit: { ...worth, most: 300n } }, 200n],
  ['what all channels may hold', { deposit: { ...worth, mostInAll: 301n } }, 201n],
  ['what a day may cost', { deposit: worth, budget: { day: 700n } }, 700n],
] as const) {
  test(`a top-up that is worth its fee is no more than ${what}`, async (t) => {
    const { agent, receiverAccount } = await given(t, 1_000_000n, options)
    const channel = await agent.openChannel(parseAddress(receiverAccount.address), 100n)
    t.is(await agent.topUpAhead(channel, 30n, 10n), most)
  })
}

test('a top-up that is worth its fee is no more than what a receiver may still get', async (t) => {
  const { agent, base, receiverAccount, again } = await given(t, 1_000_000n)
  const receiver = parseAddress(receiverAccount.address)
  const channel = await agent.openChannel(receiver, 100n)
  await agent.get(`${base}/reading`)
  await agent.stop()
  const budget = { receivers: { [receiver]: { total: 9000n } } }
  const thrifty = await again({ deposit: { ...defaultDeposits, ...worth }, budget })
  t.is(await thrifty.topUpAhead(channel, 30n, 10n), 9000n - price)
})
