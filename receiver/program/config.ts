// receiver.yaml: what a person writes, checked, and what of it becomes the receiver's options.
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import {
  address,
  amountText,
  type ConfigOption,
  gasPrice,
  httpUrl,
  listenAddress,
  loadConfig,
} from '../../platform/config/index.ts'
import { parseOrigin } from '../../protocol/bound/index.ts'
import { defined, parseAmount, type TokenUnit } from '../../protocol/index.ts'
import type { ReceiverOptions } from '../core/receiver.ts'
import { watchtowersSchema } from '../core/watchtower/addresses.ts'
import { opsSchema } from '../ops/config.ts'
import { resourceFrom, resourcesSchema } from '../resources/configuration/schema.ts'
import { adminSchema } from '../server/admin/config.ts'
import { settlementOptions, settlementSchema } from '../settlement/config.ts'
import { tlsSchema } from '../tls/config.ts'
import { discoverySchema } from './discovery/config.ts'

const count = z.int({ error: 'this should be a whole number.' })
const seconds = z.number({ error: 'this should be a number of seconds.' })
const path = z.string().min(1)
const origin = z.string().refine(isOrigin, {
  error: 'this should be an origin such as http://192.168.1.20:5000, without a path.',
})

function isOrigin(text: string): boolean {
  try {
    return parseOrigin(text) === text
  } catch {
    return false
  }
}

export const receiverConfig = z.strictObject({
  rpc: z
    .union([httpUrl, z.array(httpUrl).min(1)])
    .default('http://127.0.0.1:8545')
    .describe('JSON-RPC addresses of Ethereum nodes, in the order of preference'),
  quorum: count.min(1).optional().describe('nodes that must agree where money depends on it'),
  chainId: count.positive().optional().describe('refuse nodes of another chain'),
  contract: address.describe('the channels contract'),
  key: path.describe('a key file, mode 600: geth keystore or hex'),
  password: path.optional().describe('a file, mode 600; its first line opens the key'),
  state: path.optional().describe('folder for the balance proofs, mode 700'),
  listen: listenAddress.prefault('0.0.0.0:5000').describe('host:port; 0.0.0.0 is every interface'),
  resources: resourcesSchema.default({}).describe('what is sold, by path'),
  page: path.optional().describe('folder with an index.html for browsers that have not paid'),
  confirmations: count.min(1).max(1000).default(1).describe('blocks until the chain is believed'),
  startBlock: count.min(0).default(0).describe('the contract was deployed in it or later'),
  pollInterval: seconds
    .min(0.02)
    .max(3600)
    .default(2)
    .describe('seconds between looks at the chain'),
  bound: z
    .enum(['offer', 'require'])
    .default('offer')
    .describe('require: payments of bound requests only'),
  origins: z
    .array(origin)
    .min(1)
    .optional()
    .describe('where it is reached; bound requests for others are refused'),
  publicPath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+){1,8}$/, { error: 'this should be a path such as /shop.' })
    .optional()
    .describe('what a proxy takes off the front of paths'),
  mostGasPrice: gasPrice.optional().describe('pay no more for a unit of gas: 50 gwei'),
  verifier: z.enum(['native', 'wasm', 'js']).optional().describe('the fastest when left out'),
  verifierThreads: count.min(0).max(64).optional().describe('as many as cores, at most 4'),
  outage: z
    .strictObject({
      longest: seconds.min(0).max(86_400).optional().describe('seconds served without a node (60)'),
      mostPerChannel: amountText.optional().describe('balance of one channel meanwhile'),
      mostInAll: amountText.optional().describe('balances of all channels meanwhile'),
    })
    .prefault({}),
  replies: z
    .strictObject({
      lifetime: seconds.min(0).max(86_400).optional().describe('seconds (600)'),
      mostBytes: count.min(0).optional().describe('of all replies (16 MB)'),
      largestBody: count.min(0).optional().describe('bytes (1 MB)'),
      largestOnDisk: count.min(0).optional().describe('bytes (4096)'),
    })
    .prefault({})
    .describe('replies that may be asked for again with the same Idempotency-Key'),
  relay: z
    .strictObject({ leastDeposit: amountText.optional() })
    .optional()
    .describe('send transactions for senders without ether: relay: {}'),
  settlement: settlementSchema.prefault({}),
  watchtowers: watchtowersSchema.default([]),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      format: z.enum(['auto', 'json', 'text']).default('auto').describe('text at a terminal'),
      requests: z.boolean().default(false).describe('a line for every request'),
    })
    .prefault({}),
  tls: tlsSchema.optional().describe('speak https; without it http'),
  discovery: discoverySchema
    .optional()
    .describe('announce it in the local network by DNS-SD: discovery: {}'),
  admin: adminSchema.prefault({}).describe('who may administer it, and how'),
  ops: opsSchema.prefault({}).describe('health and metrics'),
  stopWithin: seconds
    .min(0)
    .max(600)
    .default(10)
    .describe('seconds for running requests when it is stopped'),
})

export type ReceiverConfig = z.output<typeof receiverConfig>

/** Variables with the prefix that are no settings. */
export const variables = {
  prefix: 'URAIDEN_RECEIVER_',
  config: 'URAIDEN_RECEIVER_CONFIG',
  /** Not `URAIDEN_RECEIVER_PASSWORD`: that one overrides the name of the password file. */
  password: 'URAIDEN_RECEIVER_KEY_PASSWORD',
} as const

export interface ConfigPlace {
  /** Without one, everything comes from options and environment. */
  readonly file: string | undefined
  readonly options?: readonly ConfigOption[]
  readonly environment?: NodeJS.ProcessEnv
}

/**
 * Paths in it are absolute: what is relative is so to the file's folder, without a file to the
 * working directory.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`
 */
export async function loadReceiverConfig(place: ConfigPlace): Promise<ReceiverConfig> {
  const { file, options = [], environment = process.env } = place
  const config = await loadConfig({
    file,
    schema: receiverConfig,
    options,
    overrides: {
      prefix: variables.prefix,
      environment,
      except: [variables.config, variables.password],
    },
  })
  return withPathsFrom(config, file === undefined ? process.cwd() : dirname(resolve(file)))
}

function withPathsFrom(config: ReceiverConfig, folder: string): ReceiverConfig {
  const at = (given: string | undefined) =>
    given === undefined ? undefined : resolve(folder, given)
  const resources = Object.entries(config.resources).map(
    ([path, resource]) => [path, resourceFrom(folder, resource)] as const,
  )
  const { password, state, page, admin, tls } = config
  const watchtowers = config.watchtowers.map(({ token, ca, ...rest }) => ({
    ...rest,
    token: resolve(folder, token),
    ...defined({ ca: at(ca) }),
  }))
  return {
    ...config,
    ...defined({ password: at(password), state: at(state), page: at(page) }),
    ...(tls && { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
    key: resolve(folder, config.key),
    watchtowers,
    admin: { ...admin, ...defined({ socket: admin.socket === 'off' ? 'off' : at(admin.socket) }) },
    resources: Object.fromEntries(resources),
  }
}

/**
 * What of the configuration the library needs and does not depend on the token.
 */
export function receiverOptions(config: ReceiverConfig) {
  const { rpc, contract, confirmations, startBlock, verifier, verifierThreads } = config
  const { bound, origins, publicPath } = config
  const { lifetime, ...replies } = config.replies
  return {
    rpcUrl: rpc,
    contract,
    confirmations,
    startBlock,
    bound,
    pollInterval: config.pollInterval * 1000,
    replies: defined({
      ...replies,
      lifetime: lifetime === undefined ? undefined : lifetime * 1000,
    }),
    ...defined({
      quorum: config.quorum,
      verifier,
      verifierThreads,
      origins,
      publicPath,
      chainId: config.chainId === undefined ? undefined : BigInt(config.chainId),
    }),
  } satisfies Partial<ReceiverOptions>
}

/**
 * What of it is amounts, in the token's smallest unit.
 * @throws UraidenError `wrong_token`, `too_many_decimals`
 */
export function amountOptions(config: ReceiverConfig, token: TokenUnit) {
  const { longest, mostPerChannel, mostInAll } = config.outage
  const amount = (text: string | undefined) =>
    text === undefined ? undefined : parseAmount(text, token)
  const { relay, mostGasPrice } = config
  return {
    outage: defined({
      longest: longest === undefined ? undefined : longest * 1000,
      mostPerChannel: amount(mostPerChannel),
      mostInAll: amount(mostInAll),
    }),
    settlement: settlementOptions(config.settlement, token, mostGasPrice),
    ...(relay !== undefined && {
      relay: defined({ leastDeposit: amount(relay.leastDeposit), mostFeePerGas: mostGasPrice }),
    }),
  } satisfies Partial<ReceiverOptions>
}
