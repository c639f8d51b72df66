// Without ether: the receiver sends the transactions that we have signed the contents of
// (wire-protocol.md section 8, relay). It can send them or not; it cannot change them.

import { type Receipt, waitForTransaction } from '../../platform/chain/index.ts'
import { type Hex, isHex, type Signature, type TokenAmount } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { type BoundChannel, sendBound } from '../transport/bound.ts'
import {
  type HttpRequest,
  mostApiAnswer,
  type OpenAnswer,
  type Transport,
} from '../transport/transport.ts'
import type { AgentChain } from './agent-chain.ts'
import { type AuthorisedDeposit, authoriseDeposit } from './authorise.ts'
import { type Deposit, type RelayedDeposit, readRelayed, relayedIntent } from './intents.ts'
import type { Notes } from './notes.ts'
import { readOwnEvents } from './recovery.ts'

export interface Relay {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly transport: Transport
  /** Between two looks for the transaction, in milliseconds. */
  readonly pollInterval: number
}

export interface RelayOptions {
  readonly relay: Relay
  readonly confirmations: number
}

export interface RelayedClose {
  readonly openBlock: number
  readonly balance: TokenAmount
  /** Ours, over the balance. */
  readonly signature: Signature
}

/**
 * Noted before the receiver can send anything: it may do so whatever it answers.
 * @throws UraidenError `relay_refused`, `transaction_reverted`, `transaction_unconfirmed`, and those of
 * transport and chain
 */
export async function relayDeposit(
  chain: AgentChain,
  deposit: Deposit,
  { relay, confirmations, notes }: RelayOptions & { readonly notes: Notes },
): Promise<Receipt> {
  const { client } = chain
  const { number: head } = await client.head()
  const authorised = await authoriseDeposit(chain, deposit)
  const intent = relayedIntent(deposit)
  const wait = {
    purpose: 'add a deposit through the receiver',
    confirmations,
    pollInterval: relay.pollInterval,
  }
  const earlier = readRelayed(notes, intent)
  // Looked for after the nonces were read: what is mined from here on uses one that we have signed now,
  // so only one of the two can be.
  const made = earlier && (await findRelayed(chain, intent, earlier))
  if (made !== undefined) return waitForTransaction(client, made, wait)
  const since = earlier?.since ?? head
  const noted: RelayedDeposit = { since, deadline: Number(authorised.permit.deadline) }
  await notes.now(intent, noted)
  const transaction = await askToSend(relay, depositRequest(deposit, authorised))
  await notes.now(intent, { ...noted, transaction })
  return waitForTransaction(client, transaction, wait)
}

/** The transaction that has made a deposit which was asked for earlier. */
export async function findRelayed(
  { client, signer }: AgentChain,
  intent: string,
  { since }: RelayedDeposit,
): Promise<Hex | undefined> {
  const events = await readOwnEvents(client, signer.address, since + 1)
  const made = events.find(({ kind, channel: { receiver, openBlock } }) =>
    kind === 'created'
      ? intent === relayedIntent({ receiver })
      : kind === 'toppedUp' && intent === relayedIntent({ receiver, openBlock }),
  )
  return made?.transaction
}

/** @throws UraidenError as `relayDeposit` */
export async function relayClose(
  { client, signer }: AgentChain,
  { openBlock, balance, signature }: RelayedClose,
  { relay, confirmations, bound }: RelayOptions & { readonly bound?: BoundChannel | undefined },
): Promise<Receipt> {
  const body = {
    sender_address: signer.address,
    open_block: `${openBlock}`,
    balance: `${balance}`,
    balance_signature: signature,
  }
  const transaction = await askToSend(relay, { path: 'close', body, to: relay.api.origin, bound })
  return waitForTransaction(client, transaction, {
    purpose: 'close the channel through the receiver',
    confirmations,
    pollInterval: relay.pollInterval,
  })
}

interface Asked {
  readonly path: string
  readonly body: object
  /** How a message calls the receiver. */
  readonly to: string
  /** Of a channel that is bound: nobody else may ask for it, or answer. */
  readonly bound?: BoundChannel | undefined
}

function depositRequest(
  { sender, receiver, amount, openBlock }: Deposit,
  { permit, signature }: AuthorisedDeposit,
): Asked {
  const common = {
    sender_address: sender,
    receiver_address: receiver,
    deadline: permit.deadline.toString(),
    permit_signature: permit.signature,
  }
  if (openBlock === undefined) {
    const body = { ...common, deposit: `${amount}`, open_signature: signature }
    return { path: 'open', body, to: receiver }
  }
  const added = { open_block: `${openBlock}`, added_deposit: `${amount}` }
  return { path: 'topup', body: { ...common, ...added, top_up_signature: signature }, to: receiver }
}

async function askToSend({ api, transport }: Relay, asked: Asked): Promise<Hex> {
  const { path, body, to, bound } = asked
  const request = {
    method: 'POST',
    url: new URL(`${api.pathname}/relay/${path}`, api),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
    mostBody: mostApiAnswer,
  }
  const answer = await answerTo(transport, request, bound)
  const said = readJson(await answer.body())
  if (answer.status === 200 && isHex(said.transaction_hash)) return said.transaction_hash
  throw agentError({
    code: 'relay_refused',
    message: `The receiver ${to} does not send our transaction: ${said.detail ?? answer.status}`,
  })
}

async function answerTo(
  transport: Relay['transport'],
  request: HttpRequest,
  bound: BoundChannel | undefined,
): Promise<OpenAnswer> {
  if (bound === undefined) return transport.send(request)
  const reply = await sendBound(transport, request, bound)
  if (reply.kind === 'authentic') return reply.answer
  throw reply.error
}

function readJson(body: Uint8Array): {
  readonly transaction_hash?: unknown
  readonly detail?: string
} {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {}
  } catch {
    return {}
  }
}
