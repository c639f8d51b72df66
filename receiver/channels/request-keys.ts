// The request keys of channels: which one its sender has put, and the keys for messages that come of it.
import { requestSecret } from '../../platform/keys/bound.ts'
import {
  type BoundKeys,
  type BoundRefusal,
  boundRefusal,
  compareKeys,
  deriveBoundKeys,
  type NumberedKey,
  type RequestKeyPair,
  type SignedRequestKey,
  type VerifiedRequest,
  verifyRequestKey,
} from '../../protocol/bound/index.ts'
import {
  type Address,
  type ContractBlock,
  isUraidenError,
  type RecoverSigner,
  type SignatureDomain,
} from '../../protocol/index.ts'
import type { ChannelBook, ChannelId } from './book.ts'
import type { Ledgers } from './ledgers.ts'
import { type ChannelName, channelName } from './records.ts'

export interface RequestKeysOptions {
  readonly book: Pick<ChannelBook, 'ledger'>
  /** Of a channel, as it was seen last beside the book; there where `askKey` is. */
  readonly seenKey?: ((channel: ChannelId) => NumberedKey | undefined) | undefined
  /** Of a channel, as it is now, where others may have put it. */
  readonly askKey?: ((channel: ChannelId) => Promise<NumberedKey | undefined>) | undefined
  readonly ledgers: Pick<Ledgers, 'bind'>
  readonly domain: SignatureDomain
  readonly receiver: Address
  /** The receiver's own. */
  readonly own: RequestKeyPair
  readonly recover: RecoverSigner
  /** The newest block that is known. */
  readonly head: () => ContractBlock | undefined
}

/** The keys of a channel's messages, and the number of the sender's key that they come of. */
export interface ChannelKeys extends BoundKeys {
  readonly number: NumberedKey['number']
}

/** It came from the channel's sender as it is, by the key of this number. */
export type BoundRequest = VerifiedRequest & { readonly keyNumber: NumberedKey['number'] }

/** A key that its sender has authorised, and what it gives; nothing is changed yet. */
export type OfferedKey =
  | { readonly ok: true; readonly keys: ChannelKeys; readonly accept: () => Promise<void> }
  | { readonly ok: false; readonly refusal: BoundRefusal }

export interface RequestKeys {
  /** Of a channel that is bound. */
  readonly find: (channel: ChannelId) => ChannelKeys | undefined
  /** The same of those that it has now; undefined where `find` knows all. */
  readonly ask: ((channel: ChannelId) => Promise<ChannelKeys | undefined>) | undefined
  /**
   * What is cheap is checked first: the number, then the signature, then the point. Only for channels that
   * the chain shows.
   */
  readonly offer: (channel: ChannelId, signed: SignedRequestKey) => OfferedKey
}

/**
 * A number is the block in which its key was made. One far in the future would lock all later keys out;
 * the sender's node may be a few blocks before ours.
 */
const mostBlocksAhead = 64n

export function createRequestKeys(options: RequestKeysOptions): RequestKeys {
  /** As long as the channel's ledger has this key. */
  const derived = new WeakMap<NumberedKey, ChannelKeys>()
  const { askKey, seenKey = () => undefined } = options
  const newest = askKey === undefined ? (_: ChannelId, key?: NumberedKey) => key : keepNewest()
  const known = (channel: ChannelId) => {
    const seen = seenKey(channel)
    if (seen !== undefined) newest(channel, seen)
    return newest(channel, options.book.ledger(channel.sender, channel.openBlock).requestKey)
  }
  const keysOf = (channel: ChannelId, requestKey: NumberedKey | undefined) => {
    if (requestKey === undefined) return undefined
    const before = derived.get(requestKey)
    if (before !== undefined) return before
    const { sender, openBlock } = channel
    const keys = derive(options, { sender, openBlock }, requestKey)
    derived.set(requestKey, keys)
    return keys
  }
  const find = (channel: ChannelId) => keysOf(channel, known(channel))
  return {
    find,
    ask: askKey && (async (channel) => keysOf(channel, newest(channel, await askKey(channel)))),
    offer: (channel, signed) => {
      const requestKey = known(channel)
      const keys = requestKey && find(channel)
      if (keys !== undefined && compareKeys(requestKey, signed) === 'same') {
        return { ok: true, keys, accept: async () => undefined }
      }
      return offerNew(options, channel, { known: requestKey, signed })
    },
  }
}

/** Channels whose keys are remembered beside the book. */
const mostKept = 10_000

/** Of keys that come from the book and from elsewhere the newest, as one object: what is derived from it stays. */
function keepNewest() {
  const kept = new Map<ChannelName, NumberedKey>()
  return ({ sender, openBlock }: ChannelId, key?: NumberedKey): NumberedKey | undefined => {
    const name = channelName(sender, openBlock)
    const before = kept.get(name)
    if (key === undefined || (before !== undefined && before.number >= key.number)) return before
    kept.delete(name)
    kept.set(name, key)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    return key
  }
}

function offerNew(
  options: RequestKeysOptions,
  channel: ChannelId,
  { known, signed }: { readonly known: NumberedKey | undefined; readonly signed: SignedRequestKey },
): OfferedKey {
  const { ledgers, domain, receiver, recover, head } = options
  const refused = (...given: Parameters<typeof boundRefusal>): OfferedKey => {
    return { ok: false, refusal: boundRefusal(...given) }
  }
  if (compareKeys(known, signed) === 'replaced') return refused('request_key_replaced')
  if (signed.number > BigInt(head() ?? 0) + mostBlocksAhead) {
    const detail = 'The number of the request key is a block that is not there yet.'
    return refused('request_key_invalid', detail)
  }
  const context = { domain, channel: { ...channel, receiver }, recover }
  const verified = verifyRequestKey(signed, context)
  if (!verified.ok) return refused('request_key_invalid', verified.detail)
  const requestKey: NumberedKey = { key: signed.key, number: signed.number }
  try {
    const keys = derive(options, channel, requestKey)
    return { ok: true, keys, accept: () => ledgers.bind(channel, requestKey) }
  } catch (error) {
    if (!isUraidenError(error, 'not_a_request_key')) throw error
    return refused('request_key_invalid', 'The request key is no point on the curve.')
  }
}

function derive(
  { domain, receiver, own }: RequestKeysOptions,
  { sender, openBlock }: ChannelId,
  { key, number }: NumberedKey,
): ChannelKeys {
  const channel = { sender, receiver, openBlock }
  const binding = { ...domain, channel, senderKey: key, receiverKey: own.publicKey }
  return { ...deriveBoundKeys(requestSecret(own.privateKey, key), binding), number }
}
