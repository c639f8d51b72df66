// The names that most programs use, from one place: `import { createAgent, startReceiver } from 'uraiden-pi'`.
// It loads agent and receiver; who needs one of them imports `uraiden-pi/agent` or `uraiden-pi/receiver`.
export * from './agent/index.ts'
export { createAgentFrom, startReceiverFrom } from './from.ts'
export {
  formatAmount,
  fromHex,
  parseAddress,
  parseAmount,
  toHex,
  UraidenError,
} from './protocol/index.ts'
export { expressPaywall } from './receiver/http/express.ts'
export { type HttpPaywallOptions, httpPaywall } from './receiver/http/node.ts'
export {
  type Admission,
  fastifyApi,
  fastifyPaywall,
  type Paywall,
  type PaywallPluginOptions,
  type Price,
  type Receiver,
  type ReceiverLog,
  type ReceiverOptions,
  receiverApi,
  startReceiver,
} from './receiver/index.ts'
