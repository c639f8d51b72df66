// A time service sets the clock by years while things wait: nothing ends early, nothing waits longer.
import test from 'ava'
import { createNoteBook } from '../../../agent/channels/notes.ts'
import { createBehaviours } from '../../../agent/purchase/behaviour.ts'
import { type ChainClient, createTransactionSender } from '../../../platform/chain/index.ts'
import { failover } from '../../../platform/chain/rpc.ts'
import { attemptStore } from '../../../platform/http/attempts.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { monotonic, steadyTime } from '../../../platform/time/monotonic.ts'
import { parseAddress, UraidenError } from '../../../protocol/index.ts'
import { openReplies } from '../../../receiver/paywall/replies.ts'

const years = 10 * 365 * 86_400_000
const wallClock = Date.now

for (const [title, jump] of [
  ['forward', years],
  ['back', -years],
] as const) {
  const setClock = () => {
    Date.now = () => wallClock() + jump
  }
  const resetClock = () => {
    Date.now = wallClock
  }
  test.afterEach.always(resetClock)

  test.serial(`set ${title}: the clocks for waiting`, (t) => {
    const [before, steady] = [monotonic(), steadyTime()]
    t.true(Math.abs(steady - wallClock()) < 3_600_000)
    setClock()
    t.true(monotonic() - before < 60_000 && monotonic() >= before)
    t.true(steadyTime() - steady < 60_000 && steadyTime() >= steady)
  })

  test.serial(`set ${title}: a transaction is waited for, and not replaced`, async (t) => {
    let looks = 0
    let sent = 0
    const hash = `0x${'1'.repeat(64)}`
    const block = { number: '0x1', timestamp: '0x1' }
    const answers: Readonly<Record<string, (params: readonly unknown[]) => unknown>> = {
      eth_estimateGas: () => '0x5208',
      eth_getTransactionCount: () => '0x0',
      eth_getBlockByNumber: () => ({ ...block, parentHash: hash, hash }),
      eth_gasPrice: () => '0x1',
      eth_sendRawTransaction: () => {
        sent++
        setClock()
        return hash
      },
      eth_getTransactionByHash: () => ({ blockNumber: null }),
      eth_getTransactionReceipt: ([transactionHash]) =>
        looks++ < 5
          ? null
          : {
              ...{ transactionHash, blockNumber: '0x1', blockHash: hash, status: '0x1', logs: [] },
              gasUsed: '0x1',
            },
    }
    const chain = {
      chainId: 1n,
      contract: parseAddress(`0x${'33'.repeat(20)}`),
      request: async (method: string, params: readonly unknown[]) => answers[method]?.(params),
      head: async () => ({ number: 1, contractBlock: 1 }),
      contractBlock: async () => 1,
      decodeLogs: () => [],
    } as unknown as ChainClient
    const sender = createTransactionSender({
      chain,
      signer: createKeySigner(new Uint8Array(32).fill(5)),
      pollInterval: 1,
      timeout: 600_000,
      replaceAfter: 120_000,
    })
    const receipt = await sender.send({ purpose: 'test', to: chain.contract, data: '0x' })
    t.is(receipt.block, 1)
    t.is(sent, 1)
  })

  test.serial(`set ${title}: a node that refuses us is left alone as long`, async (t) => {
    let passed = 0
    const limited = async () => {
      throw new UraidenError({ code: 'chain_unavailable', message: '', hint: '', cause })
    }
    const { NoAnswer } = await import('../../../platform/chain/node.ts')
    const cause = new NoAnswer('limited', 60_000)
    let isLimited = true
    const first = async () => (isLimited ? limited() : 'first')
    const nodes = [
      { name: 'a', request: first },
      { name: 'b', request: async () => 'second' },
    ]
    const request = failover(nodes, () => passed)
    t.is(await request('eth_call', []), 'second')
    isLimited = false
    setClock()
    t.is(await request('eth_call', []), 'second')
    passed = 60_000
    t.is(await request('eth_call', []), 'first')
  })

  test.serial(`set ${title}: attempts are counted in a window of time that passes`, (t) => {
    let passed = 0
    const Store = attemptStore(2, () => passed)
    const store = new Store()
    const attempt = (address: string) => {
      let told = { current: 0, ttl: 0 }
      store.incr(address, (_, result) => (told = result ?? told), 1000)
      return told
    }
    t.deepEqual(attempt('a'), { current: 1, ttl: 1000 })
    setClock()
    passed = 999
    t.deepEqual(attempt('a'), { current: 2, ttl: 1 })
    passed = 1000
    t.deepEqual(attempt('a'), { current: 1, ttl: 1000 })
    attempt('b')
    attempt('a')
    attempt('c')
    t.is(attempt('a').current, 3)
    t.is(attempt('b').current, 1)
  })

  test.serial(`set ${title}: a receiver that was trouble stays left alone`, (t) => {
    const book = createNoteBook(new Map())
    const nothing = async () => undefined
    const notes = { ...book, later: book.set, now: nothing, soon: nothing }
    const behaviours = createBehaviours(notes)
    const receiver = parseAddress(`0x${'44'.repeat(20)}`)
    for (let times = 0; times < 4; times++) behaviours.trouble(receiver, 'refused', 'x')
    setClock()
    t.throws(() => behaviours.mayPay(receiver), { code: 'receiver_left_alone' })
    t.is(behaviours.all()[0]?.trust, 'leftAlone')
  })

  test.serial(`set ${title}: an answer that was paid for is kept`, async (t) => {
    const disk = {
      load: async () => [],
      unanswered: async () => [],
      save: async () => undefined,
      remove: async () => undefined,
      answered: async () => undefined,
    } as unknown as Parameters<typeof openReplies>[0]
    const replies = await openReplies(disk)
    const id = `0x${'55'.repeat(16)}` as Parameters<typeof replies.take>[0]
    const turn = await replies.take(id, 'memory')
    if (turn.kind !== 'ours') return t.fail()
    const answer = { status: 200, headers: {}, body: Buffer.from('21.5') }
    await turn.finish(answer as unknown as Parameters<typeof turn.finish>[0])
    setClock()
    t.is((await replies.take(id, 'memory')).kind, 'kept')
  })
}
