// A seller that makes an agent send transactions, and a node that makes up what they cost.
import test, { type ExecutionContext } from 'ava'
import { channelName } from '../../../agent/channels/records.ts'
import type { AgentOptions } from '../../../agent/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { asks, lyingReceiver } from '../../support/lying-receiver.ts'
import { price, startSystem } from '../../support/system.ts'

const gwei = 10n ** 9n

function nameOf(receiver: string, openBlock = 0) {
  return channelName(parseAddress(receiver), openBlock)
}

/** A seller of one's own on a chain whose transactions are counted, and whose gas costs what the test says. */
async function given(t: ExecutionContext) {
  const system = await startSystem(t)
  let tip: bigint | undefined
  const node = await startFaultyRpc(t, system.chain.rpcUrl, ({ method }) =>
    method === 'eth_maxPriorityFeePerGas' && tip !== undefined
      ? { answer: `0x${tip.toString(16)}` }
      : undefined,
  )
  const tokenAddress = parseAddress(await system.token.getAddress())
  return {
    ...system,
    tokenAddress,
    agent: (options: Partial<AgentOptions> = {}) => system.agent({ rpcUrl: node.url, ...options }),
    sent: () => node.calls.filter(({ method }) => method === 'eth_sendRawTransaction').length,
    costs: (wei: bigint) => {
      tip = wei
    },
  }
}

test('a seller that raises its price in every answer: two deposits a request, and no more locked than was asked', async (t) => {
  const { agent, sent, contract, tokenAddress, receiverAccount } = await given(t)
  let asked = 1n
  const receiver = parseAddress(receiverAccount.address)
  const seller = await lyingReceiver(t, () => {
    asked *= 3n
    return asks({ contract, token: tokenAddress, receiver, price: asked })
  })
  const buyer = await agent({ bound: 'off', deposit: { open: (each) => each } })
  await t.throwsAsync(buyer.get(seller.url), { code: 'deposits_repeated' })
  t.is(sent(), 2)
  const [channel, ...others] = buyer.channels()
  t.deepEqual(others, [])
  t.true((channel?.deposit ?? 0n) <= asked)
})

test('no more is locked at once than the budget allows to spend in a day', async (t) => {
  const { base, agent } = await given(t)
  const buyer = await agent({ budget: { hour: 7n, day: 12n, month: 30n } })
  await buyer.get(`${base}/reading`)
  t.is(buyer.channels()[0]?.deposit, 12n)
})

test('a tip that a node makes up after honest ones: nothing is sent, and a person may', async (t) => {
  const { base, agent, sent, costs, receiverAccount } = await given(t)
  costs(2n * gwei)
  const buyer = await agent({ deposit: { open: () => price, topUp: () => price } })
  await buyer.get(`${base}/reading`)
  t.is(sent(), 1)
  costs(400n * gwei)
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'fee_jump' })
  t.is(sent(), 1)
  t.is(buyer.channels()[0]?.balance, price)
  const [{ openBlock } = { openBlock: 0 }] = buyer.channels()
  await buyer.topUp(nameOf(receiverAccount.address, openBlock), price)
  await buyer.get(`${base}/reading`)
  t.is(sent(), 2)
})

test('ether is spent up to its budget, and then no transaction is sent', async (t) => {
  const { base, agent, sent, costs } = await given(t)
  costs(10n * gwei)
  const options = { deposit: { open: () => price, topUp: () => price } }
  const buyer = await agent({
    ...options,
    budget: { ether: { day: 2n * 10n ** 15n + 10n ** 14n } },
  })
  await buyer.get(`${base}/reading`)
  const [ether] = buyer.budget().transactions
  t.true((ether?.used ?? 0n) > 0n)
  const error = await t.throwsAsync(
    (async () => {
      for (let purchase = 0; purchase < 10; purchase++) await buyer.get(`${base}/reading`)
    })(),
    { code: 'budget_ether_spent' },
  )
  t.regex(error?.message ?? '', /ETH for fees a day/)
  const before = sent()
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'budget_ether_spent' })
  t.is(sent(), before)
})

test('openings are counted over restarts, and the next one is not sent', async (t) => {
  const { base, agent, sent, receiverAccount } = await given(t)
  const budget = { openingsPerReceiver: { day: 2n } }
  for (let opening = 0; opening < 2; opening++) {
    const buyer = await agent({ budget })
    await buyer.get(`${base}/reading`)
    const [open] = buyer.channels().filter(({ state }) => state === 'open')
    await buyer.closeChannel(nameOf(receiverAccount.address, open?.openBlock), base)
    await buyer.stop()
  }
  const before = sent()
  const buyer = await agent({ budget })
  await t.throwsAsync(buyer.get(`${base}/reading`), { code: 'budget_openings_spent' })
  t.is(sent(), before)
})
