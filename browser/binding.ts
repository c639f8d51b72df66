// Ties channels to request keys (design/trust.md section 1). Before the first payment on a channel the receiver
// has confirmed our key, in an answer that nobody else could have made; from then on it is paid bound only.

import {
  type BoundKeys,
  createRequestKey,
  deriveBoundKeys,
  parseReceiverKey,
  parseRequestPublicKey,
  type ReceiverKey,
  requestKeyDigest,
  type SignedReceiverKey,
  serializeRequestKey,
  sharedSecret,
  verifyReceiverKey,
} from '../protocol/bound/index.ts'
import {
  type ContractBlock,
  channelsDomain,
  type HeaderSource,
  headerName,
  isUraidenError,
  largest,
  parseShownProof,
  parseUint192,
  type UraidenError,
} from '../protocol/index.ts'
import type {
  Binding,
  BindingProgress,
  BoundChannel,
  BoundPolicy,
  BoundRequest,
  KeptKeys,
  KeyStore,
  Stand,
} from './bound.ts'
import { type BoundPlace, importMacKey, sendBound } from './bound-transport.ts'
import { identify, stored } from './channels.ts'
import { browserError } from './error-codes.ts'
import { defaultKeyStore } from './key-store.ts'
import { absolute, type Parts } from './parts.ts'
import { adoptBalance, verifyProof } from './payments.ts'
import { reach } from './receiver-api.ts'
import { signTyped } from './signing.ts'
import { pause } from './transactions.ts'

export type BindingParts = Omit<Parts, 'binding'>

export interface BindingOptions {
  readonly policy: BoundPolicy
  readonly keys?: KeyStore | undefined
}

interface State extends BindingOptions {
  readonly parts: BindingParts
  /** Whose keys they are. */
  readonly owner: string
  readonly keys: KeyStore
  /** Shown in this page. */
  offer: ReceiverKey | undefined
  /** Said in this page: it offers nothing. */
  offersNothing: boolean
  /** When a key was put again, by `performance.now()`. */
  renewed: number | undefined
}

/** In milliseconds. */
const betweenRenewals = 60_000

export function createBinding(parts: BindingParts, options: BindingOptions): Binding {
  const { domain, receiver, sender } = parts
  const state: State = {
    ...options,
    parts,
    owner: `${domain.chainId}/${domain.contract}/${receiver}/${sender}`,
    keys: options.keys ?? defaultKeyStore(),
    offer: undefined,
    offersNothing: false,
    renewed: undefined,
  }
  return { ensure: (openBlock, progress = {}) => ensure(state, openBlock, progress) }
}

async function ensure(
  state: State,
  openBlock: ContractBlock,
  progress: BindingProgress,
): Promise<BoundChannel | undefined> {
  const kept = await load(state, openBlock)
  if (kept?.confirmed) {
    const channel = channelOf(state, kept, progress)
    if (stored(state.parts).recovered) learn(state, await channel.stand())
    return channel
  }
  const offer = await offered(state)
  if (offer === undefined) return undefined
  return channelOf(state, await bind(state, openBlock, { kept, offer, progress }), progress)
}

async function load(
  { keys, owner }: State,
  openBlock: ContractBlock,
): Promise<KeptKeys | undefined> {
  const kept = await keys.load(owner)
  return kept?.openBlock === openBlock ? kept : undefined
}

function channelOf(state: State, kept: KeptKeys, progress: BindingProgress): BoundChannel {
  let current = kept
  return {
    send: async (request) => {
      const first = await sendBound(placeOf(state, current), request)
      if (first.kind === 'authentic') return first.answer
      if (first.code !== 'request_key_unknown' && first.code !== 'request_altered') {
        throw first.error
      }
      current = await renew(state, current, progress)
      const again = await sendBound(placeOf(state, current), request)
      if (again.kind === 'authentic') return again.answer
      throw again.error
    },
    stand: async () => {
      const stand = await put(state, current, progress.signal)
      if (typeof stand === 'object') return stand
      throw stand === 'replaced' ? keyReplaced() : channelUnseen()
    },
  }
}

/**
 * The receiver could not check our signature: another tab has newer keys, or it has lost ours, or has another
 * key itself.
 */
async function renew(state: State, used: KeptKeys, progress: BindingProgress): Promise<KeptKeys> {
  const { openBlock } = used
  const kept = (await load(state, openBlock)) ?? used
  if (kept.confirmed && kept.keyid !== used.keyid) return kept
  const now = performance.now()
  if (state.renewed !== undefined && now - state.renewed < betweenRenewals) throw trafficAltered()
  state.renewed = now
  state.offer = undefined
  const offer = await offered(state)
  if (offer === undefined) throw bindingRefused()
  return bind(state, openBlock, { kept, offer, progress })
}

interface Bound {
  readonly kept: KeptKeys | undefined
  readonly offer: ReceiverKey
  readonly progress: BindingProgress
}

async function bind(
  state: State,
  openBlock: ContractBlock,
  { kept, offer, progress }: Bound,
): Promise<KeptKeys> {
  const isUsable = kept?.receiverKey === offer.key
  let keys = isUsable
    ? kept
    : await createKeys(state, openBlock, { offer, progress, above: kept?.number })
  let stand = await putUntilSeen(state, keys, progress)
  if (stand === 'replaced') {
    const other = await load(state, openBlock)
    if (other?.confirmed && other.keyid !== keys.keyid) return other
    // A key that was confirmed is replaced by another browser or program: that is told first.
    await state.keys.save(state.owner, undefined)
    if (keys.confirmed) throw keyReplaced()
    keys = await createKeys(state, openBlock, { offer, progress, above: keys.number })
    stand = await putUntilSeen(state, keys, progress)
    if (stand === 'replaced') throw keyOfThisBlock()
  }
  learn(state, stand)
  const confirmed = { ...keys, confirmed: true }
  await state.keys.save(state.owner, confirmed)
  return confirmed
}

/** A key of this channel, which the wallet signs. Only what is derived of it is kept. */
async function createKeys(
  state: State,
  openBlock: ContractBlock,
  { offer, progress, above = -1n }: Omit<Bound, 'kept'> & { readonly above?: bigint | undefined },
): Promise<KeptKeys> {
  const { parts } = state
  const { domain, receiver } = parts
  const { privateKey, publicKey: key } = createRequestKey()
  const number = largest(BigInt(await parts.chain.contractHead()), above + 1n)
  progress.onKey?.()
  const signature = await signTyped(parts, {
    domain: channelsDomain,
    contract: domain.contract,
    type: 'RequestKey',
    members: [
      ['receiver', 'address', receiver],
      ['block_created', 'uint32', BigInt(openBlock)],
      ['key', 'bytes', key],
      ['number', 'uint64', number],
    ],
    digest: requestKeyDigest(domain, { receiver, openBlock, key, number }),
  })
  const derived = deriveBoundKeys(sharedSecret(privateKey, offer.key), {
    ...domain,
    channel: { sender: parts.sender, receiver, openBlock },
    senderKey: key,
    receiverKey: offer.key,
  })
  privateKey.fill(0)
  const keys: KeptKeys = {
    openBlock,
    keyid: derived.keyid,
    requests: await importMacKey(derived.requests),
    answers: await importMacKey(derived.answers),
    ...{ senderKey: key, receiverKey: offer.key, number, signature, confirmed: false },
  }
  // While the wallet was open, another tab may have bound the channel.
  const other = await load(state, openBlock)
  if (other?.confirmed && other.number >= number) return other
  await state.keys.save(state.owner, keys)
  return keys
}

/** The receiver has to see the channel on the chain too. */
async function putUntilSeen(
  state: State,
  keys: KeptKeys,
  { onWaiting, signal }: BindingProgress,
): Promise<Stand | 'replaced'> {
  const { chain, patience } = state.parts
  for (let tries = 1; ; tries++) {
    const stand = await put(state, keys, signal)
    if (stand !== 'unseen') return stand
    const onChain = await chain.channel(identify(state.parts, keys.openBlock))
    if (onChain === undefined) throw channelGone()
    onWaiting?.(tries)
    await pause({ interval: patience.interval, signal: signal ?? patience.signal })
  }
}

/** @throws UraidenError `binding_refused`, `answer_lost`, `receiver_unreachable` */
async function put(
  state: State,
  keys: KeptKeys,
  signal: AbortSignal | undefined,
): Promise<Stand | 'unseen' | 'replaced'> {
  const { sender } = state.parts
  const { openBlock, number, signature } = keys
  const place = placeOf(state, keys)
  const path = `${place.api.pathname}/channels/${sender}/${openBlock}/request-key`
  const key = parseRequestPublicKey(keys.senderKey)
  const request: BoundRequest = {
    method: 'PUT',
    url: new URL(path, place.api),
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: serializeRequestKey({ key, number, signature }),
    signal,
  }
  const reply = await sendBound(place, request)
  if (reply.kind === 'authentic') {
    if (reply.answer.response.status === 200) return standOf(reply.answer.header)
    throw bindingRefused()
  }
  if (reply.status === 404) return 'unseen'
  if (reply.code === 'request_key_replaced') return 'replaced'
  throw reply.error
}

function placeOf({ parts }: State, keys: KeptKeys): BoundPlace {
  const { fetcher, api, domain, sender, receiver } = parts
  const binding: BoundKeys['binding'] = {
    ...domain,
    channel: { sender, receiver, openBlock: keys.openBlock },
    senderKey: parseRequestPublicKey(keys.senderKey),
    receiverKey: parseRequestPublicKey(keys.receiverKey),
  }
  return { fetcher, api: absolute(api), binding, keys }
}

/** The receiver's key; undefined when it offers none and need not. */
async function offered(state: State): Promise<ReceiverKey | undefined> {
  const { parts, policy } = state
  const { memory, receiver, domain } = parts
  if (state.offer !== undefined || state.offersNothing) return state.offer
  const answer = await reach(parts.fetcher, `${absolute(parts.api)}/request-key`, {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    credentials: 'same-origin',
  })
  const signed = answer.ok ? readOffer(await answer.text().catch(() => '')) : undefined
  const known = memory.receiverKey()
  if (signed === undefined) {
    // Never where it has once offered more: whoever strips that off must gain nothing by it.
    if (policy === 'require' || known !== undefined) throw bindingRefused()
    state.offersNothing = true
    return undefined
  }
  const block = await parts.chain.contractHead()
  const newest = known && { ...known, key: parseRequestPublicKey(known.key) }
  const verified = verifyReceiverKey(signed, { domain, receiver, block, known: newest })
  if (!verified.ok) {
    throw browserError({ code: 'receiver_key_untrusted', message: verified.detail })
  }
  state.offer = verified.value
  memory.setReceiverKey(verified.value)
  return state.offer
}

function readOffer(text: string): SignedReceiverKey | undefined {
  try {
    return parseReceiverKey(text)
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}

/** Of fields that the receiver has signed. */
function standOf(covered: HeaderSource): Stand {
  const signature = covered(headerName.signature)
  return {
    senderBalance: parseUint192(covered(headerName.senderBalance) ?? '0'),
    signature: signature === undefined ? undefined : parseShownProof(signature),
  }
}

/** What the sender's own signature proves. What a pending payment has become is said with its answer. */
function learn({ parts }: State, { senderBalance: balance, signature }: Stand): void {
  const { openBlock, recovered, pending, balance: known } = stored(parts)
  if (pending !== undefined || !(recovered || balance > known) || balance < known) return
  const proven =
    balance === 0n ||
    (signature !== undefined && verifyProof(parts, { openBlock, balance }, signature))
  if (!proven) {
    throw browserError({
      code: 'unproven',
      message: `The receiver claims a balance of ${balance} without your signature under it.`,
    })
  }
  adoptBalance(parts, { openBlock, balance, signature })
}

function bindingRefused(): UraidenError {
  return browserError({
    code: 'binding_refused',
    message: 'The receiver does not take our request key, or somebody between hides its offer.',
  })
}

function keyReplaced(): UraidenError {
  return browserError({
    code: 'request_key_replaced',
    message: 'Another browser or program has put a newer key for this channel.',
  })
}

/** It is no key of ours, as far as this browser knows, and as new as one can be. */
function keyOfThisBlock(): UraidenError {
  return browserError({
    code: 'request_key_replaced',
    message: 'The receiver has a key of this block for this channel, and this browser has it not.',
    hint: 'Nothing was paid. Wait for the next block, then try again: the wallet signs a newer key.',
  })
}

function trafficAltered(): UraidenError {
  return browserError({
    code: 'traffic_altered',
    message:
      'The receiver says again that our signature does not fit, though it has our key: somebody between alters the traffic.',
  })
}

function channelUnseen(): UraidenError {
  return browserError({
    code: 'channel_gone',
    message: 'The receiver does not know this channel, or it is closed.',
    hint: 'Open another one, or close this one without the receiver.',
  })
}

function channelGone(): UraidenError {
  return browserError({
    code: 'channel_gone',
    message: 'The channel is no longer on the chain: it was closed.',
    hint: 'Open another one.',
  })
}
