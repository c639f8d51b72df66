// A ledger as it is written for every payment, so it is short: the disk sees each byte several times. What stays the
// same from one payment to the next is written once, beside it: the commitment to ticks and the request key.

import {
  type RecordReader,
  type RecordWriter,
  recordReader,
  recordWriter,
} from '../../platform/state/record-bytes.ts'
import { type NumberedKey, parseRequestPublicKey } from '../../protocol/bound/index.ts'
import {
  maxTokenAmount,
  parseShownProof,
  parseSignature,
  parseTickWord,
  type ShownProof,
  type SignatureForm,
  type SignedCommitment,
  type TickWord,
  type TokenAmount,
} from '../../protocol/index.ts'
import {
  type AnswerNumbers,
  type AnswerRecord,
  isTicked,
  type PaymentLedger,
  type ProvenBalance,
  type TickedProof,
} from './records.ts'

/** What stands beside a ledger in records of its own. */
export interface LedgerBeside {
  readonly commitment?: SignedCommitment | undefined
  readonly requestKey?: NumberedKey | undefined
}

/** With the best proof and with the last tick: there is one of both at most. */
export function commitmentOf({ proof, ticks }: PaymentLedger): SignedCommitment | undefined {
  return ticks?.commitment ?? (proof && isTicked(proof) ? proof.commitment : undefined)
}

/** What a record has, a bit each, in the order in which it follows. */
const has = {
  unclaimed: 1,
  fallbacks: 2,
  agreedBalance: 4,
  answers: 8,
  /** These two are said by their bits alone. */
  agreedToClose: 16,
  collecting: 32,
} as const

/** What the best proof is. */
const proofs = {
  none: 0,
  seed: 1,
  eip712: 2,
  tick: 3,
  /** A tick, and no more of its commitment are taken. */
  lastTick: 4,
} as const

/** Added to it: the last tick is below the best proof. */
const withAnchor = 8

export function encodeLedger(ledger: PaymentLedger): Uint8Array {
  const { claims, fallbacks, agreedBalance, answers } = ledger
  const writer = recordWriter()
  writer.byte(
    (claims.unclaimed.length > 0 ? has.unclaimed : 0) +
      (fallbacks ? has.fallbacks : 0) +
      (agreedBalance === undefined ? 0 : has.agreedBalance) +
      (answers ? has.answers : 0) +
      (ledger.agreedToClose ? has.agreedToClose : 0) +
      (ledger.collecting ? has.collecting : 0),
  )
  writer.amount(claims.highest)
  writeProof(writer, ledger)
  if (claims.unclaimed.length > 0) writeUnclaimed(writer, ledger)
  if (fallbacks) {
    writer.count(fallbacks.length)
    for (const each of fallbacks) writeProven(writer, each)
  }
  if (agreedBalance !== undefined) writer.amount(agreedBalance)
  if (answers) writeAnswers(writer, answers)
  return writer.bytes()
}

/**
 * `beside` is what stands beside it.
 * @throws RangeError or UraidenError when it is not what was written: the file was damaged
 */
export function decodeLedger(record: Uint8Array, beside: LedgerBeside = {}): PaymentLedger {
  const reader = recordReader(record)
  const said = reader.byte()
  const highest = readAmount(reader)
  const proven = readProof(reader, beside.commitment)
  const unclaimed = said & has.unclaimed ? readUnclaimed(reader) : []
  const fallbacks = said & has.fallbacks ? readList(reader, readProven) : undefined
  const agreedBalance = said & has.agreedBalance ? readAmount(reader) : undefined
  const answers = said & has.answers ? readAnswers(reader) : undefined
  reader.end()
  const { requestKey } = beside
  return {
    claims: { highest, unclaimed },
    ...proven,
    ...(fallbacks && { fallbacks }),
    agreedToClose: (said & has.agreedToClose) !== 0,
    ...(agreedBalance !== undefined && { agreedBalance }),
    ...(said & has.collecting && { collecting: true }),
    ...(requestKey && { requestKey }),
    ...(answers && { answers }),
  }
}

/** Beside a ledger; see `LedgerBeside`. */
export function encodeRequestKey({ key, number }: NumberedKey): string {
  return `${key} ${number}`
}

/** @throws UraidenError `not_a_request_key`, SyntaxError: the file was damaged */
export function decodeRequestKey(text: string): NumberedKey {
  const [key = '', number = ''] = text.split(' ')
  return { key: parseRequestPublicKey(key), number: BigInt(number) }
}

function writeProof(writer: RecordWriter, { proof, ticks }: PaymentLedger): void {
  if (proof === undefined) {
    writer.byte(proofs.none)
  } else if (isTicked(proof)) {
    writer.byte(ticks === undefined ? proofs.lastTick : proofs.tick)
    writeTick(writer, proof)
  } else {
    writer.byte(proofs[proof.form] + (ticks ? withAnchor : 0))
    writer.hex(proof.signature.slice(2))
    if (ticks) writeTick(writer, ticks)
  }
}

function readProof(
  reader: RecordReader,
  commitment: SignedCommitment | undefined,
): Pick<PaymentLedger, 'proof' | 'ticks'> {
  const kind = reader.byte()
  switch (kind % withAnchor) {
    case proofs.none:
      return {}
    case proofs.tick: {
      const proof = readTick(reader, commitment)
      return { proof, ticks: proof }
    }
    case proofs.lastTick:
      return { proof: readTick(reader, commitment) }
    case proofs.seed:
    case proofs.eip712: {
      const form: SignatureForm = kind % withAnchor === proofs.seed ? 'seed' : 'eip712'
      const proof = { signature: parseSignature(`0x${reader.hex(65)}`), form }
      return kind < withAnchor ? { proof } : { proof, ticks: readTick(reader, commitment) }
    }
    default:
      throw new RangeError('a record has a proof of no known kind')
  }
}

function writeTick(writer: RecordWriter, { index, word }: TickedProof): void {
  writer.count(index)
  writer.hex(word.slice(2))
}

function readTick(reader: RecordReader, commitment: SignedCommitment | undefined): TickedProof {
  if (commitment === undefined) throw new RangeError('a tick without its commitment')
  const index = reader.count()
  const word: TickWord = parseTickWord(`0x${reader.hex(32)}`)
  return { commitment, index, word, form: 'eip712' }
}

function writeUnclaimed(writer: RecordWriter, { claims }: PaymentLedger): void {
  writer.count(claims.unclaimed.length)
  for (const { from, to } of claims.unclaimed) {
    writer.amount(from)
    writer.amount(to)
  }
}

function readUnclaimed(reader: RecordReader): PaymentLedger['claims']['unclaimed'] {
  return readList(reader, () => {
    const from = readAmount(reader)
    return { from, to: readAmount(reader) }
  })
}

function writeProven(writer: RecordWriter, { balance, form, signature }: ProvenBalance): void {
  const digits = signature.slice(2)
  writer.amount(balance)
  writer.byte(proofs[form])
  writer.count(digits.length / 2)
  writer.hex(digits)
}

function readProven(reader: RecordReader): ProvenBalance {
  const balance = readAmount(reader)
  const form: SignatureForm = reader.byte() === proofs.seed ? 'seed' : 'eip712'
  const signature: ShownProof = parseShownProof(`0x${reader.hex(reader.count())}`)
  return { balance, signature, form }
}

function writeAnswers(writer: RecordWriter, { last, open }: AnswerNumbers): void {
  writer.count(last)
  writer.count(open.length)
  for (const { number, mac, paid } of open) {
    writer.count(last - number)
    writer.hex(mac)
    writer.amount(paid.from)
    writer.amount(paid.to - paid.from)
  }
}

function readAnswers(reader: RecordReader): AnswerNumbers {
  const last = reader.count()
  const open = readList(reader, (): AnswerRecord => {
    const number = last - reader.count()
    const mac = reader.hex(16)
    const from = readAmount(reader)
    return { number, mac, paid: { from, to: from + readAmount(reader) } }
  })
  return { last, open }
}

function readList<Value>(
  reader: RecordReader,
  read: (reader: RecordReader) => Value,
): readonly Value[] {
  const length = reader.count()
  const found: Value[] = []
  while (found.length < length) found.push(read(reader))
  return found
}

function readAmount(reader: RecordReader): TokenAmount {
  const amount = reader.amount()
  if (amount > maxTokenAmount) throw new RangeError('an amount in a record is too large')
  return amount
}
