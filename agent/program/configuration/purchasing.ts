// What the agent may spend, and how: from the configuration's texts to the token's smallest unit.
import {
  type Address,
  defined,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { assetNamed, checkNames } from '../../budget/assets.ts'
import type { Budget } from '../../budget/caps.ts'
import { type DepositPolicy, depositsFor, depositsWorth } from '../../channels/choose.ts'
import type { AgentOptions } from '../../options.ts'
import { jobOfProgram } from '../../proxy/pay.ts'
import type { TlsTrust } from '../../transport/transport.ts'
import type { Asset } from '../../x402/types.ts'
import {
  type Amounts,
  type AssetSettings,
  assetBudgets,
  assetUnits,
  type CapTexts,
  capsIn,
  textsOf,
} from './assets.ts'
import { gentleReservation } from './card.ts'
import type { AgentConfig } from './config.ts'
import { readCertificate } from './files.ts'

/** Amounts are texts until the chain has said what the token is. */
export interface PurchaseSettings {
  readonly budget: {
    readonly request: Amounts | undefined
    readonly all: CapTexts
    readonly receivers: readonly (readonly [receiver: Address, caps: CapTexts])[]
    /** Programs of the proxy among them. */
    readonly jobs: readonly (readonly [job: string, caps: CapTexts])[]
    /** In wei, and numbers of channels: no token's amounts. */
    readonly transactions: Pick<Budget, 'ether' | 'openings' | 'openingsPerReceiver'>
  }
  readonly deposit: AgentConfig['deposit']
  /** Undefined where nothing is paid by x402. */
  readonly x402?: AssetSettings | undefined
  /** What needs no unit. */
  readonly policy: Pick<
    AgentOptions,
    | 'receivers'
    | 'hosts'
    | 'priceJump'
    | 'timeZone'
    | 'clock'
    | 'funding'
    | 'reservation'
    | 'ticks'
    | 'confirmations'
    | 'leastChallengePeriod'
    | 'confirmTimeout'
    | 'retryInterval'
    | 'mostFeePerGas'
    | 'timeout'
    | 'history'
    | 'tls'
  >
}

/** @throws UraidenError `config_file_unreadable` */
export function purchaseSettings(config: AgentConfig): PurchaseSettings {
  const { hosts, priceJump, timeZone, clock, funding, card, confirmations, history } = config
  const { confirmTimeout, retryInterval, leastChallengePeriod: least } = config
  const listed = Object.values(config.receivers).flatMap(({ address, payTo }) =>
    [address ?? [], payTo ?? []].flat(),
  )
  return {
    budget: budgetTexts(config),
    deposit: config.deposit,
    ...defined({ x402: assetSettings(config) }),
    policy: defined({
      receivers: listed.length > 0 ? listed : undefined,
      hosts,
      priceJump,
      timeZone,
      clock,
      funding,
      reservation: card === 'gentle' ? gentleReservation(config) : config.reservation,
      ticks: config.ticks,
      confirmations,
      leastChallengePeriod: least === undefined ? undefined : least / 1000,
      confirmTimeout: milliseconds(confirmTimeout),
      retryInterval: milliseconds(retryInterval),
      mostFeePerGas: config.mostGasPrice,
      timeout: config.timeout * 1000,
      history,
      tls: config.tls && trustOf(config.tls),
    }),
  }
}

/** Undefined where there are none. */
function assetSettings(config: AgentConfig): AssetSettings | undefined {
  const { assets, rpc: usual, x402 } = config
  const all = Object.entries(assets).map(([name, asset]): Asset => {
    const { address, chainId, decimals, rpc = usual, confirmations, name: own, version } = asset
    const domain = own !== undefined && version !== undefined ? { name: own, version } : undefined
    return {
      ...{ name, address, chainId: BigInt(chainId), decimals, confirmations },
      rpcUrl: [rpc].flat(),
      ...defined({ domain }),
    }
  })
  if (all.length === 0) return undefined
  return { assets: all, validFor: Math.floor(x402.validFor / 1000) }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

/** @throws UraidenError `wrong_token`, `too_many_decimals`, `amount_twice`, `asset_name_taken` */
export function policyOptions(
  { budget, deposit, policy, x402 }: PurchaseSettings,
  token: TokenUnit,
) {
  const units = assetUnits(x402)
  checkNames(token, units)
  return {
    ...policy,
    budget: budgetOf(budget, token, units),
    deposit: depositOf(deposit, token),
  } satisfies Partial<AgentOptions>
}

function budgetTexts({ budget, receivers, proxy, jobs: configured }: AgentConfig) {
  const { request, jobs = {}, ether, openings, openingsPerReceiver, ...all } = budget
  const ofJobs = Object.entries(configured).flatMap(([job, { budget: caps }]) =>
    caps === undefined ? [] : [[job, caps] as const],
  )
  const ofPrograms = Object.entries(proxy?.programs ?? {}).map(
    ([name, { budget: caps }]) => [jobOfProgram(name), caps] as const,
  )
  return {
    request,
    all,
    receivers: Object.values(receivers).flatMap(({ address, payTo, budget: caps }) => {
      const paid = new Set([address ?? [], payTo ?? []].flat())
      return caps ? [...paid].map((each) => [each, caps] as const) : []
    }),
    jobs: [...Object.entries(jobs), ...ofJobs, ...ofPrograms],
    transactions: defined({
      ether: ether && defined(ether),
      openings: openings && defined(openings),
      openingsPerReceiver: openingsPerReceiver && defined(openingsPerReceiver),
    }),
  }
}

function budgetOf(
  texts: PurchaseSettings['budget'],
  token: TokenUnit,
  units: readonly TokenUnit[],
): Budget {
  const { request, all, receivers, jobs, transactions } = texts
  const inToken = (text: string) =>
    assetNamed(text, units) === undefined ? parseAmount(text, token) : undefined
  const caps = (each: CapTexts) => capsIn(each, inToken)
  const [most] = textsOf(request).flatMap((text) => inToken(text) ?? [])
  return {
    ...caps(all),
    ...transactions,
    ...defined({ request: most }),
    receivers: Object.fromEntries(receivers.map(([name, each]) => [name, caps(each)])),
    jobs: Object.fromEntries(jobs.map(([name, each]) => [name, caps(each)])),
    ...(units.length > 0 && { assets: assetBudgets(texts, units) }),
  }
}

/** Of a deposit, in hundredths of a percent: 1 %. */
export const usualFeeShare = 100n

/** @throws UraidenError those of `parseAmount` */
export function depositOf(
  config: AgentConfig['deposit'],
  token: TokenUnit,
): Partial<DepositPolicy> {
  const { open, topUp, for: time, most, mostInAll } = config
  return defined({
    ...(time !== undefined && depositsFor(time)),
    least: leastOf(config, token),
    open: open === undefined ? undefined : depositFor(open, token),
    topUp: topUp === undefined ? undefined : depositFor(topUp, token),
    most: most === undefined ? undefined : parseAmount(most, token),
    mostInAll: mostInAll === undefined ? undefined : parseAmount(mostInAll, token),
  })
}

/** A deposit whose size a person has said is of that size. */
function leastOf(
  { open, topUp, feeShare = usualFeeShare, etherPrice }: AgentConfig['deposit'],
  token: TokenUnit,
): DepositPolicy['least'] {
  if (etherPrice === undefined) return undefined
  const { least } = depositsWorth({ feeShare, etherPrice: parseAmount(etherPrice, token) })
  const said = { open, topUp }
  return (kind, fee) => (said[kind] === undefined ? least(kind, fee) : 0n)
}

function depositFor(text: string, token: TokenUnit): (price: TokenAmount) => TokenAmount {
  if (text.endsWith('x')) return (price) => BigInt(text.slice(0, -1)) * price
  const amount = parseAmount(text, token)
  return () => amount
}

/** @throws UraidenError those of `readCertificate` */
export function trustOf({ authority, pinned }: NonNullable<AgentConfig['tls']>): TlsTrust {
  return defined({
    authority: authority === undefined ? undefined : readCertificate('tls.authority', authority),
    pinned: pinned === undefined ? undefined : readCertificate('tls.pinned', pinned),
  })
}
