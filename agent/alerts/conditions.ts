// What an owner should know: a pure function of what the daemon knows. Loaded where there are alerts.

import { type Condition, type Conditions, shortage } from '../../platform/alerts/told.ts'
import { withoutKeys } from '../../platform/text/printed.ts'
import {
  type Address,
  etherUnit,
  formatAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import { assetOf, type BudgetLimit, countsTokens } from '../budget/caps.ts'
import type { JobStatus } from '../jobs/types.ts'
import type { ReceiverBehaviour } from '../purchase/behaviour.ts'

/** What is not given is not looked at. */
export interface AlertRules {
  readonly jobFailing: number | false
  /** In hundredths of a percent. */
  readonly budget: bigint | false
  readonly receivers: boolean
  /** In bytes. */
  readonly disk: number | false
  /** In wei. */
  readonly ether?: bigint | undefined
  readonly tokens?: TokenAmount | undefined
}

export interface AlertFacts {
  readonly jobs: readonly Pick<JobStatus, 'name' | 'failures' | 'last'>[]
  /** Undefined while there is no agent. */
  readonly limits: readonly BudgetLimit[] | undefined
  readonly behaviour: readonly ReceiverBehaviour[]
  /** Undefined while the chain does not say. */
  readonly account: { readonly tokens: TokenAmount; readonly ether: bigint } | undefined
  /** Bytes; undefined where nobody can say. */
  readonly free: number | undefined
  readonly token: TokenUnit
  /** Of the configuration. */
  readonly nameOf: (receiver: Address) => string | undefined
}

export function conditionsOf(rules: AlertRules, facts: AlertFacts): Conditions {
  const { limits, account, free } = facts
  const unknown = [
    ...(limits === undefined ? ['budget/'] : []),
    ...(account === undefined ? ['ether', 'tokens'] : []),
    ...(free === undefined ? ['disk'] : []),
  ]
  const found = [
    ...failing(rules, facts),
    ...spent(rules, facts),
    ...(rules.receivers ? [...changed(facts), ...troubled(facts)] : []),
    ...low(rules, facts),
  ]
  return { found, unknown }
}

function failing({ jobFailing }: AlertRules, { jobs }: AlertFacts): readonly Condition[] {
  if (jobFailing === false) return []
  return jobs
    .filter(({ failures }) => failures >= jobFailing)
    .map(({ name, failures, last }) => ({
      key: `job/${name}`,
      alert: 'job_failing',
      subject: name,
      text: `The job ${name} has failed ${failures} times in a row: ${reason(last)}`,
      is: 'so',
    }))
}

function reason(last: JobStatus['last']): string {
  return withoutKeys(last?.error?.message ?? 'nobody knows why.')
}

const inWindow = { hour: 'an hour', day: 'a day', month: 'a month', total: 'in all' } as const

/** What is left grows and shrinks by every payment: over it is when it is well below. */
function spent({ budget }: AlertRules, facts: AlertFacts): readonly Condition[] {
  if (budget === false) return []
  return (facts.limits ?? []).flatMap(
    ({ scope, window, cap, used, unit: own }): readonly Condition[] => {
      const share = cap === 0n ? 0n : (used * 10_000n) / cap
      if (share * 10n < budget * 9n) return []
      const unit = own ?? (scope === 'ether' ? etherUnit : facts.token)
      const isCount = own === undefined && !countsTokens(scope) && scope !== 'ether'
      const amount = isCount ? `${cap} openings` : formatAmount(cap, unit)
      const within = assetOf(scope)?.within ?? scope
      const whose = within === 'all' ? '' : ` for ${nameOfScope(within, facts)}`
      const text = `${share / 100n} % of the budget of ${amount} ${inWindow[window]}${whose} are spent.`
      const subject = `${scope} ${window}`
      const is = share >= budget ? 'so' : 'nearly'
      return [{ key: `budget/${scope}/${window}`, alert: 'budget', subject, text, is }]
    },
  )
}

function nameOfScope(scope: string, { nameOf }: AlertFacts): string {
  const [kind = '', name = ''] = scope.split(/\/(.*)/s)
  if (kind === 'receiver') return `the receiver ${nameOf(name as Address) ?? name}`
  return kind === 'job' ? `the job ${name}` : scope
}

const ofReceiver = new Set([
  'receiver_changed',
  'receiver_not_allowed',
  'receiver_untrusted',
  'wrong_contract',
])

function changed({ jobs }: AlertFacts): readonly Condition[] {
  return jobs
    .filter(({ last }) => ofReceiver.has(last?.error?.code ?? ''))
    .map(({ name, last }) => ({
      key: `changed/${name}`,
      alert: 'receiver_changed',
      subject: name,
      text: `The job ${name} buys nothing, because its receiver is not the one it should be: ${reason(last)}`,
      is: 'so',
    }))
}

function troubled({ behaviour, nameOf }: AlertFacts): readonly Condition[] {
  return behaviour
    .filter(({ trust }) => trust !== 'full')
    .map(({ receiver, last }) => {
      const subject = nameOf(receiver) ?? receiver
      const text = `There is trouble with the receiver ${subject} (${last.code}).`
      return { key: `receiver/${receiver}`, alert: 'receiver_trouble', subject, text, is: 'so' }
    })
}

function low(rules: AlertRules, { account, free, token }: AlertFacts): readonly Condition[] {
  const measures = [
    { key: 'ether', least: rules.ether, has: account?.ether, say: amountIn(etherUnit) },
    { key: 'tokens', least: rules.tokens, has: account?.tokens, say: amountIn(token) },
    {
      key: 'disk',
      least: rules.disk === false ? undefined : BigInt(rules.disk),
      has: free === undefined ? undefined : BigInt(free),
      say: (bytes: bigint) => `${bytes / 1_000_000n} MB`,
    },
  ]
  return measures.flatMap(({ key, least, has, say }): readonly Condition[] => {
    if (least === undefined || has === undefined) return []
    const is = shortage(has, least)
    if (is === undefined) return []
    const where = key === 'disk' ? 'The disk of the state' : 'The account'
    const text = `${where} has ${say(has)} left, less than ${say(least)}.`
    return [{ key, alert: `${key}_low`, subject: key, text, is }]
  })
}

function amountIn(unit: TokenUnit): (amount: bigint) => string {
  return (amount) => formatAmount(amount, unit)
}
