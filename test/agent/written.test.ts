import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { type CreateAgentOptions, createAgent } from '../../agent/index.ts'
import { checkedOptions, readAmounts } from '../../agent/written.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex } from '../../protocol/index.ts'
import { startReceiver } from '../../receiver/index.ts'
import { startSystem } from '../support/system.ts'

const unread: CreateAgentOptions = {
  ...{
    signer: createKeySigner(new Uint8Array(32).fill(1)),
    rpcUrl: 'http://127.0.0.1:1',
    chainId: 1,
  },
  ...{ contract: `0x${'11'.repeat(20)}`, store: '/nowhere' },
}

type System = Awaited<ReturnType<typeof startSystem>>

function given({ chain, contract, folder }: System) {
  const { rpcUrl, chainId } = chain
  const key = { file: join(folder, 'sender-key') }
  return {
    ...{ rpcUrl, key, chainId: Number(chainId), contract: contract.toLowerCase() },
    ...{ store: join(folder, 'written'), retryInterval: 20 },
  } satisfies CreateAgentOptions
}

async function writeKey({ folder, senderAccount }: System): Promise<void> {
  const file = join(folder, 'sender-key')
  await writeFile(file, senderAccount.privateKey)
  await chmod(file, 0o600)
}

test('an agent buys with a key file, an address in small letters and amounts as texts', async (t) => {
  const system = await startSystem(t)
  await writeKey(system)
  const options = {
    ...given(system),
    receivers: [system.receiver.address.toLowerCase()],
    budget: { request: '0.000000000000000005 TKN', total: '9 units' },
    deposit: { open: '8 units', most: '20 units' },
  }
  const agent = await createAgent(options)
  t.teardown(agent.stop)
  const { payment } = await agent.get(`${system.base}/reading`, { mostPrice: '5 units' })
  t.is(payment?.cost, 5n)
  t.is(agent.channels()[0]?.deposit, 8n)
  await t.throwsAsync(agent.get(`${system.base}/reading`, { mostPrice: '4 units' }), {
    code: 'price_over_cap',
  })
  await t.throwsAsync(agent.get(`${system.base}/reading`, { mostPrice: '4 EUR' }), {
    code: 'wrong_token',
    message: /^mostPrice: /,
  })
  await t.throwsAsync(agent.get(`${system.base}/reading`), { code: 'budget_total_spent' })
  await agent.stop()

  // What the token is, the store knows by now: no node is asked.
  const again = await createAgent({ ...options, rpcUrl: 'http://127.0.0.1:1' })
  t.is(again.budget().total, 9n)
  await again.stop()
})

for (const [name, wrong, expected] of [
  ['the contract', { contract: '0x12' }, { code: 'not_an_address', message: /^contract: / }],
  ['a receiver', { receivers: ['shop'] }, { code: 'not_an_address', message: /^receivers\[0\]: / }],
  [
    'a receiver’s budget',
    { budget: { receivers: { shop: { day: 1n } } } },
    { code: 'not_an_address', message: /^budget\.receivers: / },
  ],
  ['a cap', { budget: { day: '1 EUR' } }, { code: 'wrong_token', message: /^budget\.day: / }],
  [
    'a job’s cap',
    { budget: { jobs: { load: { hour: 'x' } } } },
    { code: 'not_an_amount', message: /^budget\.jobs\.load\.hour: / },
  ],
  [
    'a deposit',
    { deposit: { topUp: '1,5' } },
    { code: 'not_an_amount', message: /^deposit\.topUp/ },
  ],
] as const) {
  test(`what is wrong is said with its name, and the store is free again: ${name}`, async (t) => {
    const system = await startSystem(t)
    await writeKey(system)
    await t.throwsAsync(createAgent({ ...given(system), ...wrong }), expected)
    const agent = await createAgent(given(system))
    await agent.stop()
  })
}

test('caps of assets beside the token stay what they are', async (t) => {
  const dollar = {
    unit: { symbol: 'USDC', decimals: 6 },
    request: 3n,
    day: 5n,
    jobs: { a: { hour: 2n } },
  }
  const { budget } = await readAmounts(
    await checkedOptions({ ...unread, budget: { day: 1n, assets: { USDC: dollar } } }),
    async () => t.fail('the store was read for nothing') as undefined,
  )
  t.deepEqual(budget?.assets, { USDC: dollar })
})

test('a receiver too takes a key file and a contract in small letters', async (t) => {
  const { chain, contract, folder, receiverAccount } = await startSystem(t)
  const file = join(folder, 'receiver-key')
  await writeFile(file, receiverAccount.privateKey, { mode: 0o600 })
  const options = {
    ...{ rpcUrl: chain.rpcUrl, chainId: Number(chain.chainId), key: { file } },
    ...{ state: join(folder, 'second'), verifierThreads: 1, confirmations: 1 },
  }
  const receiver = await startReceiver({ ...options, contract: contract.toLowerCase() })
  t.is(receiver.address, createKeySigner(fromHex(receiverAccount.privateKey)).address)
  t.is(receiver.contract, contract)
  await receiver.stop()
  await t.throwsAsync(startReceiver({ ...options, contract: 'here' }), {
    code: 'not_an_address',
    message: /^contract: /,
  })
})
