import type { ExecutionContext } from 'ava'
import anyTest, { type TestFn } from 'ava'
import { AbiCoder } from 'ethers'
import fc from 'fast-check'
import { chooseFees, replacementFees } from '../../../platform/chain/fees.ts'
import {
  type ChainClient,
  connectChain,
  createTransactionSender,
  type JournalEntry,
  type SenderOptions,
  type TransactionJournal,
} from '../../../platform/chain/index.ts'
import { readInPieces } from '../../../platform/chain/ranges.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, isUraidenError, UraidenError } from '../../../protocol/index.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../lab/chains/embedded-chain.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'
import { until } from '../../support/until.ts'

const test = anyTest as TestFn<{ embedded: EmbeddedChain; deployed: DeployedContracts }>

test.before(async (t) => {
  const embedded = await startEmbeddedChain()
  t.context = { embedded, deployed: await deployTestContracts(embedded.wallet(0)) }
})
test.after.always((t) => t.context.embedded.close())

type Context = ExecutionContext<{ embedded: EmbeddedChain; deployed: DeployedContracts }>

async function given(
  t: Context,
  decide: (call: RpcCall) => Fault | undefined,
  options: Partial<SenderOptions> & {
    readonly account?: number
    readonly rpcTimeout?: number
  } = {},
) {
  const { embedded, deployed } = t.context
  const { account = 0, rpcTimeout = 2000, ...sending } = options
  const node = await startFaultyRpc(t, embedded.rpcUrl, decide)
  const contract = deployed.channelsAddress
  const chain = await connectChain({ rpcUrl: node.url, contract, timeout: rpcTimeout })
  t.teardown(() => chain.close())
  const key = embedded.accounts[account]?.privateKey ?? '0x'
  const signer = createKeySigner(fromHex(key))
  const sender = createTransactionSender({ chain, signer, pollInterval: 10, ...sending })
  const count = () => embedded.provider.getTransactionCount(signer.address)
  return { node, chain, signer, sender, count, approve: approval(chain, deployed) }
}

const approval = (chain: ChainClient, deployed: DeployedContracts) => (amount: bigint) =>
  chain.calls.approve(deployed.tokenAddress, amount)

/** True for the first request of this method only. */
function once(method: string, fault: Fault): (call: RpcCall) => Fault | undefined {
  let done = false
  return (call) => {
    if (call.method !== method || done) return undefined
    done = true
    return fault
  }
}

function memoryJournal(): TransactionJournal & { readonly entries: Map<string, JournalEntry> } {
  const entries = new Map<string, JournalEntry>()
  return {
    entries,
    put: async (operation, entry) => void entries.set(operation, entry),
    get: async (operation) => entries.get(operation),
    delete: async (operation) => void entries.delete(operation),
  }
}

for (const fault of ['loseAnswer', 'loseRequest'] as const) {
  test.serial(`a transaction whose sending met “${fault}” is mined, once`, async (t) => {
    const { sender, count, approve } = await given(t, once('eth_sendRawTransaction', fault))
    const before = await count()
    const { transaction } = await sender.send(approve(1n))
    t.is((await t.context.embedded.provider.getTransaction(transaction))?.nonce, before)
    t.is(await count(), before + 1)
  })
}

test.serial('a node that has not answered in time is away', async (t) => {
  const { chain } = await given(
    t,
    ({ method }) => (method === 'eth_getBalance' ? 'hang' : undefined),
    { rpcTimeout: 1000 },
  )
  await t.throwsAsync(chain.etherBalance(t.context.deployed.tokenAddress), {
    code: 'chain_unavailable',
    message: /eth_getBalance/,
  })
})

test.serial('the second node is asked when the first is away, also in the middle', async (t) => {
  const { embedded, deployed } = t.context
  const contract = deployed.channelsAddress
  const first = await startFaultyRpc(t, embedded.rpcUrl, () => undefined)
  const dead = 'http://127.0.0.1:9/secret-access-key'
  const chain = await connectChain({ rpcUrl: [dead, first.url, embedded.rpcUrl], contract })
  t.teardown(() => chain.close())
  t.true(first.calls.length > 0)
  await first.stop()
  t.is((await chain.contractFacts()).version, '0.4.0')

  const away = await t.throwsAsync(connectChain({ rpcUrl: [dead, first.url], contract }), {
    code: 'chain_unavailable',
    message: /None of/,
  })
  t.false(String(away).includes('secret'))
})

test.serial('a fallback node of another chain is not used', async (t) => {
  const { embedded, deployed } = t.context
  const other = await startFaultyRpc(t, embedded.rpcUrl, once('eth_chainId', { answer: '0x5' }))
  const contract = deployed.channelsAddress
  const urls = ['http://127.0.0.1:9', other.url]
  await t.throwsAsync(connectChain({ rpcUrl: urls, contract, chainId: 31337n }), {
    code: 'wrong_chain',
    message: /chain 5, not 31337/,
  })
})

for (const rpcUrl of ['ftp://127.0.0.1', 'nonsense', '']) {
  test.serial(`refused as rpc address: "${rpcUrl}"`, async (t) => {
    const contract = t.context.deployed.channelsAddress
    await t.throwsAsync(connectChain({ rpcUrl, contract }), { code: 'rpc_url_invalid' })
  })
}

for (const [version, ok] of [
  ['0.2.0', true],
  ['0.3.1', true],
  ['0.1.0', false],
  ['0.5.0', false],
  ['1.2.0', false],
] as const) {
  test.serial(`a contract of version ${version} is ${ok ? 'used' : 'refused'}`, async (t) => {
    const encoded = AbiCoder.defaultAbiCoder().encode(['string'], [version])
    const { chain } = await given(t, ({ method, params }) => {
      const { data } = (params[0] ?? {}) as { readonly data?: string }
      return method === 'eth_call' && data?.startsWith('0x54fd4d50')
        ? { answer: encoded }
        : undefined
    })
    if (ok) t.is((await chain.contractFacts()).version, version)
    else await t.throwsAsync(chain.contractFacts(), { code: 'contract_version_unsupported' })
  })
}

test.serial('a provider that refuses large ranges still gives every event', async (t) => {
  const { embedded } = t.context
  const mostBlocks = 7
  const { chain, sender, signer, node } = await given(t, ({ method, params }) => {
    if (method !== 'eth_getLogs') return undefined
    const { fromBlock, toBlock } = params[0] as {
      readonly fromBlock: string
      readonly toBlock: string
    }
    return Number(toBlock) - Number(fromBlock) >= mostBlocks
      ? { refuse: 'query returned more than 10000 results' }
      : undefined
  })
  const { token } = await chain.contractFacts()
  const opened: number[] = []
  for (const index of [1, 2, 3]) {
    const receiver = embedded.accounts[index]?.address ?? signer.address
    const call = chain.calls.openErc223(token, { sender: signer.address, receiver, deposit: 1n })
    opened.push((await sender.send(call)).block)
    await embedded.mine(10)
  }
  const { number: to } = await chain.head()
  const events = await chain.events({ from: 0, to, sender: signer.address })
  t.deepEqual(
    events.map(({ block }) => block),
    opened,
  )
  t.true(node.calls.filter(({ method }) => method === 'eth_getLogs').length < 40)
})

test.serial('a chain without a base fee gets transactions of the old kind', async (t) => {
  const { sender, approve } = await given(t, ({ method }) =>
    method === 'eth_getBlockByNumber'
      ? { change: (block) => ({ ...(block as object), baseFeePerGas: undefined }) }
      : undefined,
  )
  const { transaction } = await sender.send(approve(2n))
  t.is((await t.context.embedded.provider.getTransaction(transaction))?.type, 0)
})

test.serial('what fails in the latest block only is sent for the next one', async (t) => {
  const { sender, approve, count } = await given(t, ({ method, params }) =>
    method === 'eth_estimateGas' && params[1] !== 'pending'
      ? { refuse: 'execution reverted' }
      : undefined,
  )
  const before = await count()
  await sender.send(approve(5n))
  t.is(await count(), before + 1)
})

test.serial(
  'what does nothing in the latest block gets the gas that it takes in the next one',
  async (t) => {
    const { sender, approve } = await given(t, ({ method, params }) =>
      method === 'eth_estimateGas' && params[1] !== 'pending' ? { answer: '0x5208' } : undefined,
    )
    const { transaction } = await sender.send({ ...approve(6n), passesOver: true })
    const sent = await t.context.embedded.provider.getTransaction(transaction)
    t.true((sent?.gasLimit ?? 0n) > 25_200n, `${sent?.gasLimit}`)
  },
)

test.serial(
  'a node that knows no block to come: its estimate of the latest one will do',
  async (t) => {
    const { sender, approve, count } = await given(t, ({ method, params }) =>
      method === 'eth_estimateGas' && params[1] === 'pending'
        ? { refuse: 'unknown block' }
        : undefined,
    )
    const before = await count()
    await sender.send({ ...approve(7n), passesOver: true })
    t.is(await count(), before + 1)
  },
)

test.serial(
  'what fails in the next block too is not sent, for the first reason given',
  async (t) => {
    const { sender, approve, count } = await given(t, ({ method, params }) =>
      method === 'eth_estimateGas'
        ? { refuse: params[1] === 'pending' ? 'no pending block' : 'execution reverted' }
        : undefined,
    )
    const before = await count()
    await t.throwsAsync(sender.send(approve(5n)), {
      code: 'transaction_reverts',
      message: /execution reverted/,
    })
    t.is(await count(), before)
  },
)

test.serial('an account without ether is told so', async (t) => {
  const { chain, approve } = await given(t, () => undefined)
  const signer = createKeySigner(new Uint8Array(32).fill(5))
  const poor = createTransactionSender({ chain, signer })
  const error = await t.throwsAsync(poor.send(approve(1n)), { code: 'ether_missing' })
  t.true(error.message.includes(signer.address))
})

test.serial('what a node really refuses is an error at once, and takes no nonce', async (t) => {
  const journal = memoryJournal()
  const refuse = once('eth_sendRawTransaction', { refuse: 'txpool is full' })
  const { sender, count, approve } = await given(t, refuse, { journal })
  const before = await count()
  await t.throwsAsync(sender.send(approve(1n), 1, 'a'), {
    code: 'transaction_refused',
    message: /txpool is full/,
  })
  t.is(journal.entries.size, 0)
  await sender.send(approve(1n))
  t.is(await count(), before + 1)
})

test.serial(
  'a stuck transaction is replaced at a higher fee, and its receipt is the answer',
  async (t) => {
    const { embedded } = t.context
    const journal = memoryJournal()
    const { sender, approve, count } = await given(t, () => undefined, {
      replaceAfter: 30,
      journal,
    })
    const before = await count()
    await embedded.provider.send('evm_setAutomine', [false])
    t.teardown(() => embedded.provider.send('evm_setAutomine', [true]))
    const sent = sender.send(approve(9n), 1, 'approve')
    await until(() => (journal.entries.get('approve')?.transactions.length ?? 0) >= 3)
    const hashes = journal.entries.get('approve')?.transactions.map(({ hash }) => hash) ?? []
    await embedded.mine(1)
    const { transaction } = await sent
    t.true(transaction !== hashes[0])
    t.is(await count(), before + 1)
    t.is(journal.entries.size, 0)
  },
)

test.serial(
  'after a crash the same operation finds its transaction, wherever it was cut',
  async (t) => {
    const lost = once('eth_sendRawTransaction', 'loseRequest')
    for (const decide of [lost, () => undefined]) {
      const journal = memoryJournal()
      // The first run never sees a receipt; then its process dies.
      const blind = (call: RpcCall) =>
        call.method === 'eth_getTransactionReceipt' ? 'loseRequest' : decide(call)
      const first = await given(t, blind, { journal, timeout: 0 })
      const before = await first.count()
      await t.throwsAsync(first.sender.send(first.approve(1n), 1, 'open/1'), {
        code: 'transaction_unconfirmed',
      })
      t.is(journal.entries.size, 1)
      const second = await given(t, () => undefined, { journal })
      await second.sender.send(second.approve(1n), 1, 'open/1')
      t.is(await second.count(), before + 1)
      t.is(journal.entries.size, 0)
    }
  },
)

test.serial(
  'after a crash a stuck transaction is replaced too, and stays the same operation',
  async (t) => {
    const { embedded } = t.context
    const journal = memoryJournal()
    await embedded.provider.send('evm_setAutomine', [false])
    t.teardown(() => embedded.provider.send('evm_setAutomine', [true]))
    const first = await given(t, () => undefined, { journal, timeout: 0 })
    const before = await first.count()
    await t.throwsAsync(first.sender.send(first.approve(7n), 1, 'approve'), {
      code: 'transaction_unconfirmed',
    })
    const second = await given(t, () => undefined, { journal, replaceAfter: 30 })
    const sent = second.sender.send(second.approve(8n), 1, 'approve')
    await until(() => (journal.entries.get('approve')?.transactions.length ?? 0) >= 2)
    await embedded.mine(1)
    const mined = await embedded.provider.getTransaction((await sent).transaction)
    t.is(mined?.data, first.approve(7n).data)
    t.is(await second.count(), before + 1)
  },
)

test.serial(
  'who waits behind a cheap transaction pays for it too, as far as its own cap goes',
  async (t) => {
    const { embedded } = t.context
    await embedded.provider.send('evm_setAutomine', [false])
    t.teardown(() => embedded.provider.send('evm_setAutomine', [true]))
    const { chain, signer, approve, count } = await given(t, () => undefined)
    const journal = memoryJournal()
    const sender = createTransactionSender({
      chain,
      signer,
      journal,
      pollInterval: 10,
      replaceAfter: 30,
    })
    const before = await count()
    const price = await sender.gasPrice()
    // Its cap leaves no room for a replacement.
    const cheap = sender.send({ ...approve(1n), feeCap: () => price }, 1, 'cheap')
    await until(() => journal.entries.size > 0)
    const waits = () => journal.entries.get('cheap')?.transactions.length
    t.is(waits(), 1)
    const urgent = sender.send({ ...approve(2n), feeCap: () => undefined }, 1, 'urgent')
    await until(() => waits() !== 1)
    await embedded.mine(1)
    await Promise.all([cheap, urgent])
    t.is(await count(), before + 2)
  },
)

test.serial(
  'what an earlier process has sent is taken up, and replaced at a higher fee when it is stuck',
  async (t) => {
    const { embedded } = t.context
    const journal = memoryJournal()
    await embedded.provider.send('evm_setAutomine', [false])
    t.teardown(() => embedded.provider.send('evm_setAutomine', [true]))
    const first = await given(t, () => undefined, { journal, timeout: 0 })
    const before = await first.count()
    await t.throwsAsync(first.sender.send(first.approve(9n), 1, 'open/1'), {
      code: 'transaction_unconfirmed',
    })
    const sent = journal.entries.get('open/1')?.transactions.map(({ hash }) => hash) ?? []
    const second = await given(t, () => undefined, { journal, replaceAfter: 30 })
    const taken = second.sender.resume('open/1')
    // The third is written down after the second has left.
    await until(() => (journal.entries.get('open/1')?.transactions.length ?? 0) >= 3)
    await embedded.mine(1)
    const receipt = await taken
    t.false(sent.includes(receipt?.transaction ?? '0x'))
    t.is(await second.count(), before + 1)
    t.is(await second.sender.resume('open/1'), undefined)
  },
)

test.serial('an operation whose nonce another transaction took is sent anew', async (t) => {
  const journal = memoryJournal()
  const { sender, approve, count } = await given(t, () => undefined, { journal })
  await sender.send(approve(3n))
  const nonce = (await count()) - 1
  journal.entries.set('open/1', {
    nonce,
    transactions: [{ hash: `0x${'ab'.repeat(32)}`, serialized: '0x' }],
  })
  await sender.send(approve(4n), 1, 'open/1')
  t.is(await count(), nonce + 2)
})

test('every block is read once and in order, whatever the node’s limit', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(50_000),
      fc.nat(60_000),
      fc.integer({ min: 1, max: 30_000 }).filter((most) => most > 40),
      async (from, blocks, most) => {
        let next = from
        await readInPieces(from, from + blocks, async (first, last) => {
          if (last - first + 1 > most) throw refusal()
          t.is(first, next)
          next = last + 1
          return []
        })
        t.is(next, from + blocks + 1)
      },
    ),
    { numRuns: 50 },
  )
  await t.throwsAsync(
    readInPieces(1, 9, () => Promise.reject(refusal())),
    { code: 'rpc_error' },
  )
})

function refusal(): UraidenError {
  return new UraidenError({ code: 'rpc_error', message: 'too much', hint: '' })
}

/** What is asked before a transaction is signed, each with answers that are none. */
for (const method of [
  'eth_estimateGas',
  'eth_getTransactionCount',
  'eth_getBlockByNumber',
  'eth_maxPriorityFeePerGas',
]) {
  test(`nonsense as the answer to ${method} sends nothing, and the error names the node`, async (t) => {
    let answer: unknown
    const { sender, approve, count } = await given(t, (call) =>
      call.method === method ? { answer } : undefined,
    )
    const before = await count()
    for (answer of [null, '', 'nonsense', {}, [{}], 7, { number: '0x', hash: '0x' }, '0x', '-1']) {
      await t.throwsAsync(
        sender.send(approve(1n)),
        { instanceOf: UraidenError, code: 'node_wrong' },
        JSON.stringify(answer),
      )
    }
    t.is(await count(), before)
  })
}

test('fees keep to the cap on both sides', (t) => {
  const market = { baseFee: 100n, tip: 5n }
  t.deepEqual(chooseFees(market, undefined), {
    type: 2,
    maxFeePerGas: 205n,
    maxPriorityFeePerGas: 5n,
  })
  t.deepEqual(chooseFees(market, 105n), { type: 2, maxFeePerGas: 105n, maxPriorityFeePerGas: 5n })
  t.throws(() => chooseFees(market, 104n), { code: 'fee_over_cap' })
  t.deepEqual(chooseFees({ gasPrice: 7n }, 7n), { type: 0, gasPrice: 7n })
  const error = t.throws(() => chooseFees({ gasPrice: 7n }, 6n))
  t.true(isUraidenError(error, 'fee_over_cap'))
})

test('a replacement pays at least a tenth more of everything, or is not made', (t) => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 10n ** 12n),
      fc.bigInt(0n, 10n ** 11n),
      fc.bigInt(0n, 2n * 10n ** 12n),
      (fee, tip, cap) => {
        const stuck = { type: 2, maxFeePerGas: fee + tip, maxPriorityFeePerGas: tip } as const
        const next = replacementFees(stuck, stuck, cap)
        if (next === undefined) return void t.true(((fee + tip) * 9n) / 8n + 1n > cap)
        if (next.type !== 2) return t.fail()
        t.true(next.maxFeePerGas <= cap && next.maxPriorityFeePerGas <= next.maxFeePerGas)
        t.true(next.maxFeePerGas * 10n >= stuck.maxFeePerGas * 11n)
        t.true(next.maxPriorityFeePerGas * 10n >= tip * 11n)
      },
    ),
  )
  const old = { type: 0, gasPrice: 80n } as const
  t.deepEqual(replacementFees(old, old, 91n), { type: 0, gasPrice: 91n })
  t.is(replacementFees(old, old, 90n), undefined)
})
