// The sender as a library for web pages.
export type { BoundPolicy, KeptKeys, KeyStore } from './bound.ts'
export type { ChannelFacts, ContractFacts, TokenInfo } from './chain.ts'
export type { ChannelView } from './channels.ts'
export { type BrowserClient, type BrowserClientOptions, createBrowserClient } from './client.ts'
export type { PaidAnswer, PaidBefore, PayOptions } from './pay.ts'
export type { SignedPayment } from './payments.ts'
export type { KeyValueStore, PendingPayment, StoredChannel } from './storage.ts'
export {
  type AnnouncedWallet,
  chainIdOf,
  discoverWallets,
  type Eip1193Provider,
  listAccounts,
  requestAccounts,
  switchChain,
} from './wallet.ts'
