// A process that ends while a transaction is on its way: the next one takes it up. Nothing is sent twice,
// and no channel stays unknown.
import test, { type ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import { connectChain } from '../../platform/chain/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../support/faulty-rpc.ts'
import { startSystem } from '../support/system.ts'
import { startTokenSystem, tokenOf } from '../support/token-system.ts'
import { until } from '../support/until.ts'

/** How far the transaction gets before the process ends. */
const cuts: readonly { readonly when: string; readonly fault: Fault | undefined }[] = [
  { when: 'before the node has it', fault: 'loseRequest' },
  { when: 'before the node has answered', fault: 'loseAnswer' },
  { when: 'before it is seen in a block', fault: undefined },
]

type System = Pick<
  Awaited<ReturnType<typeof startSystem>>,
  'base' | 'agent' | 'chain' | 'contract' | 'senderAccount'
>

/** A node that shows no receipt, and treats the first transaction as the case says. */
async function blindNode(t: ExecutionContext, { chain }: System, fault: Fault | undefined) {
  let met = false
  const decide = ({ method }: RpcCall): Fault | undefined => {
    if (method === 'eth_getTransactionReceipt') return 'loseRequest'
    // The waiting process would send it again at once.
    if (method === 'eth_getTransactionByHash') return 'loseRequest'
    if (method !== 'eth_sendRawTransaction' || met) return undefined
    met = true
    return fault
  }
  return startFaultyRpc(t, chain.rpcUrl, decide)
}

/** Runs `work` until it waits for a receipt, and ends the process. */
async function cutOff(
  t: ExecutionContext,
  agent: Agent,
  node: Awaited<ReturnType<typeof blindNode>>,
  work: Promise<unknown>,
): Promise<void> {
  const ended = t.throwsAsync(work, { code: 'chain_closed' })
  await until(() => node.calls.some(({ method }) => method === 'eth_getTransactionReceipt'))
  await agent.stop()
  await ended
}

async function eventsOf(t: ExecutionContext, { chain, contract, senderAccount }: System) {
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const { number: to } = await client.head()
  const events = await client.events({ from: 0, to, sender: senderAccount.address })
  return events.map(({ kind }) => kind)
}

for (const { when, fault } of cuts) {
  test(`ended while opening, ${when}: the next process pays on that channel`, async (t) => {
    const system = await startSystem(t)
    const node = await blindNode(t, system, fault)
    const first = await system.agent({ rpcUrl: node.url })
    await cutOff(t, first, node, first.get(`${system.base}/reading`))
    const second = await system.agent({})
    const { status, payment } = await second.get(`${system.base}/reading`)
    t.like({ status, balance: payment?.balance }, { status: 200, balance: 5n })
    t.deepEqual(await eventsOf(t, system), ['created'])
    t.like(second.channels(), [{ deposit: 50n, state: 'open' }])
  })

  test(`ended while topping up, ${when}: the deposit is counted once`, async (t) => {
    const system = await startSystem(t)
    const opened = await system.agent({})
    const name = await opened.openChannel(system.receiverAccount.address, 20n)
    await opened.stop()
    const node = await blindNode(t, system, fault)
    const first = await system.agent({ rpcUrl: node.url })
    await cutOff(t, first, node, first.topUp(name, 7n))
    const second = await system.agent({})
    await second.settle()
    t.deepEqual(await eventsOf(t, system), ['created', 'toppedUp'])
    t.like(second.channels(), [{ deposit: 27n, state: 'open' }])
  })

  test(`ended while requesting a close, ${when}: the channel is closing`, async (t) => {
    const system = await startSystem(t)
    const opened = await system.agent({})
    const name = await opened.openChannel(system.receiverAccount.address, 20n)
    await opened.stop()
    const node = await blindNode(t, system, fault)
    const first = await system.agent({ rpcUrl: node.url })
    await cutOff(t, first, node, first.closeChannel(name, {}))
    const second = await system.agent({})
    await second.settle()
    t.deepEqual(await eventsOf(t, system), ['created', 'closeRequested'])
    t.like(second.channels(), [{ state: 'closing' }])
  })
}

for (const { when, fault } of cuts) {
  test(`ended while opening with an authorization, ${when}: the next process pays on that channel`, async (t) => {
    const { system, price } = await startTokenSystem(t, tokenOf('AuthorizingToken'), '0.005')
    const node = await blindNode(t, system, fault)
    const first = await system.agent({ rpcUrl: node.url, funding: 'authorization' })
    await cutOff(t, first, node, first.get(`${system.base}/reading`))
    const second = await system.agent({ funding: 'authorization' })
    const { status, payment } = await second.get(`${system.base}/reading`)
    t.like({ status, balance: payment?.balance }, { status: 200, balance: price })
    t.deepEqual(await eventsOf(t, system), ['created'])
    t.like(second.channels(), [{ deposit: 10n * price, state: 'open' }])
  })
}

test('ended while the receiver sends an opening: the next process finds it', async (t) => {
  const system = await startSystem(t, undefined, { relay: {} })
  await system.chain.provider.send('hardhat_setBalance', [system.senderAccount.address, '0x0'])
  const node = await blindNode(t, system, undefined)
  const first = await system.agent({ rpcUrl: node.url })
  await cutOff(t, first, node, first.get(`${system.base}/reading`))
  const second = await system.agent({})
  t.is((await second.get(`${system.base}/reading`)).status, 200)
  t.deepEqual(await eventsOf(t, system), ['created'])
})

test('a transaction that fails on the chain is forgotten, and the next one opens', async (t) => {
  const system = await startSystem(t)
  let fails = true
  const node = await startFaultyRpc(t, system.chain.rpcUrl, ({ method }) => {
    if (method !== 'eth_getTransactionReceipt' || !fails) return undefined
    return {
      change: (receipt) => {
        fails = false
        return { ...(receipt as object), status: '0x0' }
      },
    }
  })
  const agent = await system.agent({ rpcUrl: node.url })
  const reverted = await t.throwsAsync(agent.get(`${system.base}/reading`))
  t.true(isUraidenError(reverted, 'transaction_reverted'))
  t.is((await agent.get(`${system.base}/reading`)).status, 200)
})
