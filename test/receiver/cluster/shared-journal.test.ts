// Transactions of an account that several processes may send for, one after the other.
import test, { type ExecutionContext } from 'ava'
import {
  connectChain,
  createTransactionSender,
  type TransactionJournal,
} from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, toHex } from '../../../protocol/index.ts'
import type { Term } from '../../../receiver/cluster/election.ts'
import { createSharedJournal } from '../../../receiver/cluster/shared-journal.ts'
import { receiverError } from '../../../receiver/errors/index.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../lab/chains/embedded-chain.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { ledState, sharedPostgres, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
let embedded: EmbeddedChain
let deployed: DeployedContracts

test.before(async () => {
  embedded = await startEmbeddedChain()
  deployed = await deployTestContracts(embedded.wallet(0))
})
test.after.always(() => embedded.close())

/** Each test has an account of its own. */
async function given(t: ExecutionContext, account: number) {
  const state = await ledState(t, await server())
  const key = embedded.accounts[account]?.privateKey ?? '0x'
  const signer = createKeySigner(fromHex(key))
  const journal = (leads = true, write = state.term.write): TransactionJournal =>
    createSharedJournal({
      database: state.database,
      term: () => (leads ? { ...state.term, write } : undefined),
      ...{ account: signer.address, pause: 0 },
    })
  const connect = async (decide: Parameters<typeof startFaultyRpc>[2]) => {
    const node = await startFaultyRpc(t, embedded.rpcUrl, decide)
    const contract = deployed.channelsAddress
    const chain = await connectChain({ rpcUrl: node.url, contract, timeout: 2000 })
    t.teardown(() => chain.close())
    return { chain, call: chain.calls.approve(deployed.tokenAddress, 1n) }
  }
  const rows = () =>
    state.database.query<{ operation: string; nonce: bigint; state: string; raw: Uint8Array[] }>(
      'SELECT operation, nonce, state, raw FROM tx ORDER BY id',
    )
  return { ...state, signer, journal, connect, rows }
}

const sendRaw = 'eth_sendRawTransaction'

onPostgres('a transaction without a name is written down before it leaves, too', async (t) => {
  const { signer, journal, connect, rows } = await given(t, 1)
  let seen: readonly unknown[] = []
  const { chain, call } = await connect(async ({ method }) => {
    if (method === sendRaw) seen = await rows()
    return undefined
  })
  const sender = createTransactionSender({ chain, signer, journal: journal(), pollInterval: 10 })
  await sender.send(call)
  t.like(seen[0], { nonce: 0n, state: 'sent' })
  t.like((await rows())[0], { state: 'ended' })
  t.is((await rows()).length, 1)
})

onPostgres('who does not lead sends nothing', async (t) => {
  const { signer, journal, connect, rows } = await given(t, 2)
  let sent = 0
  const { chain, call } = await connect(({ method }) => {
    if (method === sendRaw) sent++
    return undefined
  })
  const sender = createTransactionSender({ chain, signer, journal: journal(false) })
  await t.throwsAsync(sender.send(call, 1, 'close/x'), { code: 'not_the_leader' })
  t.deepEqual([sent, await rows()], [0, []])
})

onPostgres(
  'what a leader has signed and no node has got, its successor sends: the same transaction',
  async (t) => {
    const { signer, journal, connect, rows } = await given(t, 3)
    const cut = await connect(({ method }) => (method === sendRaw ? 'loseRequest' : undefined))
    const before = createTransactionSender({ chain: cut.chain, signer, journal: journal() })
    const { transaction } = await before.start(cut.call, 'close/x')
    t.is(await embedded.provider.getTransaction(transaction), null)
    const { chain } = await connect(() => undefined)
    const after = createTransactionSender({ chain, signer, journal: journal(), pollInterval: 10 })
    const receipt = await after.resume('close/x')
    t.is(receipt?.transaction, transaction)
    t.like((await rows())[0], { operation: 'close/x', state: 'ended' })
    t.is(await after.resume('close/x'), undefined)
  },
)

onPostgres(
  'a nonce that another process has signed for is not signed for again, whatever the node knows',
  async (t) => {
    const { signer, journal, connect, rows } = await given(t, 4)
    const { chain, call } = await connect(({ method }) =>
      method === sendRaw ? 'loseRequest' : undefined,
    )
    const entry = (nonce: number) => ({
      nonce,
      transactions: [{ hash: '0x00', serialized: toHex(Uint8Array.of(nonce)) } as const],
    })
    await journal().put('of another', entry(6))
    await createTransactionSender({ chain, signer, journal: journal() }).start(call, 'mine')
    t.deepEqual(
      (await rows()).map(({ nonce }) => nonce),
      [6n, 7n],
    )
    await t.throwsAsync(journal().put('too late', entry(7)), { code: 'postgres_refused' })
  },
)

onPostgres('what no node took leaves its nonce to the next, and is found by nobody', async (t) => {
  const { signer, journal, connect, rows } = await given(t, 5)
  let refused = false
  const { chain, call } = await connect(({ method }) => {
    if (method !== sendRaw || refused) return undefined
    refused = true
    return { error: { code: -32000, message: 'transaction underpriced' } }
  })
  const sender = createTransactionSender({ chain, signer, journal: journal(), pollInterval: 10 })
  await t.throwsAsync(sender.send(call, 1, 'close/x'), { code: 'transaction_refused' })
  t.is(await journal().get('close/x'), undefined)
  await sender.send(call, 1, 'close/x')
  t.deepEqual(
    (await rows()).map(({ nonce, state }) => [nonce, state]),
    [
      [0n, 'refused'],
      [0n, 'ended'],
    ],
  )
})

for (const isWritten of [true, false]) {
  const lost = isWritten ? 'the answer to which is lost' : 'which is lost'
  onPostgres(`a write ${lost} is done until it is known, and holds up no nonce`, async (t) => {
    const { signer, journal, connect, rows, term } = await given(t, isWritten ? 6 : 7)
    const { chain, call } = await connect(() => undefined)
    const fates = ['lost', 'away', 'kept']
    const write: Term['write'] = async (work) => {
      const fate = fates.shift()
      if (fate === 'away') {
        throw receiverError({ code: 'postgres_unavailable', message: 'nobody answers' })
      }
      if (fate !== 'lost') return term.write(work)
      if (isWritten) await term.write(work)
      throw receiverError({ code: 'postgres_commit_unknown', message: 'nobody said' })
    }
    const sender = createTransactionSender({
      ...{ chain, signer, journal: journal(true, write), pollInterval: 10 },
    })
    await sender.send(call)
    t.deepEqual(fates, [])
    t.deepEqual(
      (await rows()).map(({ nonce, state }) => [nonce, state]),
      [[0n, 'ended']],
    )
  })
}

onPostgres('who leads no more leaves what it may have written to the next', async (t) => {
  const { signer, journal, connect, rows, term } = await given(t, 8)
  let sent = 0
  const { chain, call } = await connect(({ method }) => {
    if (method === sendRaw) sent++
    return undefined
  })
  const codes = ['postgres_commit_unknown', 'not_the_leader'] as const
  let tries = 0
  const write: Term['write'] = async (work) => {
    const code = codes[tries++] ?? 'not_the_leader'
    if (code === 'postgres_commit_unknown') await term.write(work)
    throw receiverError({ code, message: 'of the test' })
  }
  const sender = createTransactionSender({ chain, signer, journal: journal(true, write) })
  await t.throwsAsync(sender.start(call), { code: 'not_the_leader' })
  t.is(sent, 0)
  const [row] = await rows()
  const next = createTransactionSender({ chain, signer, journal: journal(), pollInterval: 10 })
  t.truthy(await next.resume(row?.operation ?? ''))
  t.is(sent, 1)
})
