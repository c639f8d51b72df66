// The receiver as a library.
export { createKeySigner } from '../platform/keys/index.ts'
export { fastifyPaywall, type PaywallPluginOptions, type Price } from './http/fastify.ts'
export { type PaywallPage, readPaywallPage } from './paywall/page.ts'
export type { Admission, Paywall } from './paywall/paywall.ts'
export {
  type Receiver,
  type ReceiverLog,
  type ReceiverOptions,
  startReceiver,
} from './receiver.ts'
export { createReceiverServer, type Resource, type ServerLimits } from './server.ts'
