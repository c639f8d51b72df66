// Purchases with all defaults on a chain with a block every 12 seconds: none fails because of our own top-ups.
// No second passes: each block is mined, 12 seconds after the one before, once everybody waits for it.
// The suite buys a few; PURCHASES=2000 npx ava test/e2e/slow-blocks.test.ts buys as many as that.
import test, { type ExecutionContext } from 'ava'
import type { Agent, AgentOptions } from '../../agent/index.ts'
import { Upkeep } from '../../agent/program/daemon/upkeep.ts'
import { startSystem } from '../support/system.ts'

const purchases = Number(process.env.PURCHASES ?? 40)
const price = 1n
/** Blocks are mined so much faster than 12 seconds each; all that waits by itself waits so much shorter. */
const shorter = { retryInterval: 10 }

async function given(t: ExecutionContext, options: Partial<AgentOptions> = {}) {
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
    onChannelChange: (_, { kind }) => void (kind === 'toppedUp' && topUps.push(kind)),
  })
  const failed: unknown[] = []
  const upkeep = new Upkeep({
    shared: {
      current: () => agent,
      use: <Value>(work: (each: Agent) => Promise<Value>) => work(agent),
    } as never,
    interval: 60_000,
    onFailed: (_, error) => void failed.push(error),
  })
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
  return { ...system, agent, topUps, failed, buy }
}

type Given = Awaited<ReturnType<typeof given>>

function holds(t: ExecutionContext, { agent, receiver, topUps, failed }: Given): void {
  t.deepEqual(agent.behaviour(), [])
  t.deepEqual(failed, [])
  t.true(topUps.length > purchases / 20, `${topUps.length} top-ups`)
  const sold = [...receiver.book.all()].map(({ claims }) => claims.highest)
  t.is(
    sold.reduce((sum, each) => sum + each, 0n),
    BigInt(purchases) * price,
  )
}

for (const bound of ['require', 'off'] as const) {
  test(`${purchases} purchases one after the other, bound: ${bound}`, async (t) => {
    const system = await given(t, { bound })
    const outcomes = new Set<string>()
    for (let index = 0; index < purchases; index++) outcomes.add(await system.buy(index))
    t.deepEqual([...outcomes], ['200'])
    holds(t, system)
  })

  test(`${purchases} purchases, sixteen at a time, bound: ${bound}`, async (t) => {
    const system = await given(t, { bound })
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
