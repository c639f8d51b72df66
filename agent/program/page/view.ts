// What the page shows of the daemon: a pure function.
import { withoutKeys } from '../../../platform/text/printed.ts'
import {
  afterBlock,
  type BlockClock,
  largest,
  shorten,
  type TokenAmount,
} from '../../../protocol/index.ts'
import type { BudgetLimit, BudgetScope } from '../../budget/caps.ts'
import { channelName } from '../../channels/records.ts'
import type { JobStatus } from '../../jobs/types.ts'
import { programOfJob } from '../../proxy/pay.ts'
import type { ReceiverBehaviour } from '../../purchase/behaviour.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import type { AgentConfig } from '../configuration/config.ts'
import type { DaemonStatus } from '../control/status.ts'
import { rateText } from '../control/transactions.ts'
import type {
  PageBehaviour,
  PageBudget,
  PageChannel,
  PageHoldings,
  PageJob,
  PagePurchase,
  PageState,
  PageTrouble,
} from './state.ts'

export interface PageFacts {
  readonly build: string
  readonly actions: PageState['actions']
  readonly status: DaemonStatus
  /** Oldest first. */
  readonly purchases: readonly PurchaseRecord[]
  readonly holdings: PageHoldings
  readonly receivers: AgentConfig['receivers']
}

/** Of the purchases that are remembered. */
const mostPurchases = 50

/** Letters of a text that others may have had their words in. */
const mostText = 1000

export function pageState(facts: PageFacts): PageState {
  const { build, actions, status, purchases, holdings } = facts
  const { started, paused, waiting, configuration, address, token, counters } = status
  const nameOf = receiverNames(facts.receivers)
  return {
    build,
    actions,
    started,
    paused,
    waiting: waiting === undefined ? null : { ...waiting, message: plain(waiting.message) },
    refused: configuration.refused === undefined ? null : plain(configuration.refused),
    address,
    token: token ?? null,
    holdings,
    transactions: rateText(status.transactions),
    counters,
    budgets: (status.budget?.limits ?? []).map((limit) => {
      return budgetOf(limit, reservedIn(limit.scope, status.channels), nameOf)
    }),
    jobs: status.jobs.map(jobOf),
    channels: status.channels.flatMap((channel) => channelOf(channel, nameOf, status.clock)),
    purchases: purchases
      .slice(-mostPurchases)
      .reverse()
      .map((purchase) => purchaseOf(purchase, nameOf)),
    behaviour: status.behaviour.map((each) => behaviourOf(each, nameOf)),
    troubles: [...status.troubles].reverse().flatMap(troubleOf),
  }
}

type NameOf = (receiver: string) => string | null

function receiverNames(receivers: AgentConfig['receivers']): NameOf {
  const names = new Map(
    Object.entries(receivers).flatMap(([name, { address }]) =>
      address === undefined ? [] : [[String(address), name] as const],
    ),
  )
  return (receiver) => names.get(receiver) ?? null
}

/** Jobs reserve nothing; where a crash hides the balance, nobody knows what is only reserved. */
function reservedIn(scope: BudgetScope, channels: DaemonStatus['channels']): TokenAmount {
  return channels
    .filter(({ receiver }) => scope === 'all' || scope === `receiver/${receiver}`)
    .filter(({ certain }) => certain)
    .reduce((sum, { bound, balance }) => sum + bound - balance, 0n)
}

function budgetOf(limit: BudgetLimit, reserved: TokenAmount, nameOf: NameOf): PageBudget {
  const { scope, window, cap, used } = limit
  const spent = largest(used - reserved, 0n)
  const amounts = { window, cap: `${cap}`, spent: `${spent}` }
  if (scope === 'all') return { owner: 'all', name: '', ...amounts }
  const name = scope.slice(scope.indexOf('/') + 1)
  if (scope.startsWith('receiver/')) {
    return { owner: 'receiver', name: nameOf(name) ?? name, ...amounts }
  }
  const program = programOfJob(name)
  return { owner: program === undefined ? 'job' : 'program', name: program ?? name, ...amounts }
}

function jobOf({ name, target, state, next, last, failures, sinks }: JobStatus): PageJob {
  const problem = last?.error && { ...last.error, message: plain(last.error.message) }
  return {
    name,
    target: plain(target),
    state,
    next: next ?? null,
    last: last
      ? {
          ended: last.ended,
          cost: last.cost ?? null,
          authentic: last.authentic ?? null,
          problem: problem ?? null,
        }
      : null,
    failures,
    sinks: sinks
      .filter((sink) => sink.waiting > 0 || sink.problem !== undefined)
      .map((sink) => ({
        id: plain(sink.id),
        waiting: sink.waiting,
        problem: sink.problem === undefined ? null : plain(sink.problem),
      })),
  }
}

function channelOf(
  channel: DaemonStatus['channels'][number],
  nameOf: NameOf,
  clock: BlockClock | undefined,
): readonly PageChannel[] {
  const { receiver, openBlock, deposit, balance, certain, state, settleBlock, closeApi } = channel
  if (state === 'closed') return []
  return [
    {
      name: channelName(receiver, openBlock),
      receiver,
      receiverName: nameOf(receiver),
      openBlock,
      deposit: `${deposit}`,
      spent: `${balance}`,
      certain,
      state,
      closeAsked: closeApi !== undefined,
      settles: settleBlock === undefined ? null : afterBlock(settleBlock, clock),
    },
  ]
}

function purchaseOf(purchase: PurchaseRecord, nameOf: NameOf): PagePurchase {
  const { time, method, url, status, cost, channel, job, authentic = null } = purchase
  const [receiver = ''] = channel.split('/')
  return {
    ...{ time, method, url, status, receiver, authentic },
    cost: `${cost}`,
    receiverName: nameOf(receiver),
    buyer: job === undefined ? null : buyerOf(job),
  }
}

/** Rounded, so that a page is not told of each moment's decay. */
function behaviourOf(
  { receiver, refused, overcharged, broken, last, trust, leftAloneUntil }: ReceiverBehaviour,
  nameOf: NameOf,
): PageBehaviour {
  const rounded = (count: number) => Math.round(count * 10) / 10
  return {
    ...{ receiver, trust },
    receiverName: nameOf(receiver),
    refused: rounded(refused),
    overcharged: rounded(overcharged),
    broken: rounded(broken),
    code: last.code,
    time: last.time,
    leftAloneUntil:
      leftAloneUntil === undefined ? null : Math.ceil(leftAloneUntil / 60_000) * 60_000,
  }
}

function buyerOf(job: string): string {
  const program = programOfJob(job)
  return program === undefined ? `job ${job}` : `program ${program}`
}

function troubleOf(entry: DaemonStatus['troubles'][number]): readonly PageTrouble[] {
  const { time, level, message, code, reason, hint } = entry
  if (level !== 'warn' && level !== 'error') return []
  return [
    {
      time,
      level,
      message: plain(message),
      code: code ?? null,
      reason: reason === undefined ? null : plain(reason),
      hint: hint === undefined ? null : plain(hint),
    },
  ]
}

/**
 * Without user, password and query of addresses: keys of others' services stand there, and every user
 * of this machine can see the page.
 */
function plain(text: string): string {
  return withoutKeys(shorten(text, mostText))
}
