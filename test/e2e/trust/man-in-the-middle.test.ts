// Somebody on plain HTTP between an agent that knows the receiver's address and the receiver, from the first
// contact on, who has seen a thousand payments: buys nothing, closes nothing, changes no answer unnoticed.
import { Agent } from 'node:http'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isUraidenError } from '../../../protocol/index.ts'
import {
  changeAnswer,
  changeRequest,
  forged,
  type Seen,
  withBody,
} from '../../fuzz/trust/changes.ts'
import type { AnswerChange } from '../../fuzz/trust/schedule.ts'
import { Shop } from '../../fuzz/trust/shop.ts'
import { stillChain } from '../../lab/chains/still-chain.ts'
import {
  type Asked,
  field,
  forward,
  inTheMiddle,
  type Said,
  withFields,
} from '../../support/bound-receiver.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  agentWithChannel,
  chainId,
  contract,
  receiverKey,
  sender,
  terms,
  token,
} from '../../support/lying-receiver.ts'

const payments = 1000
const openBlock = 7
const deposit = 1_000_000n
const wares = ['plain', 'cheaper', 'empty', 'missing', 'coded'] as const

async function givenMiddle(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const channel = { sender, receiver: terms.receiver, openBlock, deposit }
  const chain = stillChain({ chainId, contract, token, channels: [channel], head: 20 })
  const shop = new Shop({ key: receiverKey, contract, chain, state: join(folder, 'receiver') })
  await shop.start()
  t.teardown(() => shop.stop())
  const seen: Seen[] = []
  let meddle: (said: Said, asked: Asked) => Said | undefined = (said) => said
  const origin = await inTheMiddle(t, async (asked) => {
    const said = await forward(shop.origin, asked)
    seen.push({ asked, said })
    return meddle(said, asked)
  })
  const agent = await agentWithChannel(
    t,
    { bound: 'require', receivers: [terms.receiver], reservation: 16, deposit: { mostInAll: 0n } },
    { deposit },
  )
  return {
    ...{ shop, seen, origin, agent },
    meddle: (by: typeof meddle) => {
      meddle = by
    },
    books: () => {
      const { claims, proof } = shop.receiver.book.ledger(sender, openBlock)
      const { agreedToClose } = shop.receiver.book.get(sender, openBlock) ?? {}
      return { claims, proof, agreedToClose, served: shop.served.length }
    },
  }
}

type Middle = Awaited<ReturnType<typeof givenMiddle>>

function orderOf(id: number) {
  const posted = id % 3 === 0
  return posted
    ? { method: 'POST', body: `order ${id}`, headers: { 'content-type': 'text/plain' } }
    : { method: 'GET' }
}

const pathOf = (id: number) => `/r/${wares[id % wares.length]}/${id}?unit=c`

async function buyAll({ agent, origin }: Middle, t: ExecutionContext): Promise<void> {
  const ids = Array.from({ length: payments }, (_, id) => id)
  // The first alone: it has the channel bound.
  await agent.request(`${origin}${pathOf(0)}`, orderOf(0))
  await together(ids.slice(1), async (id) => {
    const { payment } = await agent.request(`${origin}${pathOf(id)}`, orderOf(id))
    if (payment?.authentic !== true) t.fail(`${id} is not authentic`)
  })
}

/** Eight at a time. */
async function together<Item>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<unknown>,
): Promise<void> {
  const left = [...items.entries()]
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await act(next[1], next[0])
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

const unsigned = { Signature: undefined, 'Signature-Input': undefined }

/** What is made of a payment that was seen, and of the one after it. */
const thefts: { readonly [name: string]: (asked: Asked, other: Asked) => Asked } = {
  'as it was': (asked) => asked,
  'without the signature': (asked) => withFields(asked, unsigned),
  'without the signature, elsewhere': (asked) =>
    withFields({ ...asked, path: '/r/plain/stolen' }, unsigned),
  'on another path': (asked, other) => ({ ...asked, path: other.path }),
  'with another body': (asked) => withBody(asked, 'of the thief'),
  'with another method': (asked) => ({ ...asked, method: asked.method === 'GET' ? 'POST' : 'GET' }),
  'for another payment': (asked, other) =>
    withFields(asked, { 'RDN-Balance': field(other, 'rdn-balance') }),
  'with the signature of another': (asked, other) =>
    withFields(asked, { Signature: field(other, 'signature') }),
  'in a cookie': (asked) => changeRequest(asked, { kind: 'cookie', pick: 0 }, []),
}

test.serial(
  `${payments} payments seen: nothing is bought with them, and nothing is closed`,
  async (t) => {
    const middle = await givenMiddle(t)
    const { seen, shop } = middle
    await buyAll(middle, t)
    // Of those that overtake each other one may be a gap too many, and is asked for again.
    const bought = seen.filter(
      ({ asked, said }) => field(asked, 'rdn-balance') !== '' && said?.status !== 402,
    )
    t.is(bought.length, payments)
    const before = middle.books()
    t.is(before.served, payments)

    const connections = new Agent({ keepAlive: true })
    t.teardown(() => connections.destroy())
    const answers = new Map<string, number>()
    const count = (what: string, { status }: Said) => {
      const name = `${what}: ${status}`
      answers.set(name, (answers.get(name) ?? 0) + 1)
    }
    const give = async (what: string, asked: Asked) => {
      const said = await forward(shop.origin, asked, connections)
      count(what, said)
      // What the sender has paid for is repeated to whoever repeats its request, and nothing else.
      if (what !== 'as it was' && what !== 'as it was, after a restart') {
        t.true(said.status >= 400, `${what}: ${said.status} ${said.body}`)
        t.is(field(said, 'rdn-balance-signature'), '', what)
        t.false(/signature/.test(said.body.toString()) && said.status < 400, what)
      }
    }
    for (const [name, steal] of Object.entries(thefts)) {
      await together(bought, ({ asked }, index) => {
        const other = bought[(index + 1) % bought.length]?.asked ?? asked
        return give(name, steal(asked, other))
      })
      t.deepEqual(middle.books(), before, name)
    }
    const own = `/api/1/channels/${sender}/${openBlock}`
    const none: Asked = { method: 'DELETE', path: own, fields: [['Host', 'x']], body: Buffer.of() }
    await together(bought, async ({ asked }) => {
      const balance = field(asked, 'rdn-balance')
      await give('a close, unsigned', { ...none, path: `${own}?balance=${balance}` })
      const signed = withBody({ ...asked, method: 'DELETE', path: own }, `{"balance":"${balance}"}`)
      await give('a close, signed as a payment was', signed)
    })
    const keys = seen.filter(({ asked }) => asked.method === 'PUT')
    for (const { asked } of keys) {
      await give('a close, signed as the key was', { ...asked, method: 'DELETE', path: own })
    }
    t.deepEqual(middle.books(), before)

    await shop.stop()
    await shop.start()
    await together(bought, ({ asked }) => give('as it was, after a restart', asked))
    t.deepEqual({ ...middle.books(), proof: undefined }, { ...before, proof: undefined })
    t.is((await middle.agent.get(`${middle.origin}/r/plain/9000`)).text(), 'the content of 9000')
    t.log([...answers].map(([name, number]) => `${number} × ${name}`).join('\n'))
  },
)

const changes: readonly AnswerChange['kind'][] = [
  ...(['status', 'body', 'cut', 'longer', 'packed', 'field', 'added'] as const),
  ...(['removed', 'stripped', 'swapped', 'body of', 'forged'] as const),
]

test.serial('of 360 answers that are changed none is handed out as another', async (t) => {
  // A day passes before each: a receiver that is never heard would be left alone for hours.
  const began = performance.timeOrigin
  let days = 0
  const timeOrigin = { get: () => began + days * 86_400_000, configurable: true }
  Object.defineProperty(performance, 'timeOrigin', timeOrigin)
  t.teardown(() => Reflect.deleteProperty(performance, 'timeOrigin'))
  const middle = await givenMiddle(t)
  const { agent, origin, shop, seen } = middle
  await agent.get(`${origin}/r/plain/8000`)
  const results = { right: 0, refused: 0 }
  const codes = new Set<string>()
  for (const kind of changes) {
    for (let each = 0; each < 30; each++) {
      const id = changes.indexOf(kind) * 30 + each
      const pick = (each + 0.5) / 30
      days++
      middle.meddle((said, asked) => {
        if (field(asked, 'rdn-balance') === '') return said
        return kind === 'forged' ? forged(pick) : changeAnswer(said, { kind, pick }, seen)
      })
      try {
        const path = `/r/${wares[id % wares.length]}/${id}`
        const { status, payment, ...answer } = await agent.get(`${origin}${path}`)
        const served = shop.served.find((one) => one.id === id)
        const { cost, price, content } = served ?? { cost: -1n, price: -1n, content: '' }
        t.deepEqual(
          [status, answer.text(), payment?.cost, payment?.price, payment?.authentic],
          [served?.status ?? 0, content, cost, price, true],
          `${kind} ${pick}`,
        )
        results.right++
      } catch (error) {
        if (!isUraidenError(error)) throw error
        results.refused++
        codes.add(error.code)
      }
    }
  }
  t.is(results.right + results.refused, 360)
  t.true(results.right > 40 && results.refused > 180, `${results.right}`)
  // Whatever it did, nothing was paid for but what was asked for, once.
  const { claims, served } = middle.books()
  const left = claims.unclaimed.reduce((sum, { from, to }) => sum + to - from, 0n)
  const due = shop.served.reduce((sum, { cost }) => sum + cost, 0n)
  t.is(claims.highest - left, due)
  t.true(served <= 361)
  const { right, refused } = results
  t.log(`${right} answers were what the receiver said, ${refused} ended with ${[...codes]}`)
})
