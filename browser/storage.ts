// What a page remembers of the channel between one sender and one receiver.
import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  defined,
  type Hex,
  isHex,
  parseBlockNumber,
  parseShownProof,
  parseSignature,
  parseUint192,
  type ShownProof,
  type Signature,
  type TokenAmount,
} from '../protocol/index.ts'

/** As much of `localStorage` as is needed. */
export interface KeyValueStore {
  readonly getItem: (key: string) => string | null
  readonly setItem: (key: string, value: string) => void
  readonly removeItem: (key: string) => void
}

/** A proof that was signed and whose outcome is not known yet. */
export interface PendingPayment {
  readonly balance: TokenAmount
  readonly price: TokenAmount
  readonly signature: Signature
  /** Makes a repeat of the same request free (`Idempotency-Key`). */
  readonly key: string
}

export interface StoredChannel {
  readonly openBlock: ContractBlock
  /** The highest balance that the receiver is known to have a proof for. */
  readonly balance: TokenAmount
  /** Of that balance. */
  readonly signature?: ShownProof | undefined
  readonly pending?: PendingPayment | undefined
  /** Found on the chain: what was paid before is not known. */
  readonly recovered: boolean
  /** The receiver was asked to agree to a close: nothing more is paid. */
  readonly closing?: boolean | undefined
}

/** Of the receiver, the newest that it has shown. */
export interface ShownKey {
  readonly key: Hex
  readonly number: bigint
}

/** An opening that was sent and is not in a block yet. */
export interface SentOpening {
  readonly transaction: Hex
}

export interface ChannelMemory {
  readonly load: () => StoredChannel | undefined
  readonly save: (channel: StoredChannel) => void
  readonly forget: () => void
  readonly opening: () => SentOpening | undefined
  readonly setOpening: (opening: SentOpening | undefined) => void
  /** The receiver was asked to open a channel and has not said that it did: in this block or later. */
  readonly relayed: () => ChainBlock | undefined
  readonly setRelayed: (since: ChainBlock | undefined) => void
  /** Undefined of a receiver that has never offered to be paid bound. */
  readonly receiverKey: () => ShownKey | undefined
  readonly setReceiverKey: (key: ShownKey) => void
}

export interface MemoryOwner {
  readonly chainId: bigint
  readonly contract: Address
  readonly receiver: Address
  readonly sender: Address
}

export function channelMemory(store: KeyValueStore, owner: MemoryOwner): ChannelMemory {
  const { chainId, contract, receiver, sender } = owner
  const key = `uraiden/${chainId}/${contract}/${receiver}/${sender}`
  const openingKey = `${key}/opening`
  const relayedKey = `${key}/relayed`
  const shownKey = `uraiden/${chainId}/${contract}/${receiver}/request-key`
  return {
    load: () => decode(store.getItem(key)),
    save: (channel) => store.setItem(key, encode(channel)),
    forget: () => {
      store.removeItem(key)
      store.removeItem(openingKey)
      store.removeItem(relayedKey)
    },
    opening: () => {
      const transaction = store.getItem(openingKey)
      return isHex(transaction) ? { transaction } : undefined
    },
    setOpening: (opening) =>
      opening === undefined
        ? store.removeItem(openingKey)
        : store.setItem(openingKey, opening.transaction),
    relayed: () => {
      const since = store.getItem(relayedKey)
      return since !== null && /^\d{1,10}$/.test(since) ? Number(since) : undefined
    },
    setRelayed: (since) =>
      since === undefined ? store.removeItem(relayedKey) : store.setItem(relayedKey, `${since}`),
    receiverKey: () => {
      const [, shown, number = ''] =
        /^(0x0[23][0-9a-f]{64}) (\d{1,20})$/.exec(store.getItem(shownKey) ?? '') ?? []
      return isHex(shown) ? { key: shown, number: BigInt(number) } : undefined
    },
    setReceiverKey: (shown) => store.setItem(shownKey, `${shown.key} ${shown.number}`),
  }
}

function encode(channel: StoredChannel): string {
  const { openBlock, balance, signature, pending, recovered, closing } = channel
  return JSON.stringify({
    closing,
    openBlock: `${openBlock}`,
    balance: `${balance}`,
    signature,
    recovered,
    pending: pending && { ...pending, balance: `${pending.balance}`, price: `${pending.price}` },
  })
}

/** A damaged record is as good as none: the channel is found on the chain again. */
function decode(text: string | null): StoredChannel | undefined {
  if (text === null) return undefined
  try {
    const { openBlock, balance, signature, pending, recovered, closing } = JSON.parse(text)
    return defined({
      closing: closing === true || undefined,
      openBlock: parseBlockNumber(openBlock),
      balance: parseUint192(balance),
      recovered: recovered === true,
      signature: signature === undefined ? undefined : parseShownProof(signature),
      pending: pending === undefined ? undefined : decodePending(pending),
    })
  } catch {
    return undefined
  }
}

function decodePending({ balance, price, signature, key }: Record<string, string>): PendingPayment {
  return {
    balance: parseUint192(balance ?? ''),
    price: parseUint192(price ?? ''),
    signature: parseSignature(signature ?? ''),
    key: key ?? '',
  }
}
