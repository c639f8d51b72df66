// The program that is killed: buys by x402, one request after the other, each under a key of its own, until a budget
// stops it. Says on standard output, line by line in JSON, what its parent needs to know.
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import { fromHex, isUraidenError, parseAddress } from '../../../protocol/index.ts'
import type { BuyingOrders, BuyingReport } from './reports.ts'

const orders: BuyingOrders = JSON.parse(process.argv[2] ?? '{}')
const unit = { symbol: 'USD', decimals: 6 }
const agent = await createAgent({
  signer: createKeySigner(fromHex(orders.key)),
  rpcUrl: orders.rpcUrl,
  chainId: 31_337n,
  // No channel is used: there is none.
  contract: parseAddress(orders.asset),
  store: orders.store,
  clock: 'trusted',
  budget: { assets: { USD: { unit, total: BigInt(orders.total) } } },
  x402: {
    assets: [
      {
        ...{ name: 'USD', address: parseAddress(orders.asset), chainId: 31_337n, decimals: 6 },
        ...{ rpcUrl: [orders.rpcUrl], confirmations: 1 },
      },
    ],
    planFor: () => ({ dialects: ['x402'] }),
  },
})

/** Whatever came of them, nothing more may be paid for these requests. */
const over = ['payment_spent', 'receiver_left_alone']

report('started', orders.first)
for (let request = orders.first; ; request++) {
  report('asking', request)
  if (!(await bought(request))) break
}
await agent.stop()
process.exit(0)

/** False once the budget is spent. */
async function bought(request: number): Promise<boolean> {
  for (;;) {
    try {
      await agent.get(`${orders.url}?${request}`, { idempotencyKey: `${request}` })
      return true
    } catch (error) {
      if (isUraidenError(error, 'budget_total_spent')) {
        report('stopped', request)
        return false
      }
      if (!isUraidenError(error)) throw error
      if (over.includes(error.code)) return true
      // The chain has not said yet what became of it, or the answer was lost: the same is asked again.
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

function report(event: BuyingReport['event'], request: number): void {
  const [limit] = agent.budget().limits.filter(({ scope }) => scope === 'asset/USD')
  const said: BuyingReport = { event, request, counted: `${limit?.used ?? 0n}` }
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
