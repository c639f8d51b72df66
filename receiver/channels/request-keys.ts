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

export interface RequestKeysOptions {
  readonly book: Pick<ChannelBook, 'ledger'>
  readonly ledgers: Pick<Ledgers, 'bind'>
  readonly domain: SignatureDomain
  readonly receiver: Address
  /** The receiver's own. */
  readonly own: RequestKeyPair
  readonly recover: RecoverSigner
  /** The newest block that is known. */
  readonly head: () => ContractBlock | undefined
}

/** A key that its sender has authorised, and what it gives; nothing is changed yet. */
export type OfferedKey =
  | { readonly ok: true; readonly keys: BoundKeys; readonly accept: () => Promise<void> }
  | { readonly ok: false; readonly refusal: BoundRefusal }

export interface RequestKeys {
  /** Of a channel that is bound. */
  readonly find: (channel: ChannelId) => BoundKeys | undefined
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
  const derived = new WeakMap<NumberedKey, BoundKeys>()
  const find = ({ sender, openBlock }: ChannelId) => {
    const { requestKey } = options.book.ledger(sender, openBlock)
    if (requestKey === undefined) return undefined
    const known = derived.get(requestKey)
    if (known !== undefined) return known
    const keys = derive(options, { sender, openBlock }, requestKey)
    derived.set(requestKey, keys)
    return keys
  }
  return {
    find,
    offer: (channel, signed) => {
      const { sender, openBlock } = channel
      const { requestKey } = options.book.ledger(sender, openBlock)
      const keys = requestKey && find(channel)
      if (keys !== undefined && compareKeys(requestKey, signed) === 'same') {
        return { ok: true, keys, accept: async () => undefined }
      }
      return offerNew(options, channel, { known: requestKey, signed })
    },
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
  { key }: NumberedKey,
): BoundKeys {
  const channel = { sender, receiver, openBlock }
  const binding = { ...domain, channel, senderKey: key, receiverKey: own.publicKey }
  return deriveBoundKeys(requestSecret(own.privateKey, key), binding)
}
