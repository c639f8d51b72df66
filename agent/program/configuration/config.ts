// agent.yaml: what a person writes, checked.

import { z } from 'zod'
import {
  address,
  amountText,
  checkedAmount,
  checkListed,
  count,
  duration,
  type EnvironmentOverrides,
  filePath,
  gasPrice,
  httpUrl,
  listenAddress,
  loadConfig,
  mostContracts,
  onlyOnce,
  ownName,
  parsed,
  seconds,
  share,
  timeZone,
  withContracts,
  withDeployment,
} from '../../../platform/config/index.ts'
import { defined, mostTicks, shorten } from '../../../protocol/index.ts'
import { alertsSchema } from '../../alerts/schema.ts'
import { amounts, severalCaps, transactionCaps } from '../../budget/config.ts'
import { discoverySchema, serviceUrl } from '../../discovery/config.ts'
import { agentError } from '../../errors/index.ts'
import { jobSchema, problemsOfJobs } from '../../jobs/schema.ts'
import { brokerSchema } from '../../jobs/sinks/schema.ts'
import { proxySchema } from '../../proxy/config.ts'
import { dialectNames } from '../../purchase/types.ts'
import { assetsSchema, problemsOfAssets, x402Schema } from './assets-schema.ts'
import { withPaths } from './paths.ts'
import { variables } from './places.ts'

/** `10x`: so many times the price; else an amount. */
const depositText = parsed((text) => {
  if (/^[1-9][0-9]{0,3}x$/.test(text)) return text
  if (!/^[0-9.,+-]+x$/.test(text)) return checkedAmount(text)
  throw agentError({
    code: 'not_an_amount',
    message: `"${text}" is neither a multiple of the price nor an amount.`,
    hint: 'Write a multiple from 1x to 9999x, or an amount such as 1 TKN.',
  })
})

const controlSchema = z
  .strictObject({
    socket: filePath.optional().describe('path of the Unix socket for commands'),
  })
  .prefault({})

const logSchema = z
  .strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    format: z
      .enum(['json', 'text'])
      .optional()
      .describe('text: a sentence and its fields (logfmt); json: an object a line'),
    form: z.enum(['json', 'text']).optional().describe('earlier name of format'),
  })
  .refine(({ format, form }) => format === undefined || form === undefined, {
    error: '"form" is the earlier name of "format": give one of them.',
  })
  .transform(({ level, format, form }) => ({ level, format: format ?? form ?? 'text' }))
  .prefault({})

/** On 127.0.0.1. */
export interface PagePlace {
  /** 0 takes a free one. */
  readonly port: number
}

/** @throws UraidenError `page_not_local` */
function parsePlace(text: string): PagePlace {
  const [, digits] = /^(?:(?:127\.0\.0\.1|localhost):)?([0-9]{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535) return { port }
  throw agentError({
    code: 'page_not_local',
    message: `"${shorten(text)}" is not a port on 127.0.0.1.`,
  })
}

const pageSchema = z
  .strictObject({
    listen: parsed(parsePlace)
      .default({ port: 8403 })
      .describe('a port on 127.0.0.1, and no other address'),
    token: filePath
      .optional()
      .describe(
        'a file, mode 600; who knows its first line may pause, run jobs and close channels',
      ),
  })
  .describe('a page in the browser that shows what the agent does')

const parts = z.strictObject({
  rpc: z
    .union([httpUrl, z.array(httpUrl).min(1)])
    .describe('JSON-RPC addresses of Ethereum nodes, in the order of preference'),
  quorum: count.min(1).optional().describe('nodes that must agree where money depends on it'),
  chainId: count.positive().optional().describe('refuse nodes of another chain'),
  contract: address.describe('the channels contract'),
  contracts: z
    .array(address)
    .min(1)
    .max(mostContracts)
    .superRefine(onlyOnce)
    .optional()
    .describe('in place of contract: the one for new channels, then former ones'),
  startBlock: count.min(0).optional().describe('own channels were opened in it or later'),
  leastChallengePeriod: duration
    .optional()
    .describe('open no channel in a contract with a shorter challenge period: 1h'),
  key: filePath.describe('a key file, mode 600: geth keystore or hex'),
  password: filePath.optional().describe('a file, mode 600; its first line opens the key'),
  state: filePath.optional().describe('folder for the ledger, mode 700'),
  budget: z
    .strictObject({
      request: amounts.optional().describe('for a single request'),
      ...severalCaps,
      jobs: z.record(z.string(), z.strictObject(severalCaps)).optional(),
      ...transactionCaps,
    })
    .prefault({}),
  deposit: z
    .strictObject({
      for: duration.optional().describe('how long a deposit should last: 7d'),
      open: depositText.optional().describe('of a new channel: 10x the price, or an amount'),
      topUp: depositText.optional().describe('what should be left after a top-up'),
      feeShare: share
        .optional()
        .describe('the most that a fee may be of a deposit: 1%; needs etherPrice'),
      etherPrice: amountText.optional().describe('what one ether is worth in tokens: 2500 TKN'),
      most: amountText.optional().describe('in one channel'),
      mostInAll: amountText.optional().describe('in all open channels'),
    })
    .prefault({}),
  receivers: z
    .record(
      ownName,
      z
        .strictObject({
          url: z
            .union([httpUrl, serviceUrl], {
              error: 'this is not http://…, https://… or dns-sd:NAME.',
            })
            .describe('http://… or https://…, or dns-sd: and the name that it announces'),
          address: address.optional(),
          payTo: address.optional().describe('who is paid by x402; default: address'),
          pay: z
            .array(z.enum(dialectNames))
            .min(1)
            .refine((names) => new Set(names).size === names.length, {
              error: 'name each of them once.',
            })
            .optional()
            .describe('rdn, x402 or both, the preferred one first; default rdn'),
          budget: z.strictObject(severalCaps).optional(),
          bound: z
            .enum(['require', 'prefer', 'off'])
            .optional()
            .describe('whether payments are tied to their requests; default require'),
        })
        // A limit that is not kept is worse than none.
        .refine(
          ({ address, payTo, budget }) => budget === undefined || (address ?? payTo) !== undefined,
          {
            error: 'a budget for a receiver needs its "address".',
          },
        ),
    )
    .default({})
    .describe('with an address at any of them, only addresses listed here are paid'),
  assets: assetsSchema,
  x402: x402Schema,
  hosts: z.array(z.string()).optional().describe('where may be bought: host or host:port'),
  priceJump: z.number().min(1).optional().describe('most rise of a price, as a factor'),
  timeZone: timeZone.optional().describe('IANA name; where days and months begin'),
  clock: z.enum(['auto', 'trusted']).optional(),
  funding: z.enum(['auto', 'erc223', 'permit', 'approve', 'authorization', 'relay']).optional(),
  card: z
    .enum(['careful', 'gentle'])
    .default('careful')
    .describe('gentle: an SD card is written to every two hours only'),
  reservation: count.min(1).max(10_000).optional().describe('payments covered by one synced write'),
  ticks: z
    .union([z.literal('off').transform(() => 0), count.min(1).max(mostTicks)])
    .optional()
    .describe('payments that one signature may cover as a chain of hashes; off for none'),
  confirmations: count.min(1).max(1000).optional(),
  confirmTimeout: seconds(1, 86_400)
    .optional()
    .describe('seconds that a receiver may take to see a deposit confirmed'),
  retryInterval: seconds(0.05, 60)
    .optional()
    .describe('seconds between two looks while something waits for the chain'),
  mostGasPrice: gasPrice.optional().describe('pay no more for a unit of gas: 50 gwei'),
  timeout: seconds(1, 3600).default(30).describe('for one answer: 30s, or seconds'),
  history: count.min(0).max(100_000).optional().describe('purchases to remember; 0 for none'),
  tls: z
    .strictObject({
      authority: filePath.optional().describe('a PEM file: the only certificate authority'),
      pinned: filePath.optional().describe('a PEM file: the only certificate'),
    })
    // Each replaces the machine's authorities in its own way.
    .refine(({ authority, pinned }) => authority === undefined || pinned === undefined, {
      error: 'give "authority" or "pinned", not both.',
    })
    .optional(),
  proxy: proxySchema.optional(),
  jobs: z.record(ownName, jobSchema).default({}).describe('what is bought when, and where it goes'),
  alerts: alertsSchema.optional().describe('what the owner is told, and where'),
  mqtt: brokerSchema.optional().describe('the broker of all sinks with mqtt'),
  discovery: discoverySchema,
  control: controlSchema,
  /** Where Prometheus asks: amounts are seen there, nothing can be spent. */
  metrics: listenAddress.optional().describe('host:port for Prometheus'),
  ops: z
    .strictObject({ listen: listenAddress.optional() })
    .optional()
    .describe('ops.listen is metrics, as the receiver calls it'),
  page: pageSchema.optional(),
  log: logSchema,
})

export const agentConfig = parts.superRefine((config, context) => {
  const { jobs, alerts, mqtt, budget, metrics, ops } = config
  if (metrics !== undefined && ops?.listen !== undefined) {
    context.addIssue({ code: 'custom', path: ['metrics'], message: metricsTwice })
  }
  const budgets = Object.keys(budget.jobs ?? {})
  for (const { path, message, hint } of problemsOfAssets(config)) {
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint } })
  }
  for (const { path, message, hint } of problemsOfJobs({
    jobs,
    alerts: alerts?.sinks ?? [],
    broker: mqtt,
    budgets,
  })) {
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint } })
  }
})

export type AgentConfig = z.output<typeof agentConfig>

const metricsTwice = 'this is the same as ops.listen: give one of them.'

/** @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid`, `contract_not_listed` */
export async function loadAgentConfig(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<AgentConfig> {
  const overrides: EnvironmentOverrides = {
    prefix: variables.prefix,
    environment,
    except: [variables.config, variables.password],
  }
  const complete = (value: unknown) => withDeployment(withContracts(value), environment)
  const config = await loadConfig({ file, schema: agentConfig, overrides, complete })
  checkListed(config.contract, config.contracts)
  const metrics = config.metrics ?? config.ops?.listen
  return withPaths({ ...config, ...defined({ metrics }) }, file, environment)
}
