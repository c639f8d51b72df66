// The receiver is killed between a payment and its answer: the same request with the same key is answered
// by the next process, and pays nothing again.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import type { Unanswered } from '../../../receiver/channels/records.ts'
import type { WatchtowerAddress } from '../../../receiver/core/watchtower/pusher.ts'
import { createReceiverServer, type Resource, startReceiver } from '../../../receiver/index.ts'
import { openReplies } from '../../../receiver/paywall/replies.ts'
import { givenChannel } from '../../support/channel.ts'
import { crashCopy } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

type Handler = Resource['handler']

const key = { 'Idempotency-Key': 'noon', accept: 'application/json' }

async function given(
  t: ExecutionContext,
  handler: Handler,
  watchtowers: readonly WatchtowerAddress[] = [],
) {
  const resources = [{ path: '/reading', price: 5n, handler }]
  const system = await givenChannel(t, { resources, receiver: { watchtowers } })
  const { chain, contract, folder, receiverAccount, headers } = system
  let copies = 0
  /** A process on what a power cut would leave of the state now. */
  const next = async (answer: Handler, from = 'receiver') => {
    const state = `copy-${++copies}`
    const receiver = await startReceiver({
      signer: createKeySigner(fromHex(receiverAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      contract,
      state: await crashCopy(join(folder, from), join(folder, state)),
      pollInterval: 20,
      confirmations: 1,
      watchtowers,
    })
    await receiver.synced
    const resource = { path: '/reading', price: 5n, handler: answer }
    const server = await createReceiverServer(receiver, [resource])
    const base = await server.listen({ host: '127.0.0.1', port: 0 })
    t.teardown(async () => {
      await server.close()
      await receiver.stop()
    })
    const ask = async (balance: bigint, more: Record<string, string> = key) => {
      const answered = await fetch(`${base}/reading`, { headers: headers(balance, more) })
      return { status: answered.status, body: await answered.text() }
    }
    const claimed = () =>
      [...receiver.book.all()].reduce((sum, { claims }) => sum + claimedSum(claims), 0n)
    return { ask, claimed, state }
  }
  return { ...system, next }
}

/** A handler that is under way and never ends, and a promise of its beginning. */
function stuck() {
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const handler: Handler = () => {
    begin()
    return new Promise<never>(() => undefined)
  }
  return { handler, begun }
}

/** A watchtower that stores whatever it gets. */
async function contentWatchtower(t: ExecutionContext) {
  const balances: string[] = []
  const server = createServer(async (request, response) => {
    const { proofs } = (await json(request)) as { readonly proofs: readonly { balance: string }[] }
    balances.push(...proofs.map(({ balance }) => balance))
    response.end(JSON.stringify({ verdicts: proofs.map(() => 'stored') }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, balances }
}

test('a request that had paid is answered after a kill, once for its payment', async (t) => {
  const { handler, begun } = stuck()
  const { pay, next } = await given(t, handler)
  const lost = pay(5n, key).catch(() => undefined)
  await begun
  const { ask, claimed } = await next(() => 'served')
  t.deepEqual(await ask(5n), { status: 200, body: 'served' })
  t.deepEqual(await ask(5n), { status: 200, body: 'served' })
  t.is((await ask(5n, { ...key, 'Idempotency-Key': 'other' })).status, 402)
  t.is((await ask(5n, { accept: key.accept })).status, 402)
  t.is(claimed(), 5n)
  t.is((await ask(10n, { accept: key.accept })).status, 200)
  void lost
})

test('with a watchtower too, a request that had paid is answered after a kill, once for its payment', async (t) => {
  const { handler, begun } = stuck()
  const { url, balances } = await contentWatchtower(t)
  const { pay, next } = await given(t, handler, [{ url, token: 'tower', interval: 1 }])
  void pay(5n, key).catch(() => undefined)
  await begun
  const { ask, claimed } = await next(() => 'served')
  t.deepEqual(await ask(5n), { status: 200, body: 'served' })
  t.is(claimed(), 5n)
  await until(() => balances.includes('5'))
})

test('killed again and again before the answer, it is still answered', async (t) => {
  const { handler, begun } = stuck()
  const { pay, next } = await given(t, handler)
  void pay(5n, key).catch(() => undefined)
  await begun
  const again = stuck()
  const second = await next(again.handler)
  void second.ask(5n).catch(() => undefined)
  await again.begun
  const third = await next(() => 'served', second.state)
  t.deepEqual(await third.ask(5n), { status: 200, body: 'served' })
  t.is(third.claimed(), 5n)
})

test('what fails after the kill is credit, and the same key pays with it', async (t) => {
  const { handler, begun } = stuck()
  const { pay, next } = await given(t, handler)
  void pay(5n, key).catch(() => undefined)
  await begun
  let fails = true
  const { ask, claimed } = await next(() => {
    if (fails) throw new Error('the sensor is away')
    return 'served'
  })
  t.is((await ask(5n)).status, 500)
  t.is(claimed(), 0n)
  fails = false
  t.deepEqual(await ask(5n), { status: 200, body: 'served' })
  t.is(claimed(), 5n)
})

test('what was given back before the kill pays again, and is not free', async (t) => {
  const { pay, next } = await given(t, () => {
    throw new Error('the sensor is away')
  })
  t.is((await pay(5n, key)).status, 500)
  const { ask, claimed } = await next(() => 'served')
  t.is(claimed(), 0n)
  t.is((await ask(5n)).status, 200)
  t.is(claimed(), 5n)
})

test('a note of a payment lives as long as replies do; who has not paid leaves none', async (t) => {
  const { channel } = await givenChannel(t)
  const { sender, openBlock } = channel
  const waiting: Unanswered = { sender, openBlock, paid: { from: 0n, to: 5n }, expires: 100 }
  const answered: string[] = []
  const disk = {
    load: async () => new Map(),
    save: async () => undefined,
    remove: async () => undefined,
    unanswered: async () => new Map([['paid', waiting]]),
    answered: async (ids: readonly string[]) => void answered.push(...ids),
  }
  const limits = { lifetime: 1000, mostBytes: 5000, largestBody: 3000, largestOnDisk: 100 }
  const inTime = await openReplies(disk, limits, () => 99)
  t.like(await inTime.take('paid'), { kind: 'ours', earlier: waiting, expires: 1099 })
  t.deepEqual(answered, [])
  const stranger = await inTime.take('stranger')
  if (stranger.kind !== 'ours') return t.fail()
  t.is(stranger.earlier, undefined)
  await stranger.pass()
  t.deepEqual(answered, [])
  const late = await openReplies(disk, limits, () => 100)
  t.deepEqual(answered, ['paid'])
  t.like(await late.take('paid'), { kind: 'ours', earlier: undefined })
})
