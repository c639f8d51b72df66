// Default settings: deposits last, so that hardly a reading needs a transaction.
import test, { type ExecutionContext } from 'ava'
import { type AgentOptions, defaultDeposits } from '../../agent/index.ts'
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
  return { ...system, agent, transactions: async () => (await sent()) - before }
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
