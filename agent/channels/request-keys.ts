// Which request keys there are: of ours one a channel, of each receiver the newest that it ever showed. They lie
// in the ledger's notes, so that a command run from cron needs no new ones and a key that was replaced
// stays so.
import { requestSecret } from '../../platform/keys/bound.ts'
import {
  type BoundKeys,
  createRequestKey,
  deriveBoundKeys,
  type NumberedKey,
  parseRequestPublicKey,
  type ReceiverKey,
  type RequestPublicKey,
  requestPublicKey,
} from '../../protocol/bound/index.ts'
import {
  type Address,
  type ChannelId,
  fromHex,
  type Hex,
  type SignatureDomain,
  toHex,
} from '../../protocol/index.ts'
import type { Notes } from './notes.ts'
import { type ChannelName, channelName } from './records.ts'

export interface OwnKey {
  readonly privateKey: Uint8Array
  readonly publicKey: RequestPublicKey
  readonly number: bigint
}

export interface RequestKeys {
  /** Of a channel that the receiver has confirmed: it pays bound only. Undefined of any other. */
  readonly confirmed: (channel: ChannelId) => BoundKeys | undefined
  /** The channel's own key, made in block `number` when there was none; durable when it resolves. */
  readonly own: (channel: ChannelId, number: () => Promise<bigint>) => Promise<OwnKey>
  /** Another key in place of one that was never confirmed. Durable when it resolves. */
  readonly replaceOwn: (channel: ChannelId, number: bigint) => Promise<void>
  readonly derive: (channel: ChannelId, own: OwnKey, receiverKey: RequestPublicKey) => BoundKeys
  /** The receiver has said, provably, that it has our key. Durable when it resolves. */
  readonly confirm: (keys: BoundKeys) => Promise<void>
  /** The newest that the receiver has shown; undefined when it never offered one. */
  readonly ofReceiver: (receiver: Address) => NumberedKey | undefined
  readonly rememberReceiver: (receiver: Address, key: ReceiverKey) => Promise<void>
  /** When the receiver said that it offers no key, in milliseconds since 1970. */
  readonly offeredNothing: (receiver: Address) => number | undefined
  /** Durable with the next write. */
  readonly rememberNoOffer: (receiver: Address, time: number) => void
}

interface OwnKeyNote {
  readonly privateKey: Hex
  readonly number: string
  /** The receiver's key with which it confirmed ours. */
  readonly confirmed?: string
}

interface ReceiverKeyNote {
  readonly key: string
  readonly number: string
}

const ownPrefix = 'requestKey/'
const receiverPrefix = 'receiverKey/'
const noOfferPrefix = 'noRequestKey/'
/** Receivers without an offer that are remembered. */
const mostWithoutOffer = 200

export function createRequestKeys(notes: Notes, domain: SignatureDomain): RequestKeys {
  const derived = new Map<ChannelName, BoundKeys>()
  const withoutOffer = new Map<string, number>()
  for (const key of notes.keysUnder(noOfferPrefix)) {
    const { time } = notes.get(key) as { readonly time: number }
    withoutOffer.set(key.slice(noOfferPrefix.length), time)
  }
  const noteOf = ({ receiver, openBlock }: ChannelId) =>
    notes.get(`${ownPrefix}${channelName(receiver, openBlock)}`) as OwnKeyNote | undefined
  const putOwn = async (
    { receiver, openBlock }: ChannelId,
    number: bigint,
  ): Promise<OwnKeyNote> => {
    const note = { privateKey: toHex(createRequestKey().privateKey), number: `${number}` }
    await notes.now(`${ownPrefix}${channelName(receiver, openBlock)}`, note)
    return note
  }
  const derive: RequestKeys['derive'] = (channel, own, receiverKey) => {
    const binding = { ...domain, channel, senderKey: own.publicKey, receiverKey }
    return deriveBoundKeys(requestSecret(own.privateKey, receiverKey), binding)
  }
  return {
    derive,
    confirmed: (channel) => {
      const name = channelName(channel.receiver, channel.openBlock)
      const known = derived.get(name)
      if (known !== undefined) return known
      const note = noteOf(channel)
      if (note?.confirmed === undefined) return undefined
      const keys = derive(channel, ownKeyOf(note), parseRequestPublicKey(note.confirmed))
      derived.set(name, keys)
      return keys
    },
    own: async (channel, number) => {
      const before = noteOf(channel)
      if (before !== undefined) return ownKeyOf(before)
      return ownKeyOf(await putOwn(channel, await number()))
    },
    replaceOwn: async (channel, number) => {
      await putOwn(channel, number)
    },
    confirm: async (keys) => {
      const { channel, receiverKey } = keys.binding
      const name = channelName(channel.receiver, channel.openBlock)
      const note = noteOf(channel)
      await notes.now(`${ownPrefix}${name}`, { ...note, confirmed: receiverKey })
      derived.set(name, keys)
    },
    ofReceiver: (receiver) => {
      const note = notes.get(`${receiverPrefix}${receiver}`) as ReceiverKeyNote | undefined
      return note && { key: parseRequestPublicKey(note.key), number: BigInt(note.number) }
    },
    rememberReceiver: (receiver, { key, number }) =>
      notes.now(`${receiverPrefix}${receiver}`, { key, number: `${number}` }),
    offeredNothing: (receiver) => withoutOffer.get(receiver),
    rememberNoOffer: (receiver, time) => {
      withoutOffer.delete(receiver)
      withoutOffer.set(receiver, time)
      notes.later(`${noOfferPrefix}${receiver}`, { time })
      const [oldest] = withoutOffer.keys()
      if (withoutOffer.size <= mostWithoutOffer || oldest === undefined) return
      withoutOffer.delete(oldest)
      notes.later(`${noOfferPrefix}${oldest}`, undefined)
    },
  }
}

function ownKeyOf({ privateKey, number }: OwnKeyNote): OwnKey {
  const bytes = fromHex(privateKey)
  return { privateKey: bytes, publicKey: requestPublicKey(bytes), number: BigInt(number) }
}
