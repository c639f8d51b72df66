// `uraiden-pi/x402`: channels as a scheme of x402, for its stock clients and servers.
export {
  type ChannelsScheme,
  type ChannelsSchemeOptions,
  createChannelsScheme,
} from './agent/channels-scheme.ts'
export { createKeySigner } from './platform/keys/index.ts'
export { type ChannelsServer, createChannelsServer } from './receiver/channels-server.ts'
