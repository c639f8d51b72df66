// A purchase of which nothing is new — the channel is open, the terms are known, the answer is 200 — runs
// through few files, so that it can be read as a whole.
import test from 'ava'
import { executedFiles } from '../support/executed-files.ts'
import { agentWithChannel, asks, lyingReceiver, serves } from '../support/lying-receiver.ts'

const features = new Set(['parallel', 'idempotency', 'eip712', 'relay'] as const)

test('the agent’s side: at most ten files besides protocol and platform', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment }) =>
    payment === undefined ? asks({ features }) : serves({ features, cost: 5n }),
  )
  const agent = await agentWithChannel(t, { reservation: 16, budget: { total: 900n } })
  for (let i = 0; i < 3; i++) await agent.get(receiver.url)
  const executed = await executedFiles(async () => {
    const { status, payment, roundTrips } = await agent.get(receiver.url)
    t.deepEqual([status, payment?.balance, roundTrips], [200, 20n, 1])
  })
  const files = executed.filter((path) => path.startsWith('agent/'))
  t.log(files.join('\n'))
  t.true(files.includes('agent/purchase/states.ts'))
  t.true(files.length <= 10, `${files.length} files`)
})
