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
import type { Deposit } from './intents.ts'
import type { SignedDeposit } from './signed-deposit.ts'

export interface Relay {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly transport: Transport
  /** Between two looks for the transaction, in milliseconds. */
  readonly pollInterval: number
}

interface RelayOptions {
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
 * Asks the receiver to send a deposit. Resolves with its transaction.
 * @throws UraidenError `relay_refused`, and those of the transport
 */
export async function askForDeposit(
  relay: Relay,
  deposit: Deposit,
  signed: SignedDeposit,
): Promise<Hex> {
  return askToSend(relay, depositRequest(deposit, signed))
}

/**
 * Whether the receiver opens channels with authorizations. Asked before one is signed: one that it has seen may
 * still be sent when it has refused it, and so may another deposit in its place.
 * @throws UraidenError those of the transport
 */
export async function relaysAuthorizations({ api, transport }: Relay): Promise<boolean> {
  const answer = await transport.send({
    method: 'GET',
    url: new URL(`${api.pathname}/relay`, api),
    headers: { accept: 'application/json' },
    mostBody: mostApiAnswer,
  })
  const { open } = readJson(await answer.body())
  return answer.status === 200 && Array.isArray(open) && open.includes('authorization')
}

/**
 * @throws UraidenError `relay_refused`, `transaction_reverted`, `transaction_unconfirmed`, and those of transport
 * and chain
 */
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
  signed: SignedDeposit,
): Asked {
  const parties = { sender_address: sender, receiver_address: receiver }
  if (signed.kind === 'authorization') {
    const { validAfter, validBefore, salt } = signed.opening
    const validity = { valid_after: `${validAfter}`, valid_before: `${validBefore}` }
    const { authorization } = signed
    const body = { ...parties, deposit: `${amount}`, ...validity, salt, authorization }
    return { path: 'open', body, to: receiver }
  }
  const { permit, signature } = signed
  const common = {
    ...parties,
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
  readonly open?: unknown
  readonly detail?: string
} {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {}
  } catch {
    return {}
  }
}
