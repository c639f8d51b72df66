// What the parts of a client share.
import type { Address, SignatureDomain, SignatureForm } from '../protocol/index.ts'
import type { Binding } from './bound.ts'
import type { Chain } from './chain.ts'
import type { ChannelMemory } from './storage.ts'
import type { Patience } from './transactions.ts'
import type { Eip1193Provider } from './wallet.ts'

export type Fetch = typeof globalThis.fetch

/** How the receiver is asked. */
export interface ReceiverPlace {
  readonly fetcher: Fetch
  /** Root of the receiver's channel API. */
  readonly api: string
}

export interface Parts extends ReceiverPlace {
  readonly wallet: Eip1193Provider
  readonly chain: Chain
  readonly memory: ChannelMemory
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  readonly domain: SignatureDomain
  readonly form: SignatureForm
  /** The contract takes signatures of 64 bytes. */
  readonly hasShortSignatures: boolean
  readonly patience: Patience
  readonly binding: Binding
}

/** A URL as the page would load it. */
export function absolute(url: string): URL {
  const { document } = globalThis as { readonly document?: { readonly baseURI: string } }
  return new URL(url, document?.baseURI)
}
