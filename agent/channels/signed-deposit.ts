// Deposits that we sign once and that anybody may send: the receiver's relay, or we. Who has seen one may also send it
// before us. So it is noted before it leaves, and while it may still be sent no other one is signed than such of which
// only one of the two can be: with the same nonce of `OpenChannel`, or the same salt of an authorization.
import { randomBytes } from 'node:crypto'
import {
  authorizationSeparator,
  type Call,
  type Receipt,
  waitForTransaction,
} from '../../platform/chain/index.ts'
import { type Hex, toHex, type UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import {
  type AuthorisedDeposit,
  type AuthorizedOpening,
  authoriseDeposit,
  authorizeOpening,
} from './authorise.ts'
import { type Deposit, type RelayedDeposit, readRelayed, relayedIntent } from './intents.ts'
import type { Notes } from './notes.ts'
import { readOwnEvents } from './recovery.ts'

export type SignedDeposit =
  | ({ readonly kind: 'permit' } & AuthorisedDeposit)
  | ({ readonly kind: 'authorization' } & AuthorizedOpening)

/** What is signed: permit and message of the contract, or one authorization. */
export type Form =
  | { readonly kind: 'permit' }
  | { readonly kind: 'authorization'; readonly salt: Hex; readonly separator: Uint8Array }

export interface SignedWork {
  readonly notes: Notes
  readonly confirmations: number
  /** Between two looks for a transaction, in milliseconds. */
  readonly pollInterval: number
}

export type Earlier =
  | { readonly kind: 'none' }
  | { readonly kind: 'made'; readonly receipt: Receipt }
  /** It is not in a block, and may still come into one. */
  | { readonly kind: 'open'; readonly note: RelayedDeposit }

/**
 * What became of a deposit that was signed earlier; forgets one that nobody can send any more.
 * @throws UraidenError `transaction_unconfirmed`, and those of the chain
 */
export async function lookForEarlier(
  chain: AgentChain,
  intent: string,
  work: SignedWork,
): Promise<Earlier> {
  const note = readRelayed(work.notes, intent)
  if (note === undefined) return { kind: 'none' }
  // Before the events: what is over by now comes into no later block than they are read from.
  const { timestamp } = await chain.client.head()
  const receipt = await madeAlready(chain, intent, { ...work, since: note.since })
  if (receipt !== undefined) return { kind: 'made', receipt }
  if (timestamp <= note.deadline) return { kind: 'open', note }
  await work.notes.now(intent, undefined)
  return { kind: 'none' }
}

/** Undefined where token or contract takes no authorizations. @throws UraidenError those of the chain */
export async function authorizationForm(
  { client }: AgentChain,
  salt: Hex = toHex(randomBytes(32)),
): Promise<Form | undefined> {
  const separator = await authorizationSeparator(client)
  return separator && { kind: 'authorization', salt, separator }
}

/** The only form in which another deposit may be signed while this one may be sent. */
export async function formOfEarlier(chain: AgentChain, { salt }: RelayedDeposit): Promise<Form> {
  if (salt === undefined) return { kind: 'permit' }
  const form = await authorizationForm(chain, salt)
  if (form === undefined) throw noAuthorizations()
  return form
}

/**
 * Signs a deposit, notes it, and has it sent; `send` resolves with the transaction that has made it.
 * @throws UraidenError those of `send`, of the signer and of the chain
 */
export async function depositSigned(
  chain: AgentChain,
  deposit: Deposit,
  {
    form,
    send,
    ...work
  }: SignedWork & {
    readonly form: Form
    readonly send: (
      signed: SignedDeposit,
      noted: (transaction: Hex) => Promise<void>,
    ) => Promise<Receipt>
  },
): Promise<Receipt> {
  const { client } = chain
  const { notes } = work
  const intent = relayedIntent(deposit)
  const { number: head } = await client.head()
  const signed = await sign(chain, deposit, form)
  const earlier = readRelayed(notes, intent)
  const since = earlier?.since ?? head
  const made = () => madeAlready(chain, intent, { ...work, since })
  // Looked for after the nonces were read: what is mined from here on uses one that we have signed now,
  // so only one of the two can be.
  const before = earlier && (await made())
  if (before !== undefined) return before
  const noted: RelayedDeposit = { since, ...validityOf(signed) }
  await notes.now(intent, noted)
  try {
    return await send(signed, (transaction) => notes.now(intent, { ...noted, transaction }))
  } catch (error) {
    // Somebody who saw it was first, and the deposit is there.
    const receipt = await made().catch(() => undefined)
    if (receipt !== undefined) return receipt
    throw error
  }
}

/** The transaction that has made a deposit which was signed earlier, once it is deep enough. */
async function madeAlready(
  { client, signer }: AgentChain,
  intent: string,
  { since, confirmations, pollInterval }: SignedWork & Pick<RelayedDeposit, 'since'>,
): Promise<Receipt | undefined> {
  const events = await readOwnEvents(client, signer.address, since + 1)
  const made = events.find(({ kind, channel: { receiver, openBlock } }) =>
    kind === 'created'
      ? intent === relayedIntent({ receiver })
      : kind === 'toppedUp' && intent === relayedIntent({ receiver, openBlock }),
  )
  if (made === undefined) return undefined
  const wait = { purpose: 'add a deposit', confirmations, pollInterval }
  return waitForTransaction(client, made.transaction, wait)
}

async function sign(chain: AgentChain, deposit: Deposit, form: Form): Promise<SignedDeposit> {
  return form.kind === 'permit'
    ? { kind: 'permit', ...(await authoriseDeposit(chain, deposit)) }
    : { kind: 'authorization', ...(await authorizeOpening(chain, deposit, form)) }
}

function validityOf(signed: SignedDeposit): Pick<RelayedDeposit, 'deadline' | 'salt'> {
  if (signed.kind === 'permit') return { deadline: Number(signed.permit.deadline) }
  const { validBefore, salt } = signed.opening
  return { deadline: Number(validBefore), salt }
}

/** For whoever sends it. */
export function signedCall(
  { client: { calls } }: AgentChain,
  { sender, receiver, amount, openBlock }: Deposit,
  signed: SignedDeposit,
): Call {
  if (signed.kind === 'authorization') {
    return calls.createChannelWithAuthorization(signed.opening, signed.authorization)
  }
  const { permit, signature } = signed
  return openBlock === undefined
    ? calls.createChannelFor({ sender, receiver, deposit: amount }, permit, signature)
    : calls.topUpFor({ sender, receiver, openBlock }, amount, permit, signature)
}

export function noAuthorizations(): UraidenError {
  return agentError({
    code: 'authorizations_not_taken',
    message: 'The contract or its token takes no authorizations (EIP-3009).',
  })
}
