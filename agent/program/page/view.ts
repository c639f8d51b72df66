// What the page shows of the daemon: a pure function.

import { intervalIn } from '../../../platform/config/every.ts'
import { withoutKeys } from '../../../platform/text/printed.ts'
import { calendar } from '../../../platform/time/calendar.ts'
import { afterBlock, type BlockClock, shorten } from '../../../protocol/index.ts'
import type { HourSum } from '../../channels/hours.ts'
import { channelName } from '../../channels/records.ts'
import type { JobStatus } from '../../jobs/types.ts'
import { programOfJob } from '../../proxy/pay.ts'
import type { ReceiverBehaviour } from '../../purchase/behaviour.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import type { AgentConfig } from '../configuration/config.ts'
import type { DaemonStatus } from '../control/status.ts'
import { rateText } from '../control/transactions.ts'
import { type BudgetFacts, budgetsOf } from './budgets.ts'
import { healthOf } from './health.ts'
import { spentIn } from './spending.ts'
import type {
  PageBehaviour,
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
  readonly now: number
  /** Of the last days, oldest first. */
  readonly rows: readonly HourSum[]
  readonly freeAt: BudgetFacts['freeAt']
  /** IANA name of the zone in which a budget's days begin. */
  readonly timeZone?: string | undefined
  /** What a job's numbers are in, by its name. */
  readonly units: ReadonlyMap<string, string>
}

/** Of the purchases that are remembered. */
const mostPurchases = 50

/** Letters of a text that others may have had their words in. */
const mostText = 1000

export function pageState(facts: PageFacts): PageState {
  const { build, actions, status, purchases, holdings, now, rows, freeAt } = facts
  const { started, paused, waiting, configuration, address, token, counters, card } = status
  const nameOf = receiverNames(facts.receivers)
  const say = plainWith(facts.receivers)
  const shown = {
    paused,
    waiting: waiting === undefined ? null : { ...waiting, message: say(waiting.message) },
    refused: configuration.refused === undefined ? null : say(configuration.refused),
    budgets: budgetsOf({ status, now, rows, freeAt, nameOf }),
    jobs: status.jobs.map((job) => jobOf(job, facts, say)),
    behaviour: status.behaviour.map((each) => behaviourOf(each, nameOf)),
  }
  return {
    ...{ build, actions, started, address, holdings, counters },
    ...shown,
    health: healthOf(shown),
    card: { mode: card.mode, flushed: card.flushed ?? null },
    token: token ?? null,
    transactions: rateText(status.transactions),
    channels: status.channels.flatMap((channel) => channelOf(channel, nameOf, status.clock)),
    purchases: purchases
      .slice(-mostPurchases)
      .reverse()
      .map((purchase) => purchaseOf(purchase, nameOf, withNames(facts.receivers))),
    troubles: [...status.troubles].reverse().flatMap((entry) => troubleOf(entry, say)),
  }
}

type NameOf = (receiver: string) => string | null

export function receiverNames(receivers: AgentConfig['receivers']): NameOf {
  const names = new Map(
    Object.entries(receivers).flatMap(([name, { address }]) =>
      address === undefined ? [] : [[String(address), name] as const],
    ),
  )
  return (receiver) => names.get(receiver) ?? null
}

function jobOf(job: JobStatus, { now, rows, timeZone, units }: PageFacts, say: Say): PageJob {
  const { name, target, every, state, next, last, failures, sinks, spent, values } = job
  const problem = last?.error && { ...last.error, message: say(last.error.message) }
  const date = calendar(timeZone)
  const today = rows.filter(({ start }) => date(start).day === date(now).day)
  return {
    name,
    target: plain(target),
    schedule: scheduleText(every),
    state,
    budget: spent === undefined ? null : say(spent.message),
    value: values === undefined ? null : { last: plain(values.last), unit: units.get(name) ?? '' },
    numbers: values?.numbers ?? [],
    today: `${spentIn(today, `job/${name}`)}`,
    next: next ?? null,
    last: last
      ? {
          ended: last.ended,
          cost: last.cost ?? null,
          ...(last.unit && { unit: last.unit }),
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
        problem: sink.problem === undefined ? null : say(sink.problem),
      })),
  }
}

const unitNames: { readonly [unit: string]: string } = {
  ...{ ms: 'ms', s: 's', m: 'min', h: 'h', d: 'd' },
}

const oneOf: { readonly [unit: string]: string } = {
  ...{ s: 'second', m: 'minute', h: 'hour', d: 'day' },
}

/** `every 5 min`, `every minute`; a cron expression as it is. */
function scheduleText(every: string): string {
  if (intervalIn(every) === undefined) return every
  const [, number = '', unit = ''] = /^([\d.]+) ?([a-z]+)$/.exec(every) ?? []
  const name = unitNames[unit] ?? unit
  return number === '1' ? `every ${oneOf[unit] ?? name}` : `every ${number} ${name}`
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

/** `living-room/sensors/temperature`: as a job would have it. */
function withNames(receivers: AgentConfig['receivers']): (url: string) => string {
  const places = Object.entries(receivers).flatMap(([name, { url }]) =>
    url === undefined ? [] : [[`${url}`.replace(/\/$/, ''), name] as const],
  )
  return (url) => {
    const [place, name] = places.find(([each]) => url.startsWith(`${each}/`)) ?? []
    return place === undefined ? url : `${name}${url.slice(place.length)}`
  }
}

function purchaseOf(
  purchase: PurchaseRecord,
  nameOf: NameOf,
  named: (url: string) => string,
): PagePurchase {
  const { time, method, url, status, cost, unit, channel, job, authentic = null } = purchase
  const [receiver = ''] = channel.split('/')
  return {
    ...{ time, method, url: named(url), status, receiver, authentic },
    cost: `${cost}`,
    ...(unit && { unit }),
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

function troubleOf(entry: DaemonStatus['troubles'][number], say: Say): readonly PageTrouble[] {
  const { time, level, message, code, reason, hint } = entry
  if (level !== 'warn' && level !== 'error') return []
  return [
    {
      time,
      level,
      message: say(message),
      code: code ?? null,
      reason: reason === undefined ? null : say(reason),
      hint: hint === undefined ? null : say(hint),
    },
  ]
}

type Say = (text: string) => string

/** As `plain`, with the names of receivers in place of their addresses. */
function plainWith(receivers: AgentConfig['receivers']): Say {
  const names = Object.entries(receivers).flatMap(([name, { address }]) =>
    address === undefined ? [] : [[String(address), name] as const],
  )
  return (text) =>
    names.reduce((said, [address, name]) => said.replaceAll(address, name), plain(text))
}

/**
 * Without user, password and query of addresses: keys of others' services stand there, and every user
 * of this machine can see the page.
 */
function plain(text: string): string {
  return withoutKeys(shorten(text, mostText))
}
