// watchtower.yaml: what a person writes for `uraiden-receiver watch`.
import { resolve } from 'node:path'
import { z } from 'zod'
import { address, amountText, filePath, listenAddress } from '../../../platform/config/index.ts'
import { defined } from '../../../protocol/index.ts'
import {
  type ConfigPlace,
  commonPaths,
  confirmations,
  folderOf,
  loadProgramConfig,
  type ProgramNames,
  receiverConfig,
  usualConfirmations,
} from '../config.ts'
import { type ProgramSettings, programSettings } from '../settings.ts'
import type { WatchtowerOptions } from './tower.ts'

/** What a watchtower has in common with a receiver. */
const common = receiverConfig.pick({
  rpc: true,
  quorum: true,
  chainId: true,
  contract: true,
  key: true,
  password: true,
  tls: true,
  startBlock: true,
  leastChallengePeriod: true,
  pollInterval: true,
  mostGasPrice: true,
  log: true,
  stopWithin: true,
})

export const watchConfig = common.extend({
  confirmations: confirmations
    .default(usualConfirmations)
    .describe('blocks until what ends a channel counts; disputes are answered when they are seen'),
  receiver: address.describe('whose channels are guarded'),
  state: filePath.optional().describe('folder for the balance proofs, mode 700'),
  token: filePath.describe('a file, mode 600; its first line is the token of both sides'),
  listen: listenAddress.prefault('0.0.0.0:5001').describe('host:port for the receiver'),
  patience: z
    .number({ error: 'this should be a number from 0 to 0.9.' })
    .min(0)
    .max(0.9)
    .default(0.5)
    .describe('part of the challenge period that is left to the receiver'),
  etherPrice: amountText
    .optional()
    .describe(
      'what one ether is worth in tokens: closes over less than an answer costs are left alone',
    ),
  least: amountText
    .optional()
    .describe('without etherPrice: closes over no more are left alone (0)'),
  mostChannels: z.int().min(1).default(100_000).describe('whose proofs are kept at a time'),
})

export type WatchConfig = z.output<typeof watchConfig>

export const watchNames: ProgramNames = {
  file: 'watchtower.yaml',
  stateFolder: 'uraiden-watchtower',
  credential: 'watchtower-key-password',
  prefix: 'URAIDEN_WATCHTOWER_',
  variables: {
    config: 'URAIDEN_WATCHTOWER_CONFIG',
    password: 'URAIDEN_WATCHTOWER_KEY_PASSWORD',
  },
}

/**
 * Relative paths in it are so to the file's folder.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`
 */
export async function loadWatchConfig(place: ConfigPlace): Promise<WatchConfig> {
  const config = await loadProgramConfig(place, watchConfig, watchNames)
  const folder = folderOf(place)
  return { ...config, ...commonPaths(config, folder), token: resolve(folder, config.token) }
}

export interface WatchSettings extends ProgramSettings {
  /** What the watchtower itself needs. */
  readonly tower: Pick<
    WatchtowerOptions,
    | 'receiver'
    | 'patience'
    | 'confirmations'
    | 'startBlock'
    | 'leastChallengePeriod'
    | 'pollInterval'
    | 'mostChannels'
    | 'fees'
    | 'etherPrice'
    | 'least'
  >
  /** File of the token that both sides have. */
  readonly token: string
}

export function watchSettings(config: WatchConfig): WatchSettings {
  const { receiver, patience, startBlock, mostChannels, mostGasPrice, etherPrice, least } = config
  const { leastChallengePeriod: leastPeriod } = config
  return {
    ...programSettings(config, watchNames),
    tower: {
      ...(startBlock !== undefined && { startBlock }),
      ...(leastPeriod !== undefined && { leastChallengePeriod: leastPeriod / 1000 }),
      ...{ receiver, patience, mostChannels, etherPrice, least },
      confirmations: config.confirmations,
      pollInterval: config.pollInterval * 1000,
      fees: defined({ usual: mostGasPrice }),
    },
    token: config.token,
  }
}
