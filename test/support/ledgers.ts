// What every implementation of `Ledgers` must do, as tests that take one.
import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  addressOfKey,
  fromHex,
  type Interval,
  isUraidenError,
  parseSignature,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { ChannelId } from '../../receiver/channels/book.ts'
import { type Claims, claim, noClaims, unclaim } from '../../receiver/channels/claims.ts'
import type {
  Claimed,
  ClaimOutcome,
  Ledgers,
  ProvenPayment,
} from '../../receiver/channels/ledgers.ts'
import type { Channel, TickedProof } from '../../receiver/channels/records.ts'
import { commitTicks } from './ticks.ts'

const senderKey = `0x${'11'.repeat(32)}` as const
export const sender = addressOfKey(fromHex(senderKey))
export const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
export const domain = { contract, chainId: 31337n }
export const owner = { ...domain, account: receiver }

export interface GivenLedgers {
  readonly ledgers: Ledgers
  /** A channel that the chain shows. */
  readonly open: (deposit: TokenAmount) => Promise<ChannelId>
  /** One whose deposit was smaller before a block that may be replaced. */
  readonly toppedUp: (before: TokenAmount, deposit: TokenAmount) => Promise<ChannelId>
  /** Its sender asks the chain to close it. */
  readonly closing: (channel: ChannelId) => Promise<void>
  /** As it is after all of this process is gone, on what is durable. */
  readonly reopened: () => Promise<Ledgers>
}

export type GiveLedgers = (t: ExecutionContext) => Promise<GivenLedgers>

/** Of any sender: who signed is not for the ledgers to say. */
const signatureAt = (balance: TokenAmount) =>
  parseSignature(`0x${balance.toString(16).padStart(128, '0')}1b`)

export function paymentOf(
  channel: ChannelId,
  balance: TokenAmount,
  price: TokenAmount,
  more: Partial<ProvenPayment> = {},
): ProvenPayment {
  return {
    ...{ sender: channel.sender, openBlock: channel.openBlock, balance, price },
    ...{ mayLeaveGap: true, bound: false, mac: undefined, request: undefined },
    keyNumber: undefined,
    proof: { signature: signatureAt(balance), form: 'eip712' },
    ...more,
  }
}

export const said = (outcome: ClaimOutcome): string =>
  outcome.kind === 'refused' ? outcome.code : outcome.kind

export async function channelOf(
  ledgers: Ledgers,
  channel: ChannelId,
): Promise<Channel | undefined> {
  return (await ledgers.look(channel, () => false)).channel
}

const claimsOf = async (ledgers: Ledgers, channel: ChannelId): Promise<Claims | undefined> =>
  (await channelOf(ledgers, channel))?.claims

function claimedBy(outcome: ClaimOutcome): Claimed {
  if (outcome.kind !== 'claimed') throw new Error(`not claimed: ${said(outcome)}`)
  return outcome
}

const macOf = (number: number) => number.toString(16).padStart(32, '0')

/** What a request with this MAC, whose answer was lost, is run again for. */
async function paidAgain(ledgers: Ledgers, channel: ChannelId, mac: number) {
  const before = await ledgers.again({
    ...channel,
    ...{ mac: macOf(mac), request: undefined, keyNumber: undefined },
  })
  return before?.kind === 'claimed' ? before.claimed.paid : undefined
}

const upTo = ({ from }: Interval, cost: TokenAmount): Interval => ({ from, to: from + cost })

type Behaviour = (t: ExecutionContext, given: GivenLedgers) => Promise<void>

/** By what they show. */
export const behaviours: { readonly [title: string]: Behaviour } = {
  'a balance pays once, and is durable': async (t, { ledgers, open, reopened }) => {
    const channel = await open(100n)
    t.is(said(await ledgers.claim(paymentOf(channel, 5n, 5n))), 'claimed')
    const replay = await ledgers.claim(paymentOf(channel, 5n, 5n))
    t.is(said(replay), 'balance_spent')
    t.is(replay.kind === 'refused' && replay.channel?.claims.highest, 5n)
    const later = await reopened()
    t.is(said(await later.claim(paymentOf(channel, 5n, 5n))), 'balance_spent')
    const { claims, proof } = (await channelOf(later, channel)) ?? {}
    t.deepEqual(claims, { highest: 5n, unclaimed: [] })
    t.deepEqual(proof, { signature: signatureAt(5n), form: 'eip712' })
  },

  'of many at once each interval is paid with once': async (t, { ledgers, open }) => {
    const channel = await open(1000n)
    const balances = Array.from({ length: 64 }, (_, at) => 5n * BigInt(at + 1))
    const twice = [...balances, ...balances.toReversed()]
    const outcomes = await Promise.all(
      twice.map((balance) => ledgers.claim(paymentOf(channel, balance, 5n))),
    )
    t.is(outcomes.filter(({ kind }) => kind === 'claimed').length, 64)
    t.deepEqual(await claimsOf(ledgers, channel), { highest: 320n, unclaimed: [] })
  },

  'payments and credits in any order end as the interval rule says': async (t, given) => {
    const { ledgers, open } = given
    const step = fc.record({
      balance: fc.bigInt(1n, 60n),
      price: fc.bigInt(1n, 12n),
      mayLeaveGap: fc.boolean(),
      cost: fc.option(fc.bigInt(0n, 12n)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const channel = await open(50n)
        let model = noClaims
        for (const { balance, price, mayLeaveGap, cost } of steps) {
          const decision = claim(model, { balance, price, mayLeaveGap })
          const outcome = await ledgers.claim(paymentOf(channel, balance, price, { mayLeaveGap }))
          const expected = decision.kind === 'refused' ? decision.code : decision.kind
          t.is(said(outcome), balance > 50n ? 'balance_over_deposit' : expected)
          if (outcome.kind !== 'claimed' || decision.kind !== 'claimed') continue
          model = decision.claims
          if (cost === null || cost >= price) continue
          const kept = upTo(decision.paid, cost)
          await ledgers.giveBack(outcome.claimed, kept)
          model = unclaim(model, { from: kept.to, to: decision.paid.to })
        }
        t.deepEqual(await claimsOf(ledgers, channel), model)
      }),
      { numRuns: 25 },
    )
  },

  'what a channel may not pay says why': async (t, { ledgers, open, closing }) => {
    const channel = await open(20n)
    t.is(said(await ledgers.claim(paymentOf(channel, 21n, 5n))), 'balance_over_deposit')
    t.is(
      said(await ledgers.claim(paymentOf(channel, 10n, 5n, { mayLeaveGap: false }))),
      'invalid_amount',
    )
    t.is(said(await ledgers.claim(paymentOf(channel, 4n, 5n))), 'invalid_amount')
    const nobody = { ...channel, openBlock: channel.openBlock + 100_000 }
    t.is(said(await ledgers.claim(paymentOf(nobody, 5n, 5n))), 'nonexisting_channel')
    t.is((await ledgers.look(nobody, () => true)).channel, undefined)
    await closing(channel)
    t.is(said(await ledgers.claim(paymentOf(channel, 5n, 5n))), 'nonexisting_channel')
  },

  'an agreement ends payments, at the balance that it names': async (t, given) => {
    const { ledgers, open, reopened } = given
    const channel = await open(100n)
    const code = async (balance: bigint) => {
      const error = await ledgers.agree({ ...channel, balance }).catch((thrown) => thrown)
      return isUraidenError(error) ? error.code : 'agreed'
    }
    t.is(await code(0n), 'never_paid')
    await ledgers.claim(paymentOf(channel, 5n, 5n))
    t.is(await code(4n), 'not_latest_balance')
    const [agreed, raced] = await Promise.all([
      code(5n),
      ledgers.claim(paymentOf(channel, 10n, 5n)),
    ])
    // One of them: a payment after it could not be claimed.
    t.deepEqual(
      [agreed, said(raced)].toSorted(),
      raced.kind === 'claimed'
        ? ['claimed', 'not_latest_balance']
        : ['agreed', 'nonexisting_channel'],
    )
    const { claims } = (await channelOf(ledgers, channel)) ?? {}
    t.is(await code(claims?.highest ?? 0n), 'agreed')
    t.is(await code(claims?.highest ?? 0n), 'agreed')
    const later = await reopened()
    t.is(said(await later.claim(paymentOf(channel, 20n, 5n))), 'nonexisting_channel')
    t.true((await channelOf(later, channel))?.agreedToClose)
    t.is(await code((claims?.highest ?? 0n) + 1n), 'not_latest_balance')
  },

  'a bound channel takes nothing that is not bound, and keys only rise': async (t, given) => {
    const { ledgers, open, reopened } = given
    const channel = await open(100n)
    const key = (last: string) => `0x02${'11'.repeat(31)}${last}` as never
    await ledgers.bind(channel, { key: key('01'), number: 5n })
    t.true(ledgers.isBoundOnly(channel, undefined))
    t.is(said(await ledgers.claim(paymentOf(channel, 5n, 5n))), 'nonexisting_channel')
    t.is(
      said(await ledgers.claim(paymentOf(channel, 5n, 5n, { bound: true, keyNumber: 5n }))),
      'claimed',
    )
    await ledgers.bind(channel, { key: key('02'), number: 6n })
    const later = await reopened()
    t.deepEqual((await channelOf(later, channel))?.requestKey, { key: key('02'), number: 6n })
    t.is(said(await later.claim(paymentOf(channel, 10n, 5n))), 'nonexisting_channel')
  },

  'a lost answer is given once more, and only once': async (t, { ledgers, open }) => {
    const channel = await open(1000n)
    const bound = (balance: bigint, mac: string) =>
      paymentOf(channel, balance, 5n, { bound: true, mac })
    await ledgers.claim(bound(5n, macOf(1)))
    ledgers.answerEnded(channel, macOf(1), 'broken')
    t.deepEqual(await paidAgain(ledgers, channel, 1), { from: 0n, to: 5n })
    t.is(await paidAgain(ledgers, channel, 1), undefined)
    await ledgers.claim(bound(10n, macOf(2)))
    ledgers.answerEnded(channel, macOf(2), 'whole')
    // On disk with the channel's next write.
    await ledgers.claim(bound(15n, macOf(3)))
    t.is(await paidAgain(ledgers, channel, 2), undefined)
    t.is(await paidAgain(ledgers, channel, 9), undefined)
  },

  'an answer whose payment was given back is not given again': async (t, { ledgers, open }) => {
    const channel = await open(1000n)
    const payment = paymentOf(channel, 5n, 5n, { bound: true, mac: macOf(1) })
    const { claimed } = claimedBy(await ledgers.claim(payment))
    await ledgers.giveBack(claimed, upTo(claimed.paid, 0n))
    ledgers.answerEnded(channel, macOf(1), 'broken')
    t.is(await paidAgain(ledgers, channel, 1), undefined)
    t.is(said(await ledgers.claim(paymentOf(channel, 5n, 5n, { bound: true }))), 'claimed')
  },

  'what pays again after all was given back is answered once': async (t, { ledgers, open }) => {
    const channel = await open(1000n)
    const payment = paymentOf(channel, 5n, 5n, { bound: true, mac: macOf(1) })
    const { claimed } = claimedBy(await ledgers.claim(payment))
    // No answer of it went out.
    await ledgers.giveBack(claimed, upTo(claimed.paid, 0n))
    t.is(said(await ledgers.claim(payment)), 'claimed')
    ledgers.answerEnded(channel, macOf(1), 'whole')
    await ledgers.claim(paymentOf(channel, 10n, 5n, { bound: true, mac: macOf(2) }))
    t.is(await paidAgain(ledgers, channel, 1), undefined)
    t.is(said(await ledgers.claim(payment)), 'balance_spent')
  },

  'of a channel the last 64 answers can be given again': async (t, { ledgers, open }) => {
    const channel = await open(1000n)
    const payments = Array.from({ length: 70 }, (_, at) =>
      paymentOf(channel, 5n * BigInt(at + 1), 5n, { bound: true, mac: macOf(at) }),
    )
    for (const payment of payments) {
      await ledgers.claim(payment)
      ledgers.answerEnded(channel, payment.mac ?? '', 'broken')
    }
    t.is(await paidAgain(ledgers, channel, 5), undefined)
    t.deepEqual(await paidAgain(ledgers, channel, 6), { from: 30n, to: 35n })
    t.deepEqual(await paidAgain(ledgers, channel, 69), { from: 345n, to: 350n })
  },

  'ticks prove balances, beside signatures and of one commitment after the other': async (
    t,
    { ledgers, open, reopened },
  ) => {
    const channel = await open(10_000n)
    const named = { ...channel, receiver }
    const first = commitTicks(named, { domain, key: senderKey }, { base: 0n })
    const ticked = (index: number, of = first): TickedProof => ({
      ...{ commitment: of.commitment, index, word: of.word(index) },
      form: 'eip712',
    })
    const pay = async (balance: bigint, proof: ProvenPayment['proof']) =>
      said(await ledgers.claim(paymentOf(channel, balance, 5n, { bound: true, proof })))
    const stands = async (of = ledgers) => {
      const { proof, ticks } = (await channelOf(of, channel)) ?? {}
      return { proof, ticks }
    }
    t.is(await pay(5n, ticked(1)), 'claimed')
    t.is(await pay(10n, ticked(2)), 'claimed')
    t.deepEqual(await stands(), { proof: ticked(2), ticks: ticked(2) })
    const signature = { signature: signatureAt(15n), form: 'eip712' } as const
    t.is(await pay(15n, signature), 'claimed')
    t.deepEqual(await stands(), { proof: signature, ticks: ticked(2) })
    t.is(await pay(20n, ticked(4)), 'claimed')
    const second = commitTicks(named, { domain, key: senderKey }, { base: 20n })
    t.is(await pay(25n, ticked(1, second)), 'claimed')
    t.is(await pay(30n, ticked(2, second)), 'claimed')
    t.deepEqual(await stands(await reopened()), {
      proof: ticked(2, second),
      ticks: ticked(2, second),
    })
    ledgers.forgetTicks(channel)
    t.is((await ledgers.look(channel, () => true)).channel?.ticks, undefined)
  },

  'below a deposit that may stand again the best proof stays': async (t, given) => {
    const { ledgers, toppedUp, reopened } = given
    const channel = await toppedUp(20n, 100n)
    const pay = (balance: bigint, price: bigint) =>
      ledgers.claim(paymentOf(channel, balance, price))
    for (const balance of [5n, 15n]) await pay(balance, balance === 5n ? 5n : 10n)
    t.is(said(await pay(40n, 25n)), 'claimed')
    t.is(said(await pay(60n, 10n)), 'claimed')
    t.is(said(await pay(50n, 10n)), 'claimed')
    const { fallbacks, claims } = (await channelOf(await reopened(), channel)) ?? {}
    t.deepEqual(claims, { highest: 60n, unclaimed: [] })
    t.deepEqual(fallbacks, [{ balance: 15n, signature: signatureAt(15n), form: 'eip712' }])
  },
}
