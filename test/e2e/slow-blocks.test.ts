// Purchases on a chain with a block every 12 seconds: none fails because of our own top-ups.
// No second passes: each block is mined, 12 seconds after the one before, once everybody waits for it.
// The suite buys a few; PURCHASES=2000 npx ava test/e2e/slow-blocks.test.ts buys as many as that.
import test, { type ExecutionContext } from 'ava'
import { type Agent, type AgentOptions, depositsFor } from '../../agent/index.ts'
import { Upkeep } from '../../agent/program/daemon/upkeep.ts'
import { startSystem } from '../support/system.ts'

const purchases = Number(process.env.PURCHASES ?? 40)
const price = 1n
/** Blocks are mined so much faster than 12 seconds each; all that waits by itself waits so much shorter. */
const shorter = { retryInterval: 10 }

const week = 7 * 86_400_000

async function given(t: ExecutionContext, lasting: number, options: Partial<AgentOptions> = {}) {
  // Its own default, where the test support has another.
  const resource = { path: '/reading', price, handler: () => ({ celsius: 21.4 }) }
  const system = await startSystem(t, [resource], { confirmations: 2, pollInterval: 20 })
  const { provider } = system.chain
  await provider.send('evm_setAutomine', [false])
  let going = true
  const mining = (async () => {
    while (going) {
      await provider.send('evm_increaseTime', [12])
      await provider.send('evm_mine', [])
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
  })()
  t.teardown(async () => {
    going = false
    await mining
  })
  const topUps: string[] = []
  const agent = await system.agent({
    ...shorter,
    ...options,
    deposit: depositsFor(lasting),
    onChannelChange: (_, { kind }) => void (kind === 'toppedUp' && topUps.push(kind)),
  })
  const failed: unknown[] = []
  const upkeep = new Upkeep({
    shared: {
      current: () => agent,
      use: <Value>(work: (each: Agent) => Promise<Value>) => work(agent),
    } as never,
    interval: 60_000,
    onWarning: () => undefined,
    onFailed: (_, error) => void failed.push(error),
  })
  t.teardown(() => upkeep.stop())
  await upkeep.start({ policy: { deposit: depositsFor(lasting) } })
  /** As the daemon, which tops up after a purchase that leaves little. */
  const buy = async (index: number): Promise<string> => {
    try {
      const { status, payment } = await agent.get(`${system.base}/reading?${index}`)
      if (payment !== undefined) upkeep.paid(payment.channel, payment.price)
      return `${status}`
    } catch (error) {
      return `${error}`
    }
  }
  return { ...system, agent, lasting, topUps, failed, buy }
}

type Given = Awaited<ReturnType<typeof given>>

function holds(t: ExecutionContext, { agent, receiver, lasting, topUps, failed }: Given): void {
  t.deepEqual(agent.behaviour(), [])
  t.deepEqual(failed, [])
  if (lasting === 0) t.true(topUps.length > purchases / 20, `${topUps.length} top-ups`)
  const sold = [...receiver.book.all()].map(({ claims }) => claims.highest)
  t.is(
    sold.reduce((sum, each) => sum + each, 0n),
    BigInt(purchases) * price,
  )
}

for (const [bound, lasting] of [
  ['require', 0],
  ['off', 0],
  ['require', week],
] as const) {
  const how = `bound: ${bound}, ${lasting === 0 ? 'a few payments' : 'a week'} in a deposit`
  test(`${purchases} purchases one after the other, ${how}`, async (t) => {
    const system = await given(t, lasting, { bound })
    const outcomes = new Set<string>()
    for (let index = 0; index < purchases; index++) outcomes.add(await system.buy(index))
    t.deepEqual([...outcomes], ['200'])
    holds(t, system)
  })

  test(`${purchases} purchases, sixteen at a time, ${how}`, async (t) => {
    const system = await given(t, lasting, { bound })
    const outcomes = new Set<string>()
    let next = 0
    const buyers = Array.from({ length: 16 }, async () => {
      while (next < purchases) outcomes.add(await system.buy(next++))
    })
    await Promise.all(buyers)
    t.deepEqual([...outcomes], ['200'])
    holds(t, system)
  })
}
