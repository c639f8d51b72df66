// A repeat offers the same interval, whatever became of the process that signed it first.
import { join } from 'node:path'
import test from 'ava'
import type { AgentOptions } from '../../agent/index.ts'
import { crashCopy } from '../support/folder.ts'
import { price, startOriginal } from '../support/original-receiver.ts'
import { price as ourPrice, startSystem } from '../support/system.ts'

const ends = ['stopped', 'killed'] as const

type Start = (
  options: Partial<AgentOptions>,
) => ReturnType<Awaited<ReturnType<typeof startSystem>>['agent']>

/** Four processes that wait in vain, on one store after the other; resolves with the last one's. */
async function waitInVain(
  start: Start,
  { url, folder, how }: { readonly url: string; readonly folder: string; readonly how: string },
): Promise<string> {
  let store = join(folder, 'store-0')
  for (let process = 1; process <= 4; process++) {
    const next = join(folder, `store-${process}`)
    let copied: Promise<string> | undefined
    const agent = await start({
      ...{ store, confirmTimeout: 50 },
      // As a power cut leaves it, while the payment waits.
      hooks: {
        insufficientConfirmations: async () => {
          if (how === 'killed') copied ??= crashCopy(store, next)
          await copied
          return undefined
        },
      },
    })
    await agent.get(url).catch(() => undefined)
    await agent.stop()
    if (copied !== undefined) store = next
  }
  return store
}

for (const how of ends) {
  for (const bound of ['off', 'require'] as const) {
    test(`four processes ${how} while our receiver waits, then three purchases: paid once each, bound: ${bound}`, async (t) => {
      const receiver = { confirmations: 6, pollInterval: 10 }
      const {
        agent,
        base,
        folder,
        chain,
        receiver: seller,
      } = await startSystem(t, undefined, receiver)
      const url = `${base}/reading`
      const store = await waitInVain((options) => agent({ bound, ...options }), {
        url,
        folder,
        how,
      })
      await chain.mine(6)
      await seller.refresh()
      for (let purchase = 0; purchase < 3; purchase++) {
        const buyer = await agent({ bound, store })
        t.is((await buyer.get(url)).status, 200)
        await buyer.stop()
      }
      t.deepEqual(
        [...seller.book.all()].map(({ claims }) => claims),
        [{ highest: 3n * ourPrice, unclaimed: [] }],
      )
    })
  }

  test(`four processes ${how} while an original receiver waits, then three purchases: paid once each`, async (t) => {
    const original = await startOriginal(t, { confirmations: 6 })
    const { url, store: folder, chain } = original
    const start: Start = (options) => original.agent(options)
    const store = await waitInVain(start, { url, folder: join(folder, '..'), how })
    await chain.mine(6)
    for (let purchase = 0; purchase < 3; purchase++) {
      const buyer = await original.agent({ store })
      t.is((await buyer.get(url)).status, 200)
      await buyer.stop()
    }
    t.is(original.registered(), 3n * price)
    t.deepEqual(original.served, [price, price, price])
  })
}
