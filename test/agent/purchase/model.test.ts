// Random conversations with a receiver that answers anything at any time, over real HTTP.
import test from 'ava'
import fc from 'fast-check'
import {
  addressOfKey,
  type Feature,
  fromHex,
  isUraidenError,
  type Payment,
} from '../../../protocol/index.ts'
import {
  agentWithChannel,
  asks,
  lyingReceiver,
  type Said,
  type Script,
  serves,
} from '../../support/lying-receiver.ts'

const stranger = addressOfKey(fromHex(`0x${'66'.repeat(32)}`))

interface Memory {
  /** The best proof that came, and the one before it. */
  best: Payment | undefined
  previous: Payment | undefined
}

const answers = [
  'serve',
  'serveFree',
  'serveHalf',
  'ask',
  'raise',
  'claimLess',
  'claimMore',
  'showBest',
  'showPrevious',
  'foreign',
  'invalidAmount',
  'serverError',
  'malformed',
  'hangUp',
] as const

type Answer = (typeof answers)[number]

const step = fc.record({
  answer: fc.constantFrom(...answers),
  atOnce: fc.integer({ min: 1, max: 3 }),
})

function shown(payment: Payment | undefined) {
  return payment && { senderBalance: payment.balance, signature: payment.signature }
}

function say(answer: Answer, memory: Memory, features: ReadonlySet<Feature>): Said | undefined {
  const known = { features, ...shown(memory.best) }
  switch (answer) {
    case 'serve':
      return serves({ features })
    case 'serveFree':
      return serves({ features, cost: 0n })
    case 'serveHalf':
      return serves({ features, cost: 2n })
    case 'ask':
      return asks({ features })
    case 'raise':
      return asks({ ...known, price: 9n, reason: 'invalid_amount' })
    case 'claimLess':
      return asks({ features, senderBalance: 1n })
    case 'claimMore':
      return asks({ features, senderBalance: 999n })
    case 'showBest':
      return asks(known)
    case 'showPrevious':
      return asks({ features, ...shown(memory.previous), reason: 'invalid_amount' })
    case 'foreign':
      return asks({ features, contract: stranger })
    case 'invalidAmount':
      return asks({ ...known, reason: 'invalid_amount' })
    case 'serverError':
      return { status: 502 }
    case 'malformed':
      return { status: 402, headers: { 'RDN-Price': 'much' } }
    case 'hangUp':
      return undefined
  }
}

test('whatever a receiver answers: it holds no more than the caps allow, and every request ends', async (t) => {
  const total = 60n
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.subarray<Feature>(['parallel', 'idempotency', 'eip712']),
      fc.integer({ min: 1, max: 4 }),
      async (steps, offered, reservation) => {
        const features = new Set(offered)
        const memory: Memory = { best: undefined, previous: undefined }
        let at = 0
        const script: Script = ({ payment, request }) => {
          if (payment !== undefined && payment.balance > (memory.best?.balance ?? 0n)) {
            memory.previous = memory.best
            memory.best = payment
          }
          const answer = steps[at++ % steps.length]?.answer ?? 'serve'
          const said = say(answer, memory, features)
          if (said === undefined) request.socket.destroy()
          return said
        }
        const receiver = await lyingReceiver(t, script)
        const agent = await agentWithChannel(t, { budget: { total, request: 8n }, reservation })
        for (const { atOnce } of steps) {
          const outcomes = await Promise.allSettled(
            Array.from({ length: atOnce }, () => agent.get(receiver.url)),
          )
          for (const outcome of outcomes) {
            if (outcome.status === 'rejected')
              t.true(isUraidenError(outcome.reason), String(outcome.reason))
          }
          t.true(receiver.highest() <= total)
          t.true(receiver.highest() <= (agent.channels()[0]?.bound ?? 0n))
          t.true(agent.budget().reserved <= total)
        }
        await agent.stop()
      },
    ),
    { numRuns: 40 },
  )
})
