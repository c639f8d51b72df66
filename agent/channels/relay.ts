// Without ether: the receiver sends the transactions that we have signed the contents of
// (wire-protocol.md section 8, relay). It can send them or not; it cannot change them.
import { type ChainClient, type Receipt, waitForTransaction } from '../../platform/chain/index.ts'
import {
  type Address,
  type Hex,
  isHex,
  type Signature,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import type { Transport } from '../transport/transport.ts'
import type { AgentChain } from './agent-chain.ts'
import { type AuthorisedDeposit, authoriseDeposit } from './authorise.ts'
import { type RelayedDeposit, readRelayed, relayedIntent } from './intents.ts'
import type { Into } from './into.ts'
import type { Notes } from './notes.ts'
import { readOwnEvents } from './recovery.ts'

export interface Relay {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly transport: Transport
  /** Between two looks for the transaction, in milliseconds. */
  readonly pollInterval: number
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
  { client, signer }: AgentChain,
  relay: Relay,
  into: Into,
  confirmations: number,
  notes: Notes,
): Promise<Receipt> {
  const { chainId, contract } = client
  const { number: head } = await client.head()
  const authorised = await authoriseDeposit(client, signer, { chainId, contract }, into)
  const intent = relayedIntent(into)
  const wait = {
    purpose: 'add a deposit through the receiver',
    confirmations,
    pollInterval: relay.pollInterval,
  }
  const earlier = readRelayed(notes, intent)
  // Looked for after the nonces were read: what is mined from here on uses one that we have signed now,
  // so only one of the two can be.
  const made = earlier && (await findRelayed(client, signer.address, intent, earlier))
  if (made !== undefined) return waitForTransaction(client, made, wait)
  const since = earlier?.since ?? head
  const noted: RelayedDeposit = { since, deadline: Number(authorised.permit.deadline) }
  await notes.now(intent, noted)
  const [path, body] = depositRequest(into, authorised)
  const transaction = await askToSend(relay, path, body, into.receiver)
  await notes.now(intent, { ...noted, transaction })
  return waitForTransaction(client, transaction, wait)
}

/** The transaction that has made a deposit which was asked for earlier. */
export async function findRelayed(
  client: ChainClient,
  own: Address,
  intent: string,
  { since }: RelayedDeposit,
): Promise<Hex | undefined> {
  const events = await readOwnEvents(client, own, since + 1)
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
  relay: Relay,
  { openBlock, balance, signature }: RelayedClose,
  confirmations: number,
): Promise<Receipt> {
  const body = {
    sender_address: signer.address,
    open_block: `${openBlock}`,
    balance: `${balance}`,
    balance_signature: signature,
  }
  const transaction = await askToSend(relay, 'close', body, relay.api.origin)
  return waitForTransaction(client, transaction, {
    purpose: 'close the channel through the receiver',
    confirmations,
    pollInterval: relay.pollInterval,
  })
}

function depositRequest(
  { sender, receiver, amount, openBlock }: Into,
  { permit, signature }: AuthorisedDeposit,
): readonly [path: string, body: object] {
  const common = {
    sender_address: sender,
    receiver_address: receiver,
    deadline: permit.deadline.toString(),
    permit_signature: permit.signature,
  }
  if (openBlock === undefined) {
    return ['open', { ...common, deposit: `${amount}`, open_signature: signature }]
  }
  const added = { open_block: `${openBlock}`, added_deposit: `${amount}` }
  return ['topup', { ...common, ...added, top_up_signature: signature }]
}

async function askToSend(
  { api, transport }: Relay,
  path: string,
  body: object,
  receiver: string,
): Promise<Hex> {
  const answer = await transport.send({
    method: 'POST',
    url: new URL(`${api.pathname}/relay/${path}`, api),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  const said = readJson(await answer.body())
  if (answer.status === 200 && isHex(said.transaction_hash)) return said.transaction_hash
  throw new UraidenError({
    code: 'relay_refused',
    message: `The receiver ${receiver} does not send our transaction: ${said.detail ?? answer.status}`,
    hint: 'Give the account ether, or look at what the receiver asks of a relay.',
  })
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
