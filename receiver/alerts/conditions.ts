// What the owner of a receiver should know: a pure function of what it knows.
import { type Condition, type Conditions, shortage } from '../../platform/alerts/told.ts'
import { withoutKeys } from '../../platform/text/printed.ts'
import {
  type Address,
  etherUnit,
  formatAmount,
  formatDuration,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { ChainStatus, DiskStatus } from '../chain/health.ts'
import type { PusherStatus } from '../core/watchtower/pusher.ts'
import { leastEther } from '../paywall/outage.ts'
import type { PendingAnswer } from '../settlement/answers.ts'
import type { AlertsConfig } from './schema.ts'

export type AlertRules = Omit<AlertsConfig, 'sinks'>

/** Of one contract. */
export interface ContractAlertFacts {
  readonly contract: Address
  readonly answers: readonly PendingAnswer[]
  readonly watchtowers: readonly PusherStatus[]
}

export interface AlertFacts {
  /** Empty until the receiver has started. */
  readonly contracts: readonly ContractAlertFacts[]
  /** `age` in milliseconds, never longer than the receiver has run. */
  readonly chain: Pick<ChainStatus, 'answers' | 'age' | 'ether'>
  /** What answers to dishonest closes may need, in wei. */
  readonly needed: bigint | undefined
  /** Undefined while nobody can say. */
  readonly disk: DiskStatus | undefined
  readonly token: TokenUnit
  readonly nameOf: (buyer: Address) => string | undefined
}

export function conditionsOf(rules: AlertRules, facts: AlertFacts): Conditions {
  const { contracts, chain, disk } = facts
  const unknown = [
    ...(contracts.length === 0 ? ['dispute/', 'watchtower/'] : []),
    ...(chain.ether === undefined ? ['ether'] : []),
    ...(disk === undefined ? ['disk/'] : []),
  ]
  const found = [
    ...contracts.flatMap((contract) => [
      ...(rules.disputes ? disputed(contract, facts) : []),
      ...behind(rules, contract),
    ]),
    ...away(rules, facts),
    ...lacksEther(rules, facts),
    ...troubledDisk(rules, disk),
  ]
  return { found, unknown }
}

function disputed(
  { contract, answers }: ContractAlertFacts,
  { token, nameOf }: AlertFacts,
): readonly Condition[] {
  return answers.map(({ sender, openBlock, stake, settleBlock, plan }) => {
    const subject = nameOf(sender) ?? sender
    const amount = formatAmount(stake, token)
    const what = {
      answer: `It is answered; that has to be in a block by ${settleBlock}.`,
      wait: `It is answered when gas costs less, by block ${settleBlock} at the latest.`,
      let_go: 'It is not answered, because that costs more than it is worth.',
    }[plan]
    const text = `${subject} asks to close the channel of block ${openBlock} for ${amount} less than it has signed. ${what}`
    const key = `dispute/${contract}/${sender}/${openBlock}`
    return { key, alert: 'close_disputed', subject, text, is: 'so' }
  })
}

function behind(
  { watchtowers: longest }: AlertRules,
  { contract, watchtowers }: ContractAlertFacts,
): readonly Condition[] {
  if (longest === false) return []
  return watchtowers
    .filter(({ behindFor }) => behindFor >= longest)
    .map(({ watchtower, behind: count, behindFor, trouble }) => {
      const proofs = count === 1 ? 'one channel' : `${count} channels`
      const why = trouble === undefined ? '' : `: ${withoutKeys(trouble)}`
      const text = `The watchtower ${watchtower} has not confirmed the proofs of ${proofs} for ${said(behindFor)}${why}.`
      const key = `watchtower/${contract}/${watchtower}`
      return { key, alert: 'watchtower_behind', subject: watchtower, text, is: 'so' }
    })
}

function away({ node }: AlertRules, { chain: { answers, age } }: AlertFacts): readonly Condition[] {
  if (node === false || answers || age < node) return []
  const text = `The Ethereum node has not answered for ${said(age)}: deposits and dishonest closes are not seen meanwhile.`
  return [{ key: 'node', alert: 'node_unreachable', subject: 'node', text, is: 'so' }]
}

function lacksEther(rules: AlertRules, { chain, needed = 0n }: AlertFacts): readonly Condition[] {
  const has = chain.ether
  if (rules.ether === false || has === undefined) return []
  const least = rules.ether ?? (needed > leastEther ? needed : leastEther)
  const is = shortage(has, least)
  if (is === undefined) return []
  const text = `The account has ${formatAmount(has, etherUnit)} left, less than ${formatAmount(least, etherUnit)}: channels could not be defended.`
  return [{ key: 'ether', alert: 'ether_low', subject: 'ether', text, is }]
}

function troubledDisk(
  { disk: least }: AlertRules,
  disk: DiskStatus | undefined,
): readonly Condition[] {
  if (disk?.kind === 'unwritable') {
    const text = `The state cannot be written, so nothing can be sold: ${withoutKeys(disk.why)}`
    return [{ key: 'disk/write', alert: 'state_unwritable', subject: 'disk', text, is: 'so' }]
  }
  if (least === false || disk === undefined) return []
  const is = shortage(BigInt(disk.freeBytes), BigInt(least))
  if (is === undefined) return []
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1_000_000)} MB`
  const text = `The disk of the state has ${megabytes(disk.freeBytes)} left, less than ${megabytes(least)}.`
  return [{ key: 'disk/free', alert: 'disk_low', subject: 'disk', text, is }]
}

function said(milliseconds: number): string {
  return formatDuration(milliseconds / 1000)
}
