// Income by x402 is counted apart from that by channel, whose token it need not be.
import test from 'ava'
import { createOps, opsSchema } from '../../../receiver/index.ts'
import { dollarPrice, startX402System } from '../../support/x402.ts'

test('settled payments, what they brought, and nothing of it among the channels', async (t) => {
  const ops = createOps(opsSchema.parse({ metrics: true }))
  t.teardown(ops.stop)
  const { buyer, base, receiver } = await startX402System(t, { server: { ops } })
  t.is((await buyer.buy()).status, 200)
  t.like(receiver.x402?.figures(), { settled: 1, income: dollarPrice })
  const text = await (await fetch(`${base}/metrics`)).text()
  const value = (name: string) => new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  t.is(value('uraiden_x402_settled_total'), '1')
  t.is(value('uraiden_x402_income_total'), '0.01')
  t.is(value('uraiden_x402_settling'), '0')
  t.is(value('uraiden_paid_tokens_total'), '0')
})
