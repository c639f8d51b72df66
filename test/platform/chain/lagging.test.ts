// Nodes that lag within themselves: they know the count of an account before its transactions, or have a
// transaction that they do not show. What is only not known is not taken for lost.
import type { ExecutionContext } from 'ava'
import anyTest, { type TestFn } from 'ava'
import {
  connectChain,
  createTransactionSender,
  type JournalEntry,
  type SenderOptions,
} from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../lab/chains/embedded-chain.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'

const test = anyTest as TestFn<{ embedded: EmbeddedChain; deployed: DeployedContracts }>

test.before(async (t) => {
  const embedded = await startEmbeddedChain()
  t.context = { embedded, deployed: await deployTestContracts(embedded.wallet(0)) }
})
test.after.always((t) => t.context.embedded.close())

type Context = ExecutionContext<{ embedded: EmbeddedChain; deployed: DeployedContracts }>
type Decide = (call: RpcCall) => Fault | undefined

const operation = 'open/1'

/** A process of its own over the same journal. */
async function given(
  t: Context,
  decide: Decide,
  options: Partial<SenderOptions> & { readonly entries?: Map<string, JournalEntry> } = {},
) {
  const { embedded, deployed } = t.context
  const { entries = new Map<string, JournalEntry>(), ...sending } = options
  const node = await startFaultyRpc(t, embedded.rpcUrl, decide)
  const chain = await connectChain({ rpcUrl: node.url, contract: deployed.channelsAddress })
  t.teardown(() => chain.close())
  const signer = createKeySigner(fromHex(embedded.accounts[0]?.privateKey ?? '0x'))
  const journal = {
    put: async (name: string, entry: JournalEntry) => void entries.set(name, entry),
    get: async (name: string) => entries.get(name),
    delete: async (name: string) => void entries.delete(name),
  }
  const sender = createTransactionSender({ chain, signer, journal, pollInterval: 10, ...sending })
  const receiver = embedded.accounts[1]?.address ?? signer.address
  const parties = { sender: signer.address, receiver }
  const count = () => embedded.provider.getTransactionCount(signer.address)
  const { token } = await chain.contractFacts()
  const open = chain.calls.openErc223(token, { ...parties, deposit: 3n })
  return { sender, count, entries, open, node, chain, token }
}

const on =
  (methods: readonly string[], fault: Fault): Decide =>
  ({ method }) =>
    methods.includes(method) ? fault : undefined

const noReceipts: readonly (readonly [string, Decide])[] = [
  ['null', on(['eth_getTransactionReceipt'], { answer: null })],
  [
    'null, nor the transaction',
    on(['eth_getTransactionReceipt', 'eth_getTransactionByHash'], { answer: null }),
  ],
  [
    'an error, as it indexes',
    on(['eth_getTransactionReceipt', 'eth_getTransactionByHash'], {
      refuse: 'transaction indexing is in progress',
    }),
  ],
  ['nothing', on(['eth_getTransactionReceipt'], { answer: undefined })],
]

for (const [title, decide] of noReceipts) {
  test.serial(`an opening is found by its event where the receipt is ${title}`, async (t) => {
    const { sender, count, entries, open } = await given(t, decide)
    const before = await count()
    const receipt = await sender.send(open, 1, operation)
    t.like(receipt.events[0], { kind: 'created', deposit: 3n })
    t.true(receipt.fee > 0n)
    t.is(await count(), before + 1)
    t.is(entries.size, 0)
  })

  test.serial(`a later process takes it up where the receipt is ${title}`, async (t) => {
    // No event either: nothing is known while the first process lives.
    const blind = (call: RpcCall) => on(['eth_getLogs'], { answer: [] })(call) ?? decide(call)
    const first = await given(t, blind, { timeout: 0 })
    const { entries } = first
    const before = await first.count()
    const unconfirmed = { code: 'transaction_unconfirmed' } as const
    await t.throwsAsync(first.sender.send(first.open, 1, operation), unconfirmed)
    const second = await given(t, blind, { timeout: 0, entries })
    await t.throwsAsync(second.sender.resume(operation), unconfirmed)
    t.true(entries.has(operation))
    await t.throwsAsync(second.sender.send(second.open, 1, operation), unconfirmed)
    t.is(await second.count(), before + 1)
    const third = await given(t, decide, { entries })
    t.like((await third.sender.resume(operation))?.events[0], { kind: 'created' })
    t.is(entries.size, 0)
  })
}

test.serial('a note of an older version, without its block, is taken up too', async (t) => {
  const first = await given(t, on(['eth_getTransactionReceipt', 'eth_getLogs'], { answer: [] }), {
    timeout: 0,
  })
  const { entries } = first
  await t.throwsAsync(first.sender.send(first.open, 1, operation))
  const { since: _, ...older } = entries.get(operation) as JournalEntry
  entries.set(operation, older)
  const second = await given(t, on(['eth_getTransactionReceipt'], { answer: null }), { entries })
  t.like((await second.sender.resume(operation))?.events[0], { kind: 'created' })
})

test.serial('what logs nothing waits for its receipt, and is not sent again', async (t) => {
  let isHidden = true
  const decide: Decide = ({ method }) =>
    isHidden && method === 'eth_getTransactionReceipt' ? { answer: null } : undefined
  const { sender, chain, token, count, entries } = await given(t, decide, { timeout: 0 })
  const before = await count()
  const approve = chain.calls.approve(token, 1n)
  await t.throwsAsync(sender.send(approve, 1, operation), { code: 'transaction_unconfirmed' })
  await t.throwsAsync(sender.resume(operation), { code: 'transaction_unconfirmed' })
  isHidden = false
  t.truthy(await sender.resume(operation))
  t.is(await count(), before + 1)
  t.is(entries.size, 0)
})

const takenWords = [
  'already known',
  'AlreadyKnown',
  'ALREADY_EXISTS: already known',
  'known transaction: 0xab',
  'Transaction with the same hash was already imported.',
  'nonce too low: next nonce 9, tx nonce 8',
  'Nonce too low. Expected nonce to be 9 but got 8.',
  'OldNonce, Current nonce: 9, nonce of rejected tx: 8',
  'Transaction nonce is too low. Try incrementing the nonce.',
]

for (const message of takenWords) {
  test.serial(`“${message}” of our own transaction is no refusal`, async (t) => {
    const { embedded } = t.context
    let shown = 0
    const { sender, count, entries, open } = await given(t, ({ method, params }) => {
      if (method === 'eth_sendRawTransaction') {
        // The node takes it, and the answer comes from another one.
        void embedded.provider.send(method, [...params])
        return { refuse: message }
      }
      return method === 'eth_getTransactionByHash' && shown++ < 3 ? { answer: null } : undefined
    })
    const before = await count()
    t.like((await sender.send(open, 1, operation)).events[0], { kind: 'created' })
    t.is(await count(), before + 1)
    t.is(entries.size, 0)
  })
}

test.serial('a nonce that another program took in the meantime: nothing happened', async (t) => {
  const { embedded } = t.context
  let stale = ''
  const { sender, count, entries, open } = await given(t, ({ params }) =>
    params.includes('pending') ? { answer: stale } : undefined,
  )
  stale = `0x${(await count()).toString(16)}`
  const wallet = embedded.wallet(0)
  await (await wallet.sendTransaction({ to: wallet.address })).wait()
  const sent = sender.send(open, 1, operation)
  await t.throwsAsync(sent, { code: 'transaction_refused' })
  t.is(entries.size, 0)
})

for (const [title, blocks, decide, isLost] of [
  ['in the newest block', 0, () => undefined, true],
  ['a few blocks ago', 5, () => undefined, true],
  ['a few blocks ago, at a node without history', 5, history(0), false],
  ['long ago', 121, () => undefined, true],
  [
    'long ago, at a node that still indexes',
    121,
    on(['eth_getTransactionReceipt', 'eth_getTransactionByHash'], { refuse: 'indexing' }),
    false,
  ],
] as readonly (readonly [string, number, Decide, boolean])[]) {
  test.serial(`a nonce that was taken by another transaction ${title}`, async (t) => {
    const { embedded } = t.context
    const first = await given(t, () => undefined)
    const nonce = await first.count()
    const wallet = embedded.wallet(0)
    await (await wallet.sendTransaction({ to: wallet.address })).wait()
    for (let mined = 0; mined < blocks; mined++) await embedded.provider.send('evm_mine', [])
    const lost = { hash: `0x${'ab'.repeat(32)}`, serialized: '0x' } as const
    const entries = new Map([[operation, { nonce, transactions: [lost] }]])
    const { sender } = await given(t, decide, { entries, timeout: 0 })
    if (isLost) t.is(await sender.resume(operation), undefined)
    else await t.throwsAsync(sender.resume(operation), { code: 'transaction_unconfirmed' })
    t.is(entries.has(operation), !isLost)
  })
}

/** A node that knows the state of its newest blocks only. */
function history(blocks: number): Decide {
  return ({ method, params }) =>
    method === 'eth_getTransactionCount' && String(params[1]).startsWith('0x') && blocks === 0
      ? { refuse: 'missing trie node' }
      : undefined
}

test.serial('a node that refuses “pending” is asked for the latest count', async (t) => {
  for (const fault of [
    { refuse: 'pending block is not available' },
    { error: { code: -32602, message: 'invalid argument 1' }, with: 400 },
  ] as const) {
    const { sender, count, open } = await given(t, ({ params }) =>
      params.includes('pending') ? fault : undefined,
    )
    const before = await count()
    const receipts = await Promise.all([sender.send(open), sender.send(open)])
    t.is(new Set(receipts.map(({ transaction }) => transaction)).size, 2)
    t.is(await count(), before + 2)
  }
})

for (const [message, code] of [
  ['insufficient funds for gas * price + value', 'ether_missing'],
  ['txpool is full', 'transaction_refused'],
] as const) {
  test.serial(`“${message}” with HTTP status 400 is told at once`, async (t) => {
    const error = { code: -32000, message }
    const refuse = on(['eth_sendRawTransaction'], { error, with: 400 })
    const { sender, open, entries } = await given(t, refuse)
    await t.throwsAsync(sender.send(open, 1, operation), { code })
    t.is(entries.size, 0)
  })
}

test.serial('a rate limit is not the contract’s word that there is no channel', async (t) => {
  const parties = t.context.embedded.accounts.map(({ address }) => address)
  const [sender, receiver] = parties as [(typeof parties)[0], (typeof parties)[0]]
  const cases = [
    [{ error: { code: -32005, message: 'limit exceeded' } }, 'chain_unavailable'],
    [{ refuse: 'internal error' }, 'rpc_error'],
    [{ refuse: 'header not found' }, 'rpc_error'],
  ] as const
  for (const [fault, code] of cases) {
    const { chain } = await given(t, ({ method, params }) => {
      const { data } = (params[0] ?? {}) as { readonly data?: string }
      return method === 'eth_call' && data?.length === 202 ? fault : undefined
    })
    await t.throwsAsync(chain.channelInfo({ sender, receiver, openBlock: 1 }), { code })
  }
})
