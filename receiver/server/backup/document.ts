// A backup as text: whose it is, the best proof of every channel, and the receiver's signature over all of
// it. What the chain knows is not in it: that is read again.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type NumberedKey, parseRequestPublicKey } from '../../../protocol/bound/index.ts'
import {
  type Address,
  type ContractBlock,
  isTickForm,
  isUraidenError,
  maxBlockNumber,
  parseAddress,
  parseShownProof,
  parseSignature,
  parseUint192,
  recoverSigner,
  type Signature,
  type Signer,
  shorten,
  type UraidenError,
} from '../../../protocol/index.ts'
import type { OfferedLedger } from '../../channels/merge.ts'
import { bestProofOf, mostFallbacks, proofsOf, shownProof } from '../../channels/proofs.ts'
import type { ProvenBalance } from '../../channels/records.ts'
import { receiverError } from '../../errors/index.ts'

/** Whose proofs these are; another identity cannot use them. */
export interface BackupIdentity {
  readonly chainId: bigint
  readonly contract: Address
  readonly receiver: Address
}

export interface BackupChannel extends OfferedLedger {
  readonly sender: Address
  readonly openBlock: ContractBlock
}

export interface Backup extends BackupIdentity {
  /** ISO 8601. */
  readonly created: string
  readonly channels: readonly BackupChannel[]
}

export interface ReadBackup extends Backup {
  /** Whether the receiver has signed all of it, or, in what versions before that wrote, senders their proofs only. */
  readonly signed: boolean
}

const kind = 'uraiden-receiver-backup'
/** The first version had a checksum in place of the signature. */
const unsigned = 1
const version = 2
/** With ticks among its proofs; programs of before refuse it. */
const ticked = 3

/**
 * One channel a line, so that two backups can be compared with `diff`. Signed as a whole: whoever could
 * change what was claimed would make spent proofs buy again.
 */
export async function formatBackup(backup: Backup, signer: Signer): Promise<string> {
  const body = bodyOf(backup, hasTicks(backup) ? ticked : version)
  const sha256 = checksum(body)
  const signature = await signer.sign(sha256)
  return `${body}${JSON.stringify({ sha256: sha256.toString('hex'), signature })}\n`
}

function hasTicks({ channels }: Backup): boolean {
  return channels.some((each) => proofsOf(each).some(({ signature }) => isTickForm(signature)))
}

/** For who keeps copies and has not the receiver's key: in the first version's form, proofs only. */
export function formatUnsigned(backup: Backup): string {
  const channels = backup.channels.filter(({ proof }) => proof !== undefined)
  const body = bodyOf({ ...backup, channels }, unsigned)
  return `${body}${JSON.stringify({ sha256: checksum(body).toString('hex') })}\n`
}

function bodyOf(backup: Backup, written: number): string {
  const head = {
    kind,
    version: written,
    created: backup.created,
    chainId: `${backup.chainId}`,
    contract: backup.contract,
    receiver: backup.receiver,
    channels: backup.channels.length,
  }
  const lines = [head, ...backup.channels.map(writtenChannel)].map((line) => JSON.stringify(line))
  return `${lines.join('\n')}\n`
}

function writtenChannel(channel: BackupChannel) {
  const { sender, openBlock, claims, agreedToClose, agreedBalance, requestKey } = channel
  const { proof, fallbacks = [] } = channel
  return {
    sender,
    openBlock,
    balance: `${claims.highest}`,
    ...(proof && { signature: shownProof(proof), form: proof.form }),
    ...(fallbacks.length > 0 && {
      fallbacks: fallbacks.map(({ balance, form, signature }) => [`${balance}`, form, signature]),
    }),
    ...(claims.unclaimed.length > 0 && {
      unclaimed: claims.unclaimed.map(({ from, to }) => [`${from}`, `${to}`]),
    }),
    ...(agreedToClose && { agreedToClose }),
    ...(agreedBalance !== undefined && { agreedBalance: `${agreedBalance}` }),
    ...(requestKey && { requestKey: [requestKey.key, `${requestKey.number}`] }),
  }
}

/**
 * What `formatBackup` wrote, now or in an earlier version. The signatures of senders are not checked here.
 * @throws UraidenError `backup_damaged`, `backup_format_unknown`, `backup_signature_wrong`
 */
export function parseBackup(text: string): ReadBackup {
  const lines = text.split('\n')
  // Of another version nothing else need be where ours is.
  const { version: found } = checked(firstWords, lines[0], 1)
  if (found !== version && found !== ticked && found !== unsigned) {
    throw receiverError({
      code: 'backup_format_unknown',
      message: `The backup has format ${found}; this program knows ${ticked}.`,
    })
  }
  const head = checked(headLine, lines[0], 1)
  const end = lines.length - 2
  const signed = found !== unsigned
  const { sha256, signature } = checked(signed ? lastLine : unsignedLastLine, lines[end], end + 1)
  const digest = checksum(`${lines.slice(0, end).join('\n')}\n`)
  if (lines.at(-1) !== '' || digest.toString('hex') !== sha256) {
    throw damaged('its checksum does not fit')
  }
  if (signature !== undefined) checkSignature(head.receiver, digest, signature)
  const channels = lines.slice(1, end).map((line, at) => checked(channelLine, line, at + 2))
  if (channels.length !== head.channels) {
    throw damaged(`it has ${channels.length} channels, and says ${head.channels}`)
  }
  const names = new Set(channels.map(({ sender, openBlock }) => `${sender}/${openBlock}`))
  if (names.size !== channels.length) throw damaged('it has a channel twice')
  const { created, chainId, contract, receiver } = head
  const facts = { created, chainId, contract, receiver, signed }
  return { ...facts, channels: signed ? channels : channels.map(whatSendersSigned) }
}

/**
 * Of what nobody but the senders has signed: their balances. Gaps below count as paid; request keys and
 * balances of agreements are not believed. A note that a channel has agreed to close stays, because it can
 * only stop payments.
 */
function whatSendersSigned(channel: BackupChannel): BackupChannel {
  const { claims, agreedBalance: _, requestKey: __, ...signed } = channel
  if (signed.proof === undefined) throw damaged('a channel in it has no proof')
  return { ...signed, claims: { highest: claims.highest, unclaimed: [] } }
}

function checkSignature(receiver: Address, digest: Uint8Array, signature: Signature): void {
  try {
    if (recoverSigner(digest, signature) === receiver) return
  } catch (error) {
    if (!isUraidenError(error, 'unrecoverable_signature')) throw error
  }
  throw receiverError({
    code: 'backup_signature_wrong',
    message: 'The backup is not signed by its receiver. Nothing was restored.',
  })
}

/** Of a text that names its kind and version first: nothing else that is signed has this hash. */
function checksum(body: string): Buffer {
  return createHash('sha256').update(body).digest()
}

const read = <Value>(parse: (text: string) => Value) =>
  z.string().transform((text, context): Value => {
    try {
      return parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'invalid' })
      return z.NEVER
    }
  })

const firstWords = z.object({ kind: z.literal(kind), version: z.int() })

const headLine = firstWords.extend({
  created: z.string(),
  chainId: z
    .string()
    .regex(/^[1-9][0-9]{0,77}$/)
    .transform(BigInt),
  contract: read(parseAddress),
  receiver: read(parseAddress),
  channels: z.int().nonnegative(),
})

const lastLine = z.strictObject({ sha256: z.string(), signature: read(parseSignature) })
const unsignedLastLine = z.strictObject({ sha256: z.string(), signature: z.undefined().optional() })

const amount = read(parseUint192)

const form = z.enum(['seed', 'eip712'])

const channelLine = z
  .strictObject({
    sender: read(parseAddress),
    openBlock: z.int().min(0).max(maxBlockNumber),
    balance: amount,
    signature: read(parseShownProof).optional(),
    form: form.optional(),
    unclaimed: z.array(z.tuple([amount, amount])).default([]),
    fallbacks: z
      .array(z.tuple([amount, form, read(parseShownProof)]))
      .max(mostFallbacks)
      .optional(),
    agreedToClose: z.boolean().default(false),
    agreedBalance: amount.optional(),
    requestKey: z
      .tuple([
        read(parseRequestPublicKey),
        z
          .string()
          .regex(/^\d{1,20}$/)
          .transform(BigInt),
      ])
      .transform(([key, number]): NumberedKey => ({ key, number }))
      .optional(),
  })
  .refine(({ unclaimed, balance }) => isRising([0n, ...unclaimed.flat(), balance]), {
    path: ['unclaimed'],
  })
  .refine(
    ({ fallbacks = [], balance }) => {
      const bounds = [...fallbacks.map(([each]) => each), balance]
      return bounds.every((each, at) => at === 0 || (bounds[at - 1] ?? each) < each)
    },
    { path: ['fallbacks'] },
  )
  .refine(({ signature, form }) => (signature === undefined) === (form === undefined), {
    path: ['form'],
  })
  .refine(
    ({ signature, requestKey, balance }) =>
      signature !== undefined || (requestKey !== undefined && balance === 0n),
    { path: ['signature'] },
  )
  .transform(
    ({ balance, signature, form, unclaimed, fallbacks, ...rest }, context): BackupChannel => ({
      ...rest,
      ...(fallbacks && {
        fallbacks: fallbacks.map(([balance, form, signature]) => ({ balance, form, signature })),
      }),
      claims: { highest: balance, unclaimed: unclaimed.map(([from, to]) => ({ from, to })) },
      ...(signature && form && proofFrom({ balance, signature, form }, context)),
    }),
  )

function proofFrom(proven: ProvenBalance, context: z.RefinementCtx): Pick<BackupChannel, 'proof'> {
  try {
    return { proof: bestProofOf(proven) }
  } catch {
    context.addIssue({ code: 'custom', message: 'invalid', path: ['signature'] })
    return z.NEVER
  }
}

/** Intervals that are apart, not empty, and below the balance. The first may begin at 0. */
function isRising([first = 0n, ...rest]: readonly bigint[]): boolean {
  return rest.every((bound, at) => {
    const before = at === 0 ? first : (rest[at - 1] ?? first)
    // Only at both ends may two bounds be the same.
    return at === 0 || at === rest.length - 1 ? before <= bound : before < bound
  })
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  line: string | undefined,
  number: number,
): z.output<Schema> {
  let value: unknown
  try {
    value = JSON.parse(line ?? '')
  } catch {
    throw damaged(`line ${number} is not JSON`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.join('.') ?? ''
  throw damaged(
    `line ${number}${field === '' ? '' : `, ${shorten(field)},`} is not what it should be`,
  )
}

function damaged(why: string): UraidenError {
  return receiverError({
    code: 'backup_damaged',
    message: `This is no whole backup: ${why}.`,
  })
}
