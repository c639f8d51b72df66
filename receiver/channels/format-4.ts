// Ledgers as formats up to 4 had them: JSON with the request key in it, and each answer that was on its way in a
// record of its own. Read once, by the program that takes such state on.
import { keysUnder, type StateDatabase } from '../../platform/state/state.ts'
import { parseRequestPublicKey } from '../../protocol/bound/index.ts'
import {
  parseCommitment,
  parseShownProof,
  parseSignature,
  parseTickWord,
  parseUint192,
  type SignedCommitment,
  toHex,
} from '../../protocol/index.ts'
import { encodeLedger, encodeRequestKey } from './ledger-record.ts'
import type { AnswerRecord, PaymentLedger, ProvenBalance, TickedProof } from './records.ts'

/** How many answers of a channel had a record. */
const slots = 64

const prefixes = { ledger: 'ledger/', commitment: 'ticks/', answer: 'ring/' } as const

/** How many channels are taken on in one write. */
const atOnce = 1000

/** Where the new records go. */
export interface NewPrefixes {
  readonly ledger: string
  readonly requestKey: string
}

/** All ledgers in the form of now. What a crash leaves undone the next start does: each channel moves at once. */
export async function takeOnFormat4(db: StateDatabase, to: NewPrefixes): Promise<void> {
  for (;;) {
    const some = await db.iterator({ ...keysUnder(prefixes.ledger), limit: atOnce }).all()
    if (some.length === 0) break
    const moved = await Promise.all(some.map(([key, text]) => moveLedger(db, { key, text, to })))
    await db.batch<string, Uint8Array>(moved.flat(), { sync: true })
  }
  // Of channels that had been dropped.
  await db.clear(keysUnder(prefixes.answer))
}

interface Moved {
  readonly key: string
  readonly text: string
  readonly to: NewPrefixes
}

async function moveLedger(db: StateDatabase, { key, text, to }: Moved) {
  const name = key.slice(prefixes.ledger.length)
  const commitment = await db.get(`${prefixes.commitment}${name}`)
  const ring = await db.iterator(keysUnder(`${prefixes.answer}${name}/`)).all()
  const answers = ring.map(([, record]) => decodeAnswer(record))
  const ledger = decodeFormat4(text, {
    commitment: commitment && parseCommitment(commitment),
    answers,
  })
  const { requestKey } = ledger
  return [
    put(`${to.ledger}${name}`, encodeLedger(ledger)),
    ...(requestKey
      ? [put(`${to.requestKey}${name}`, Buffer.from(encodeRequestKey(requestKey)))]
      : []),
    ...[key, ...ring.map(([each]) => each)].map((each) => ({ type: 'del' as const, key: each })),
  ]
}

function put(key: string, value: Uint8Array) {
  return { type: 'put' as const, key, value, valueEncoding: 'view' as const }
}

interface Beside4 {
  readonly commitment?: SignedCommitment | '' | undefined
  /** Of the channel's ring; those that the ledger does not name are over. */
  readonly answers?: readonly AnswerRecord[]
}

/** @throws UraidenError when a field is not what it should be: the file was damaged */
function decodeFormat4(text: string, beside: Beside4 = {}): PaymentLedger {
  const { highest, unclaimed = [], agreedToClose = false, ...rest } = JSON.parse(text)
  const { fallbacks, agreedBalance, collecting, requestKey, answers } = rest
  return {
    claims: {
      highest: parseUint192(highest),
      unclaimed: unclaimed.map(([from, to]: readonly [string, string]) => ({
        from: parseUint192(from),
        to: parseUint192(to),
      })),
    },
    ...decodeProof(rest, beside.commitment || undefined),
    ...(fallbacks && { fallbacks: fallbacks.map(decodeProven) }),
    agreedToClose,
    ...(agreedBalance !== undefined && { agreedBalance: parseUint192(agreedBalance) }),
    ...(collecting && { collecting: true }),
    ...(requestKey && {
      requestKey: { key: parseRequestPublicKey(requestKey[0]), number: BigInt(requestKey[1]) },
    }),
    ...(answers && { answers: answersFrom(answers, beside.answers ?? []) }),
  }
}

function answersFrom(
  [last = 0, ...open]: readonly number[],
  found: readonly AnswerRecord[],
): PaymentLedger['answers'] {
  const isOpen = ({ number }: AnswerRecord) => number > last - slots && open.includes(number)
  return { last, open: found.filter(isOpen).toSorted((a, b) => a.number - b.number) }
}

type WrittenTick = readonly [index: number, word: string]

interface WrittenProof {
  readonly seed?: string
  readonly eip712?: string
  /** The best proof is this tick. */
  readonly tick?: WrittenTick
  /** No more of its commitment are taken. */
  readonly forgotten?: true
  /** The last tick, below the best proof. */
  readonly anchor?: WrittenTick
}

function decodeProof(
  { seed, eip712, tick, forgotten, anchor }: WrittenProof,
  commitment: SignedCommitment | undefined,
): Pick<PaymentLedger, 'proof' | 'ticks'> {
  const ticked = ([index, word]: WrittenTick): TickedProof => {
    if (commitment === undefined) throw new RangeError('a tick without its commitment')
    return { commitment, index, word: parseTickWord(hexFrom(word)), form: 'eip712' }
  }
  if (tick !== undefined) {
    const proof = ticked(tick)
    return forgotten ? { proof } : { proof, ticks: proof }
  }
  const last = anchor && { ticks: ticked(anchor) }
  const signed = seed ?? eip712
  if (signed === undefined) return {}
  const form = seed === undefined ? 'eip712' : 'seed'
  return { proof: { signature: parseSignature(hexFrom(signed)), form }, ...last }
}

function decodeProven([balance, form, signature]: readonly [
  string,
  string,
  string,
]): ProvenBalance {
  return {
    balance: parseUint192(balance),
    signature: parseShownProof(hexFrom(signature)),
    form: form === 'seed' ? 'seed' : 'eip712',
  }
}

function decodeAnswer(text: string): AnswerRecord {
  const [number, name, from, to] = JSON.parse(text)
  const mac = Buffer.from(name, 'base64url').toString('hex')
  return { number, mac, paid: { from: parseUint192(from), to: parseUint192(to) } }
}

function hexFrom(text: string): string {
  return toHex(Buffer.from(text, 'base64'))
}
