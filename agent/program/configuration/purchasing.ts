// What the agent may spend, and how: from the configuration's texts to the token's smallest unit.
import {
  type Address,
  defined,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import type { Budget, WindowCaps } from '../../budget/caps.ts'
import { type DepositPolicy, depositsFor, depositsWorth } from '../../channels/choose.ts'
import type { AgentOptions } from '../../options.ts'
import { jobOfProgram } from '../../proxy/pay.ts'
import type { TlsTrust } from '../../transport/transport.ts'
import { gentleReservation } from './card.ts'
import type { AgentConfig } from './config.ts'
import { readCertificate } from './files.ts'

type CapTexts = { readonly [Window in keyof WindowCaps]?: string | undefined }

/** Amounts are texts until the chain has said what the token is. */
export interface PurchaseSettings {
  readonly budget: {
    readonly request: string | undefined
    readonly all: CapTexts
    readonly receivers: readonly (readonly [receiver: Address, caps: CapTexts])[]
    /** Programs of the proxy among them. */
    readonly jobs: readonly (readonly [job: string, caps: CapTexts])[]
    /** In wei, and numbers of channels: no token's amounts. */
    readonly transactions: Pick<Budget, 'ether' | 'openings' | 'openingsPerReceiver'>
  }
  readonly deposit: AgentConfig['deposit']
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
  const listed = Object.values(config.receivers).flatMap(({ address }) => address ?? [])
  return {
    budget: budgetTexts(config),
    deposit: config.deposit,
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

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

/** @throws UraidenError `wrong_token`, `too_many_decimals` */
export function policyOptions({ budget, deposit, policy }: PurchaseSettings, token: TokenUnit) {
  return {
    ...policy,
    budget: budgetOf(budget, token),
    deposit: depositOf(deposit, token),
  } satisfies Partial<AgentOptions>
}

/** Names that a purchase may be counted against: jobs, programs of the proxy, and what has caps in `budget.jobs`. */
export function jobNames({ budget, jobs, proxy }: AgentConfig): readonly string[] {
  const programs = Object.keys(proxy?.programs ?? {}).map(jobOfProgram)
  return [...new Set([...Object.keys(jobs), ...Object.keys(budget.jobs ?? {}), ...programs])]
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
    receivers: Object.values(receivers).flatMap(({ address, budget: caps }) =>
      address && caps ? [[address, caps] as const] : [],
    ),
    jobs: [...Object.entries(jobs), ...ofJobs, ...ofPrograms],
    transactions: defined({
      ether: ether && defined(ether),
      openings: openings && defined(openings),
      openingsPerReceiver: openingsPerReceiver && defined(openingsPerReceiver),
    }),
  }
}

function budgetOf(texts: PurchaseSettings['budget'], token: TokenUnit): Budget {
  const { request, all, receivers, jobs, transactions } = texts
  return {
    ...capsOf(all, token),
    ...transactions,
    ...(request !== undefined && { request: parseAmount(request, token) }),
    receivers: Object.fromEntries(receivers.map(([name, caps]) => [name, capsOf(caps, token)])),
    jobs: Object.fromEntries(jobs.map(([name, caps]) => [name, capsOf(caps, token)])),
  }
}

function capsOf({ hour, day, month, total }: CapTexts, token: TokenUnit): WindowCaps {
  const amount = (text: string | undefined) =>
    text === undefined ? undefined : parseAmount(text, token)
  return defined({
    hour: amount(hour),
    day: amount(day),
    month: amount(month),
    total: amount(total),
  })
}

/** Of a deposit, in hundredths of a percent: 1 %. */
export const usualFeeShare = 100n

function depositOf(config: AgentConfig['deposit'], token: TokenUnit): Partial<DepositPolicy> {
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
