// An opening that was signed may be sent by whoever has seen it, as long as it is good: no second deposit may come of it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import anyTest, { type ExecutionContext } from 'ava'
import { id, Transaction } from 'ethers'
import { type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { startTokenSystem, tokenOf } from '../../support/token-system.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

const deposit = 10n ** 18n

async function given(t: ExecutionContext) {
  const made = await startTokenSystem(t, tokenOf('AuthorizingToken'), '0.005', { relay: {} })
  const { system, client } = made
  const { chain, senderAccount, base } = system
  const setEther = (wei: bigint) =>
    chain.provider.send('hardhat_setBalance', [senderAccount.address, `0x${wei.toString(16)}`])
  await setEther(0n)
  const opened = async () => {
    const { number: to } = await client.head()
    const events = await client.events({ from: 0, to, sender: senderAccount.address as never })
    return events.filter(({ kind }) => kind === 'created').length
  }
  const post = (body: string) =>
    fetch(`${base}/api/1/relay/open`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
  return { ...system, setEther, opened, post }
}

/**
 * A receiver's channel API that keeps the openings that it is asked for. `takes`: what it says that it sends, or the
 * status with which it knows no such question.
 */
async function startKeeper(
  t: ExecutionContext,
  {
    takes,
    answers,
  }: { readonly takes: readonly string[] | 404; readonly answers: number | 'never' },
) {
  const kept: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET') {
      response.statusCode = takes === 404 ? 404 : 200
      return void response.end(JSON.stringify({ open: takes }))
    }
    kept.push(Buffer.concat(chunks).toString())
    if (answers === 'never') return void response.destroy()
    response.statusCode = answers
    response.end(JSON.stringify({ detail: 'no' }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { kept, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** An agent signs an opening, somebody keeps it, and the agent's process ends. */
async function signedAndKept(
  t: ExecutionContext,
  answers: 400 | 'never',
  takes = ['authorization', 'permit'],
) {
  const system = await given(t)
  const keeper = await startKeeper(t, { takes, answers })
  const first = await system.agent()
  const to = system.receiverAccount.address as never
  await t.throwsAsync(first.openChannel(to, deposit, keeper.url))
  await first.stop()
  const [kept = ''] = keeper.kept
  t.is('authorization' in JSON.parse(kept), takes.includes('authorization'))
  return { ...system, to, kept }
}

for (const answers of [400, 'never'] as const) {
  test(`kept and sent later (${answers}): the second opening has taken its place`, async (t) => {
    const { agent, base, to, kept, post, opened, tokensOf, contract } = await signedAndKept(
      t,
      answers,
    )
    const second = await agent()
    await second.openChannel(to, 2n * deposit, base)
    t.is((await post(kept)).status, 400)
    t.is(await opened(), 1)
    t.is(await tokensOf(contract), 2n * deposit)
    t.like(second.channels(), [{ deposit: 2n * deposit }])
  })

  test(`kept and sent while the agent was off (${answers}): it is found`, async (t) => {
    const { agent, base, to, kept, post, opened, chain } = await signedAndKept(t, answers)
    const { transaction_hash } = (await (await post(kept)).json()) as Record<string, string>
    await chain.provider.waitForTransaction(transaction_hash ?? '')
    const second = await agent()
    await second.get(`${base}/reading`)
    t.is(await opened(), 1)
    t.like(second.channels(), [{ receiver: to, deposit }])
  })
}

for (const form of ['authorization', 'permit'] as const) {
  test(`${form} kept, and meanwhile the account has ether: what it sends itself is no second deposit`, async (t) => {
    const { agent, to, kept, post, opened, setEther, tokensOf, contract } = await signedAndKept(
      t,
      'never',
      [form],
    )
    await setEther(10n ** 18n)
    const second = await agent({ funding: 'approve' })
    await second.openChannel(to, deposit)
    t.is((await post(kept)).status, 400)
    t.is(await opened(), 1)
    t.is(await tokensOf(contract), deposit)
    // What is done is forgotten, and the next one opens as configured.
    await second.openChannel(to, deposit)
    t.is(await opened(), 2)
  })
}

test('kept until it is over: the next one opens as configured', async (t) => {
  const { agent, to, kept, post, opened, setEther, chain } = await signedAndKept(t, 'never')
  await setEther(10n ** 18n)
  await chain.provider.send('evm_increaseTime', [3601])
  await chain.mine(1)
  const second = await agent({ funding: 'approve' })
  await second.openChannel(to, deposit)
  const block = await chain.provider.getBlock('latest', true)
  const create = id('createChannel(address,uint192)').slice(0, 10)
  t.true(block?.prefetchedTransactions[0]?.data.startsWith(create))
  t.is((await post(kept)).status, 400)
  t.is(await opened(), 1)
})

test('who sees an authorization on its way and sends it first opens the same channel', async (t) => {
  const { agent, base, chain, opened, setEther } = await given(t)
  await setEther(10n ** 18n)
  let isFirst = true
  const node = await startFaultyRpc(t, chain.rpcUrl, async ({ method, params }: RpcCall) => {
    if (method !== 'eth_sendRawTransaction' || !isFirst) return undefined
    isFirst = false
    const { to, data } = Transaction.from(String(params[0]))
    await (await chain.wallet(3).sendTransaction({ to, data, gasLimit: 200_000n })).wait()
    return undefined
  })
  const buyer = await agent({ rpcUrl: node.url, funding: 'authorization' })
  t.is((await buyer.get(`${base}/reading`)).status, 200)
  t.is(await opened(), 1)
  t.is(buyer.channels().length, 1)
  t.is((await buyer.get(`${base}/reading`)).status, 200)
})

test('a receiver of before is asked for what it knows, and sees no authorization', async (t) => {
  const { agent, receiverAccount } = await given(t)
  const keeper = await startKeeper(t, { takes: 404, answers: 400 })
  const buyer = await agent()
  const opening = buyer.openChannel(receiverAccount.address as never, deposit, keeper.url)
  await t.throwsAsync(opening, { code: 'relay_refused' })
  const [kept = '{}'] = keeper.kept
  t.like(JSON.parse(kept), { deposit: `${deposit}`, authorization: undefined })
  t.is(typeof JSON.parse(kept).open_signature, 'string')
})

test('a token without authorizations: `funding: authorization` says so and sends nothing', async (t) => {
  const { system } = await startTokenSystem(t, tokenOf('UsdcToken'), '0.005')
  const { agent, chain, senderAccount, receiverAccount } = system
  const buyer = await agent({ funding: 'authorization' })
  await t.throwsAsync(buyer.openChannel(receiverAccount.address as never, 5n), {
    code: 'authorizations_not_taken',
  })
  t.is(await chain.provider.getTransactionCount(senderAccount.address), 0)
})
