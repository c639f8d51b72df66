// A receiver that has not seen a deposit yet is waited for, whatever became of the agent meanwhile, and nothing
// of it counts against the receiver.
import { join } from 'node:path'
import test from 'ava'
import type { Agent } from '../../agent/index.ts'
import { crashCopy } from '../support/folder.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

type System = Awaited<ReturnType<typeof startSystem>>

interface Situation {
  readonly when: string
  /** The agent after that, on the store of the one before. */
  readonly next: (system: System, before: Agent, bound: 'off' | 'require') => Promise<Agent>
}

const situations: readonly Situation[] = [
  { when: 'the process goes on', next: async (_, before) => before },
  {
    when: 'it was stopped',
    next: async ({ agent }, before, bound) => {
      await before.stop()
      return agent({ bound })
    },
  },
  {
    when: 'it was killed',
    next: async ({ agent, folder }, before, bound) => {
      const store = await crashCopy(join(folder, 'agent'), join(folder, 'crashed'))
      await before.stop()
      return agent({ bound, store })
    },
  },
]

const lost: Situation = {
  when: 'its disk was lost',
  next: async ({ agent, folder }, before, bound) => {
    await before.stop()
    const found = await agent({ bound, store: join(folder, 'new') })
    await found.recoverChannels()
    return found
  },
}

for (const bound of ['off', 'require'] as const) {
  for (const { when, next } of situations) {
    test(`a top-up that the receiver has not seen, and ${when}, bound: ${bound}`, async (t) => {
      const system = await startSystem(t, undefined, { confirmations: 3, pollInterval: 10 })
      const { base, chain } = system
      const url = `${base}/reading`
      const first = await system.agent({ bound, deposit: { open: () => 4n * price } })
      const opened = first.get(url)
      await until(() => first.channels().length > 0)
      await chain.mine(2)
      t.is((await opened).status, 200)
      const [channel] = first.channels()
      await first.topUp(`${channel?.receiver}/${channel?.openBlock}` as never, 4n * price)
      // What the deposit before it covers is served at once, and says nothing of the top-up.
      t.is((await first.get(url)).status, 200)
      const agent = await next(system, first, bound)
      for (let payment = 3; payment <= 4; payment++) t.is((await agent.get(url)).status, 200)
      const waiting = [agent.get(url), agent.get(url)]
      await chain.mine(2)
      for (const each of waiting) t.is((await each).status, 200)
      t.deepEqual(agent.behaviour(), [])
      const [claims] = [...system.receiver.book.all()].map((each) => each.claims)
      t.deepEqual(claims, { highest: 6n * price, unclaimed: [] })
    })
  }

  for (const { when, next } of [...situations, lost]) {
    test(`a channel that the receiver has not seen, and ${when}, bound: ${bound}`, async (t) => {
      const system = await startSystem(t, undefined, { confirmations: 3, pollInterval: 10 })
      const { base, chain, receiverAccount } = system
      const first = await system.agent({ bound })
      await first.openChannel(receiverAccount.address, 10n * price)
      const agent = await next(system, first, bound)
      const waiting = agent.get(`${base}/reading`)
      await chain.mine(2)
      t.is((await waiting).status, 200)
      t.deepEqual(agent.behaviour(), [])
      t.is(agent.channels().length, 1)
    })
  }
}
