// What the parts of a client share.
import type { Address, SignatureDomain, SignatureForm } from '../protocol/index.ts'
import type { Chain } from './chain.ts'
import type { ReceiverPlace } from './receiver-api.ts'
import type { ChannelMemory } from './storage.ts'
import type { Patience } from './transactions.ts'
import type { Eip1193Provider } from './wallet.ts'

export interface Parts extends ReceiverPlace {
  readonly wallet: Eip1193Provider
  readonly chain: Chain
  readonly memory: ChannelMemory
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  readonly domain: SignatureDomain
  readonly form: SignatureForm
  readonly patience: Patience
}
