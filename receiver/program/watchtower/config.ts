// watchtower.yaml: what a person writes for `uraiden-receiver watch`.
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { address, listenAddress, loadConfig } from '../../../platform/config/index.ts'
import { defined } from '../../../protocol/index.ts'
import { type ConfigPlace, receiverConfig } from '../config.ts'
import type { WatchtowerOptions } from './tower.ts'

/** What a watchtower has in common with a receiver. */
const common = receiverConfig.pick({
  rpc: true,
  quorum: true,
  chainId: true,
  contract: true,
  key: true,
  password: true,
  state: true,
  tls: true,
  confirmations: true,
  startBlock: true,
  pollInterval: true,
  mostGasPrice: true,
  log: true,
  stopWithin: true,
})

export const watchConfig = common.extend({
  receiver: address.describe('whose channels are guarded'),
  token: z.string().min(1).describe('a file, mode 600; its first line is the token of both sides'),
  listen: listenAddress.prefault('0.0.0.0:5001').describe('host:port for the receiver'),
  patience: z
    .number({ error: 'this should be a number from 0 to 0.9.' })
    .min(0)
    .max(0.9)
    .default(0.5)
    .describe('part of the challenge period that is left to the receiver'),
  mostChannels: z.int().min(1).default(100_000).describe('whose proofs are kept at a time'),
})

export type WatchConfig = z.output<typeof watchConfig>

/** Variables with the prefix that are no settings. */
export const watchVariables = {
  prefix: 'URAIDEN_WATCHTOWER_',
  config: 'URAIDEN_WATCHTOWER_CONFIG',
  password: 'URAIDEN_WATCHTOWER_KEY_PASSWORD',
} as const

/**
 * Relative paths in it are so to the file's folder.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`
 */
export async function loadWatchConfig(place: ConfigPlace): Promise<WatchConfig> {
  const { file, options = [], environment = process.env } = place
  const { prefix, config: ownFile, password: ownPassword } = watchVariables
  const config = await loadConfig({
    file,
    schema: watchConfig,
    options,
    overrides: { prefix, environment, except: [ownFile, ownPassword] },
  })
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path))
  const { password, state, tls } = config
  return {
    ...config,
    ...defined({ password: at(password), state: at(state) }),
    ...(tls && { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
    key: resolve(folder, config.key),
    token: resolve(folder, config.token),
  }
}

/** What of it the library needs. */
export function watchOptions(config: WatchConfig) {
  const { rpc, contract, receiver, patience, confirmations, startBlock, mostChannels } = config
  const { pollInterval, chainId, quorum, mostGasPrice } = config
  return {
    ...{ rpcUrl: rpc, contract, receiver, patience, confirmations, startBlock, mostChannels },
    pollInterval: pollInterval * 1000,
    fees: defined({ usual: mostGasPrice }),
    ...defined({ quorum, chainId: chainId === undefined ? undefined : BigInt(chainId) }),
  } satisfies Partial<WatchtowerOptions>
}
