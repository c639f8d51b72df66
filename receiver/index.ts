// The receiver as a library.
export {
  type ConnectionGuard,
  type ConnectionLimits,
  limitConnections,
} from '../platform/http/connections.ts'
export { createKeySigner } from '../platform/keys/index.ts'
export type { Amount, KeyChoice, KeyFile } from '../platform/written/written.ts'
export { isUraidenError } from '../protocol/index.ts'
export type { ReceiverObserver } from './core/options.ts'
export {
  type Receiver,
  type ReceiverLog,
  type ReceiverOptions,
  startReceiver,
} from './core/receiver.ts'
export type { StartReceiverOptions } from './core/written.ts'
export { crossOriginHeaders } from './http/cross-origin.ts'
export { fastifyPaywall, type PaywallPluginOptions, type Price } from './http/fastify.ts'
export { continueWhenRead } from './http/waiting.ts'
export { type OpsConfig, opsSchema } from './ops/config.ts'
export { createOps, type Ops } from './ops/ops.ts'
export { type PaywallPage, plainPage, readPaywallPage } from './paywall/page.ts'
export type { Admission, Paywall } from './paywall/paywall.ts'
export type { TransferOutcome } from './paywall/transfer.ts'
export type { ResourceModule } from './resources/module.ts'
export { type ApiMiddleware, fastifyApi, receiverApi } from './server/embed.ts'
export type { FormerServer } from './server/former.ts'
export {
  createFormerServer,
  createReceiverServer,
  type Resource,
  type ServerLimits,
  type ServerOptions,
} from './server/server.ts'
export { type SharedAccount, shareAccount } from './settlement/shared-account.ts'
