// How much may be spent, and what of it is left: pure functions on plain data.

import type { Milliseconds } from '../../platform/time/clock.ts'
import {
  type Address,
  etherUnit,
  formatAmount,
  largest,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export const windows = ['hour', 'day', 'month', 'total'] as const

/** hour: the last 60 minutes, rolling; day and month: of the calendar; total: for ever. */
export type BudgetWindow = (typeof windows)[number]

/** Most that may be spent in each window, in the token's smallest unit; not given is not limited. */
export type WindowCaps = { readonly [Window in BudgetWindow]?: TokenAmount }

/** Caps of what is paid in an asset of its own, beside the channels' token. */
export interface AssetCaps extends WindowCaps {
  readonly unit: TokenUnit
  /** Most for a single request. */
  readonly request?: TokenAmount
  readonly receivers?: { readonly [payTo: Address]: WindowCaps }
  readonly jobs?: { readonly [job: string]: WindowCaps }
}

/** A ledger is bound to one contract and so to one token: these are the caps of that token. */
export interface Budget extends WindowCaps {
  /** By the name that the owner has given to the asset. */
  readonly assets?: { readonly [asset: string]: AssetCaps }
  /** Most for a single request. */
  readonly request?: TokenAmount
  readonly receivers?: { readonly [receiver: Address]: WindowCaps }
  readonly jobs?: { readonly [job: string]: WindowCaps }
  /** Fees of transactions, in wei. */
  readonly ether?: WindowCaps
  /** How many channels may be opened. */
  readonly openings?: WindowCaps
  readonly openingsPerReceiver?: WindowCaps
}

/** What transactions may cost where nothing else is said: 0.1 ether and 50 openings a day, ten for each receiver. */
export const defaultTransactionCaps = {
  ether: { day: 10n ** 17n },
  openings: { day: 50n },
  openingsPerReceiver: { day: 10n },
} as const satisfies Budget

/** What is counted together: tokens, wei, or channels that were opened. */
export type BudgetScope =
  | 'all'
  | `receiver/${Address}`
  | `job/${string}`
  | AssetScope
  | 'ether'
  | 'openings'
  | `openings/${Address}`

/** Of one asset: all, at a receiver (`asset/USDC/receiver/0x…`), or for a job. */
export type AssetScope = `asset/${string}`

/** The scopes that an amount of an asset counts in. */
export function assetScopes(
  asset: string,
  payTo: Address,
  job: string | undefined,
): readonly AssetScope[] {
  const all: AssetScope = `asset/${asset}`
  const both: readonly AssetScope[] = [all, `${all}/receiver/${payTo}`]
  return job === undefined ? both : [...both, `${all}/job/${job}`]
}

/** All scopes of the assets that have caps. */
export function cappedAssetScopes({ assets = {} }: Budget): readonly AssetScope[] {
  return Object.entries(assets).flatMap(([asset, { receivers = {}, jobs = {} }]) => [
    `asset/${asset}` as const,
    ...Object.keys(receivers).map((name): AssetScope => `asset/${asset}/receiver/${name}`),
    ...Object.keys(jobs).map((name): AssetScope => `asset/${asset}/job/${name}`),
  ])
}

/** The asset of a scope and the scope within it: `all`, `receiver/…`, `job/…`. Undefined for other scopes. */
export function assetOf(
  scope: BudgetScope,
): { readonly asset: string; readonly within: string } | undefined {
  const [, asset, within = 'all'] = /^asset\/([^/]+)(?:\/(.+))?$/s.exec(scope) ?? []
  return asset === undefined ? undefined : { asset, within }
}

/** Scopes in which the channels' token is counted; the others are about assets or transactions. */
export function countsTokens(scope: BudgetScope): boolean {
  return scope === 'all' || scope.startsWith('receiver/') || scope.startsWith('job/')
}

/** What an opening counts in. */
export function openingScopes(receiver: Address): readonly BudgetScope[] {
  return ['openings', `openings/${receiver}`]
}

/** One cap, and what is left of it. Amounts in what the scope counts. */
export interface BudgetLimit {
  readonly scope: BudgetScope
  readonly window: BudgetWindow
  readonly cap: TokenAmount
  /** Spent in the window, and reserved. */
  readonly used: TokenAmount
  /** What an asset's amounts are in, for who shows them; undefined of the channels' token. */
  readonly unit?: TokenUnit
}

export function capsOf(budget: Budget, scope: BudgetScope): WindowCaps {
  if (scope === 'all') return budget
  if (scope === 'ether' || scope === 'openings') return budget[scope] ?? {}
  const ofAsset = assetOf(scope)
  if (ofAsset !== undefined) {
    const { unit: _, ...caps } = budget.assets?.[ofAsset.asset] ?? { unit: undefined }
    return capsOf(caps, ofAsset.within as BudgetScope)
  }
  if (!countsTokens(scope)) return budget.openingsPerReceiver ?? {}
  const [kind, name = ''] = splitScope(scope)
  return (kind === 'receiver' ? budget.receivers?.[name as Address] : budget.jobs?.[name]) ?? {}
}

function splitScope(scope: string): readonly [string, string] {
  const at = scope.indexOf('/')
  return [scope.slice(0, at), scope.slice(at + 1)]
}

export function left({ cap, used }: BudgetLimit): TokenAmount {
  return largest(cap - used, 0n)
}

/** The limit with the least left; undefined when nothing is limited. */
export function tightest(limits: readonly BudgetLimit[]): BudgetLimit | undefined {
  return limits.reduce<BudgetLimit | undefined>(
    (least, each) => (least === undefined || left(each) < left(least) ? each : least),
    undefined,
  )
}

interface Spent {
  readonly limit: BudgetLimit
  readonly available: bigint
  /** When there is room again, by the wall clock; undefined: never. */
  readonly freeAt: Milliseconds | undefined
}

/** A cap has no room, for what may have room later: nothing has failed. */
export class BudgetSpentError extends UraidenError {
  readonly limit: BudgetLimit
  /** What there is no room for, in what the limit counts. */
  readonly needed: bigint
  /** Unix time; undefined: never by itself. */
  readonly freeAt: Milliseconds | undefined

  constructor(error: UraidenError, { limit, freeAt }: Omit<Spent, 'available'>, needed: bigint) {
    super(error)
    this.limit = limit
    this.needed = needed
    this.freeAt = freeAt
  }
}

const inWindow: { readonly [Window in BudgetWindow]: string } = {
  hour: 'an hour',
  day: 'a day',
  month: 'a month',
  total: 'in all',
}

const whenAgain: { readonly [Window in BudgetWindow]: string } = {
  hour: 'Wait until what was spent is an hour ago, or raise',
  day: 'Wait until the next day, or raise',
  month: 'Wait until the next month, or raise',
  total: 'To go on raise',
}

/**
 * The error for a price that a cap has no room for: `budget_hour_spent`, `budget_day_spent`,
 * `budget_month_spent` or `budget_total_spent`.
 */
export function budgetSpent(
  price: TokenAmount,
  { limit, available, freeAt }: Spent,
  token: TokenUnit,
): BudgetSpentError {
  const { scope, window, cap } = limit
  const { whose, setting } = wordsFor(scope)
  const error = agentError({
    code: `budget_${window}_spent`,
    message: `This costs ${formatAmount(price, token)}, but of the budget of ${formatAmount(cap, token)} ${inWindow[window]}${whose} only ${formatAmount(available, token)} are left.`,
    hint: `Nothing was signed. ${whenAgain[window]} ${setting}.${window}.`,
  })
  return new BudgetSpentError(error, { limit, freeAt }, price)
}

/** The error for a transaction that a cap has no room for: `budget_ether_spent`, `budget_openings_spent`. */
export function transactionsSpent(spent: Spent, needed: bigint): BudgetSpentError {
  return new BudgetSpentError(transactionsError(spent, needed), spent, needed)
}

function transactionsError({ limit, available }: Spent, needed: bigint): UraidenError {
  const { scope, window, cap } = limit
  const again = (setting: string) => `Nothing was sent. ${whenAgain[window]} ${setting}.${window}.`
  if (scope === 'ether') {
    return agentError({
      code: 'budget_ether_spent',
      message: `The transaction may cost ${formatAmount(needed, etherUnit)}, but of the ${formatAmount(cap, etherUnit)} for fees ${inWindow[window]} only ${formatAmount(available, etherUnit)} are left.`,
      hint: again('budget.ether'),
    })
  }
  const [, receiver] = splitScope(scope)
  const whose = scope === 'openings' ? '' : ` to ${receiver}`
  const setting = scope === 'openings' ? 'budget.openings' : 'budget.openingsPerReceiver'
  return agentError({
    code: 'budget_openings_spent',
    message: `Of the ${cap} channels${whose} that may be opened ${inWindow[window]} none is left.`,
    hint: again(setting),
  })
}

/** How a person calls a scope, and where its caps are in the configuration. */
function wordsFor(scope: BudgetScope): { readonly whose: string; readonly setting: string } {
  const within = assetOf(scope)?.within ?? scope
  if (within === 'all') return { whose: '', setting: 'budget' }
  const [kind, name] = splitScope(within)
  const [owner, program] = splitScope(name)
  if (kind === 'job' && owner === 'proxy') {
    return { whose: ` for the program ${program}`, setting: `proxy.programs.${program}.budget` }
  }
  return { whose: ` for the ${kind} ${name}`, setting: `budget.${kind}s.${name}` }
}
