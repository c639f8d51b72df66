// receiver.yaml: what a person writes, checked. `settings.ts` makes of it what the program works with.
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import {
  address,
  amountText,
  type ConfigOption,
  checkListed,
  count,
  duration,
  filePath,
  gasPrice,
  httpUrl,
  listenAddress,
  loadConfig,
  seconds,
  withContracts,
  withDeployment,
} from '../../platform/config/index.ts'
import { platformError } from '../../platform/errors/index.ts'
import { parseOrigin } from '../../protocol/bound/index.ts'
import { defined } from '../../protocol/index.ts'
import { alertsFrom, alertsSchema } from '../alerts/schema.ts'
import { problemOfSteps } from '../channels/ceiling.ts'
import { usualKept } from '../channels/forgetting.ts'
import { watchtowersSchema } from '../core/watchtower/addresses.ts'
import { opsSchema } from '../ops/config.ts'
import { stateAt, stateSchema } from '../postgres/settings.ts'
import { resourceFrom, resourcesSchema } from '../resources/configuration/schema.ts'
import { buyersSchema } from '../server/admin/buyers.ts'
import { adminSchema } from '../server/admin/config.ts'
import { settlementSchema } from '../settlement/config.ts'
import { tlsSchema } from '../tls/config.ts'
import { acceptSchema } from '../x402/config.ts'
import { contractsSchema } from './contracts.ts'
import { discoverySchema } from './discovery/config.ts'

const hostName = z.string().regex(/^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/i, {
  error: 'this should be a name such as shop.example.org or *.example.org, without a port.',
})
const boundMode = z.enum(['offer', 'require'])
/** Held in memory for each answer that is being made, in bytes. */
const mostCollect = 16 << 20
const origin = z.string().refine(isOrigin, {
  error: 'this should be an origin such as http://192.168.1.20:5000, without a path.',
})

/** Of a receiver or a watchtower: a depth in blocks, the block itself included. */
export const confirmations = count.min(1).max(1000)

/** The block after the one that opens a channel, as the original has it. */
export const usualConfirmations = 2

const depth = z.union([confirmations, z.literal('finalised')], {
  error: 'this should be a number of blocks, or finalised.',
})

const confirmationStep = z.strictObject({
  blocks: depth.describe('how deep the deposit is, its own block included; or finalised'),
  mostOwed: amountText.optional().describe('by the channel; not in the last step'),
})

function checkSteps(
  steps: readonly z.output<typeof confirmationStep>[],
  context: z.RefinementCtx,
): void {
  const problem = problemOfSteps(steps)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: `${problem}.` })
}

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
  contracts: contractsSchema.optional(),
  key: filePath.describe('a key file, mode 600: geth keystore or hex'),
  password: filePath.optional().describe('a file, mode 600; its first line opens the key'),
  state: stateSchema
    .optional()
    .describe('folder for the balance proofs, mode 700; or postgres://… to share them'),
  listen: listenAddress.prefault('0.0.0.0:5000').describe('host:port; 0.0.0.0 is every interface'),
  resources: resourcesSchema.default({}).describe('what is sold, by path'),
  seller: z
    .string()
    .regex(/^[^\p{Cc}\p{Cf}]{1,80}$/u, { error: 'a name has 1 to 80 characters, on one line.' })
    .optional()
    .describe('who sells, as buyers read it on the page to pay from'),
  buyers: buyersSchema.describe('what you call accounts that pay, by name: kitchen: 0x9A7d…'),
  page: filePath.optional().describe('folder with an index.html for browsers that have not paid'),
  confirmations: z
    .union(
      [
        confirmations,
        z.literal('finalised'),
        z.array(confirmationStep).min(1).superRefine(checkSteps),
      ],
      {
        error: 'this should be a number of blocks, finalised, or steps of { blocks, mostOwed }.',
      },
    )
    .default(usualConfirmations)
    .describe(
      'blocks until a deposit counts, or finalised; or steps, with what may be owed at each depth',
    ),
  notFinal: z
    .strictObject({
      mostPerSender: amountText.optional().describe('owed by all channels of one sender'),
      mostInAll: amountText.optional().describe('owed by all channels'),
    })
    .prefault({})
    .describe('on deposits that have not reached the last step of confirmations'),
  keepSettled: z
    .union([count.min(0), z.literal('all')], {
      error: 'this should be a number of channels, or all.',
    })
    .default(usualKept)
    .describe('settled channels that are remembered; of older ones only sums stay'),
  startBlock: count.min(0).optional().describe('the contract was deployed in it or later'),
  leastChallengePeriod: duration
    .optional()
    .describe('refuse a contract with a shorter challenge period: 1h'),
  pollInterval: seconds(0.02, 3600).default(2).describe('seconds between looks at the chain'),
  bound: z
    .union([
      boundMode,
      z.strictObject({
        mode: boundMode.default('offer'),
        collect: count.min(0).max(mostCollect).optional().describe('bytes of an answer (65536)'),
      }),
    ])
    .default('offer')
    .describe('require: payments of bound requests only'),
  ticks: z
    .enum(['on', 'off'])
    .default('on')
    .describe('off: bound requests pay with signatures only'),
  origins: z
    .array(origin)
    .min(1)
    .optional()
    .describe('where it is reached; bound requests for others are refused'),
  crossOrigins: z.array(origin).min(1).optional().describe('pages of these origins may buy, too'),
  api: z
    .strictObject({
      show: z
        .enum(['all', 'own'])
        .default('all')
        .describe('own: nobody gets the list of all channels'),
    })
    .prefault({}),
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
      longest: seconds(0, 86_400).optional().describe('seconds served without a node (60)'),
      mostPerChannel: amountText.optional().describe('balance of one channel meanwhile'),
      mostInAll: amountText.optional().describe('balances of all channels meanwhile'),
    })
    .prefault({}),
  trustProxy: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .optional()
    .describe('reverse proxies whose X-Forwarded-For says which client asks'),
  hosts: z
    .array(hostName)
    .min(1)
    .optional()
    .describe("names it answers to, besides addresses, localhost and *.local; ['*']: to all"),
  limits: z
    .strictObject({
      connections: count.min(1).max(100_000).optional().describe('at a time (512)'),
      perAddress: count.min(1).max(100_000).optional().describe('of one address (64)'),
      proxies: z
        .array(z.union([z.ipv4(), z.ipv6()]))
        .optional()
        .describe('addresses that perAddress is not for; this machine’s own never is'),
      headers: seconds(0.1, 600).optional().describe('seconds for all headers (10)'),
      request: seconds(0.1, 86_400).optional().describe('seconds for a request (60)'),
      idle: seconds(0.1, 3600).optional().describe('seconds between requests (72)'),
      stall: seconds(0.1, 3600)
        .optional()
        .describe('seconds in which a client takes nothing of its answer (30)'),
      pipelined: count.min(1).max(1000).optional().describe('requests waiting on one (8)'),
      mostBytes: count
        .min(1 << 20)
        .optional()
        .describe('of all that is not read and not whole (64 MB)'),
      requestKeys: count.min(1).optional().describe('new ones of an address in a minute (30)'),
      requestKeysInAll: count.min(1).optional().describe('new ones in a minute (600)'),
    })
    .prefault({})
    .describe('what clients may take of it'),
  replies: z
    .strictObject({
      lifetime: seconds(0, 86_400).optional().describe('seconds (600)'),
      mostBytes: count.min(0).optional().describe('of all replies (16 MB)'),
      largestBody: count.min(0).optional().describe('bytes (1 MB)'),
      largestOnDisk: count.min(0).optional().describe('bytes (4096)'),
    })
    .prefault({})
    .describe('replies that may be asked for again with the same Idempotency-Key'),
  relay: z
    .strictObject({
      key: filePath
        .optional()
        .describe('key file of an account that pays for it, not the receiver’s'),
      password: filePath.optional().describe('a file, mode 600; its first line opens relay.key'),
      leastDeposit: amountText.optional().describe('refuse to open or top up with less (1 unit)'),
      etherPrice: amountText
        .optional()
        .describe('one ether in tokens: 2500 TKN; a deposit must be worth four times its gas'),
      mostPerDay: count.min(1).max(10_000).optional().describe('for one sender (20)'),
      mostGasPerDay: count.min(200_000).optional().describe('for one sender (3000000)'),
      mostWaiting: count.min(1).max(1000).optional().describe('requests at a time (16)'),
    })
    .optional()
    .describe('send transactions for senders without ether: relay: {}'),
  settlement: settlementSchema.prefault({}),
  accept: acceptSchema.prefault({}).describe('what is taken beside channels'),
  watchtowers: watchtowersSchema.default([]),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      format: z
        .enum(['text', 'logfmt', 'json', 'auto'])
        .default('text')
        .transform((format) => (format === 'json' ? 'json' : 'text'))
        .describe('text: a sentence and its fields (logfmt); json: an object a line'),
      requests: z.boolean().default(false).describe('a line for every request'),
    })
    .prefault({}),
  tls: tlsSchema.optional().describe('speak https; without it http'),
  discovery: discoverySchema
    .optional()
    .describe('announce it in the local network by DNS-SD: discovery: {}'),
  admin: adminSchema.prefault({}).describe('who may administer it, and how'),
  alerts: alertsSchema.optional().describe('what the owner is told, and where'),
  ops: opsSchema.prefault({}).describe('health and metrics'),
  metrics: listenAddress.optional().describe('ops.listen, as the agent calls it'),
  stopWithin: seconds(0, 600)
    .default(10)
    .describe('seconds for running requests when it is stopped'),
})

export type ReceiverConfig = z.output<typeof receiverConfig>

/** How a program is called where its configuration, its state and its password are looked for. */
export interface ProgramNames {
  /** Of its configuration, in the usual folders. */
  readonly file: string
  readonly stateFolder: string
  /** systemd's, for the password. */
  readonly credential: string
  /** Of the variables that override settings. */
  readonly prefix: string
  /** Variables with the prefix that are no settings. */
  readonly variables: { readonly config: string; readonly password: string }
}

export const receiverNames = {
  file: 'receiver.yaml',
  stateFolder: 'uraiden-receiver',
  credential: 'receiver-key-password',
  prefix: 'URAIDEN_RECEIVER_',
  variables: {
    config: 'URAIDEN_RECEIVER_CONFIG',
    // Not `URAIDEN_RECEIVER_PASSWORD`: that one overrides the name of the password file.
    password: 'URAIDEN_RECEIVER_KEY_PASSWORD',
    relayPassword: 'URAIDEN_RECEIVER_RELAY_KEY_PASSWORD',
  },
} satisfies ProgramNames & { readonly variables: { readonly relayPassword: string } }

export interface ConfigPlace {
  /** Without one, everything comes from options and environment. */
  readonly file: string | undefined
  readonly options?: readonly ConfigOption[]
  readonly environment?: NodeJS.ProcessEnv
}

/**
 * Paths in it are absolute: what is relative is so to the file's folder, without a file to the
 * working directory.
 * @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`, `contract_not_listed`
 */
export async function loadReceiverConfig(place: ConfigPlace): Promise<ReceiverConfig> {
  const config = await loadProgramConfig(place, receiverConfig, receiverNames)
  checkListed(
    config.contract,
    config.contracts?.map(({ contract }) => contract),
  )
  const folder = folderOf(place)
  const at = (path: string | undefined) => path && resolve(folder, path)
  const resources = Object.entries(config.resources).map(
    ([path, resource]) => [path, resourceFrom(folder, resource)] as const,
  )
  const { page, admin, relay, alerts, state } = config
  checkShared(config)
  const ops = opsOf(config)
  const watchtowers = config.watchtowers.map(({ token, ca, ...rest }) => ({
    ...rest,
    token: resolve(folder, token),
    ...defined({ ca: at(ca) }),
  }))
  return {
    ...config,
    ...commonPaths({ ...config, state: undefined }, folder),
    ...defined({ state: state && stateAt(state, (path) => resolve(folder, path)) }),
    ...{ ...defined({ page: at(page) }), ops },
    ...(relay && {
      relay: { ...relay, ...defined({ key: at(relay.key), password: at(relay.password) }) },
    }),
    watchtowers,
    ...defined({ alerts: alerts && alertsFrom(folder, alerts) }),
    admin: { ...admin, ...defined({ socket: admin.socket === 'off' ? 'off' : at(admin.socket) }) },
    resources: Object.fromEntries(resources),
  }
}

/** @throws UraidenError `config_invalid` */
function checkShared({ state, contracts = [] }: ReceiverConfig): void {
  if (typeof state !== 'object' || contracts.length < 2) return
  throw platformError({
    code: 'config_invalid',
    message: `state: a database has the state of one contract, and contracts names ${contracts.length}.`,
    hint: 'Run a receiver of its own for each, with a database of its own, or use a folder.',
  })
}

/** @throws UraidenError `config_invalid` */
function opsOf({ ops, metrics }: ReceiverConfig): ReceiverConfig['ops'] {
  if (metrics === undefined) return ops
  if (ops.listen === undefined) return { ...ops, listen: metrics }
  throw platformError({
    code: 'config_invalid',
    message: 'metrics is the same as ops.listen.',
    hint: 'Give one of them.',
  })
}

/** @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid` */
export function loadProgramConfig<Schema extends z.ZodType>(
  { file, options = [], environment = process.env }: ConfigPlace,
  schema: Schema,
  { prefix, variables }: ProgramNames,
): Promise<z.output<Schema>> {
  const except = Object.values(variables)
  const complete = (value: unknown) => withDeployment(withContracts(value), environment)
  const overrides = { prefix, environment, except }
  return loadConfig({ file, schema, options, overrides, complete })
}

/** What relative paths start from. */
export function folderOf({ file }: ConfigPlace): string {
  return file === undefined ? process.cwd() : dirname(resolve(file))
}

/** The paths that receiver and watchtower have in common, absolute. */
export function commonPaths(
  {
    key,
    password,
    state,
    tls,
  }: Pick<ReceiverConfig, 'key' | 'password' | 'tls'> & { readonly state?: string | undefined },
  folder: string,
) {
  const at = (path: string | undefined) => path && resolve(folder, path)
  return {
    key: resolve(folder, key),
    ...defined({ password: at(password), state: at(state) }),
    ...(tls && { tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } }),
  }
}
