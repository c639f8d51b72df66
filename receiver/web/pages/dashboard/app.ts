// The dashboard of a receiver's owner, once logged in.

import { confirmed } from '../../../../platform/web/pages/dialog.ts'
import { byId, h, sayIn, setText, show } from '../../../../platform/web/pages/dom.ts'
import { Refusal } from '../../../../platform/web/pages/session.ts'
import { formatAmount } from '../../../../protocol/amount.ts'
import {
  ask,
  type Channel,
  type Collection,
  followStats,
  type Price,
  post,
  type Stats,
  token,
} from './api.ts'
import { createFigures, type Figures } from './figures.ts'
import { type ChannelTable, createTable } from './table.ts'
import { buyerText, clockOf, counted, tokenOf } from './texts.ts'
import {
  chainState,
  createTiles,
  etherOf,
  showDisputes,
  showPrices,
  showTiles,
  type Tiles,
} from './view.ts'

/** Milliseconds between two lists of channels, and until a broken stream is asked for again. */
const listEvery = 3000

interface Dashboard {
  readonly place: HTMLElement
  readonly message: HTMLElement
  /** Aborted when the login has ended. */
  readonly over: AbortController
  readonly tiles: Tiles
  readonly figures: Figures
  readonly table: ChannelTable
  /** Undefined until the receiver has told them. */
  stats: Stats | undefined
  /** What the lists were asked for with, so that they are not asked for again without a change. */
  listed: string
  busy: boolean
}

/** Resolves when the login has ended. */
export async function runDashboard(place: HTMLElement): Promise<void> {
  const dashboard: Dashboard = {
    place,
    message: byId('d-message'),
    over: new AbortController(),
    tiles: createTiles(byId('d-tiles')),
    figures: createFigures(byId('d-figures'), (error) => report(dashboard, error)),
    table: createTable(byId('d-channels'), {
      close: (channel) => void run(dashboard, () => closeOne(dashboard, channel)),
      failed: (error) => report(dashboard, error),
    }),
    stats: undefined,
    listed: '',
    busy: false,
  }
  const failed = (error: unknown) => report(dashboard, error)
  showActions(dashboard)
  show(place, true)
  const redraw = () => dashboard.figures.redraw()
  window.addEventListener('resize', redraw)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  void follow(dashboard)
  ask<readonly Price[]>('/admin/prices').then(
    (prices) => showPrices(byId('d-prices'), prices),
    failed,
  )
  const timer = setInterval(() => keepListed(dashboard).catch(failed), listEvery)
  keepListed(dashboard).catch(failed)
  const { signal } = dashboard.over
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  clearInterval(timer)
  token.forget()
}

function showActions(dashboard: Dashboard): void {
  const collecting = (path: string, question: string, consequence: string) => () =>
    run(dashboard, () => collect(dashboard, path, { question, consequence }))
  const withdraw = collecting('/admin/withdraw', 'Withdraw?', 'The channels stay open.')
  const closeAll = collecting('/admin/close-all', 'Close all?', 'The channels end for good.')
  const logOut = () =>
    ask('/logout')
      .catch(() => undefined)
      .then(() => dashboard.over.abort())
  byId('d-actions').replaceChildren(
    h('button', { type: 'button', class: 'd-primary', onclick: withdraw }, 'Withdraw'),
    h('button', { type: 'button', onclick: closeAll }, 'Close all'),
    h('button', { type: 'button', onclick: logOut }, 'Log out'),
  )
}

/** One thing at a time. */
async function run(dashboard: Dashboard, task: () => Promise<void>): Promise<void> {
  if (dashboard.busy) return
  dashboard.busy = true
  dashboard.place.setAttribute('aria-busy', 'true')
  try {
    await task()
    await list(dashboard)
  } catch (error) {
    report(dashboard, error)
  } finally {
    dashboard.busy = false
    dashboard.place.setAttribute('aria-busy', 'false')
  }
}

function report(dashboard: Dashboard, error: unknown): void {
  if (error instanceof Refusal && error.status === 401) dashboard.over.abort()
  else sayIn(dashboard.message, error instanceof Error ? error.message : String(error), 'alert')
}

interface Question {
  readonly question: string
  readonly consequence: string
}

async function collect(
  { stats, message }: Dashboard,
  path: string,
  { question, consequence }: Question,
): Promise<void> {
  if (stats === undefined) return
  const unit = tokenOf(stats)
  const plan = await post<Collection>(path, { dry_run: true })
  if (plan.planned.length === 0) return sayIn(message, 'There is nothing to collect.')
  const sum = formatAmount(BigInt(plan.planned_sum), unit)
  const detail = `${sum} from ${counted(plan.planned.length, 'channel')}, for about ${etherOf(plan.expected_fee_wei)} in fees. ${consequence}`
  if (!(await confirmed(question, detail, question.replace('?', '')))) return
  sayIn(message, 'Sent; it takes a block or two…')
  const done = await post<Collection>(path, {})
  sayIn(message, `Collected ${formatAmount(BigInt(done.sum), unit)}.`)
}

async function closeOne({ message }: Dashboard, channel: Channel): Promise<void> {
  const { sender_address: sender, open_block: block } = channel
  const detail = `The channel of ${buyerText(channel)} ends for good; what it owes is paid out, and its sender gets the rest.`
  if (!(await confirmed('Close this channel?', detail, 'Close it'))) return
  sayIn(message, 'Sent; it takes a block or two…')
  await ask(`/admin/channels/${sender}/${block}`, { method: 'DELETE' })
  sayIn(message, `The channel of ${buyerText(channel)} is closed.`)
}

async function list(dashboard: Dashboard): Promise<void> {
  const { stats, table, figures } = dashboard
  if (stats === undefined) return
  await figures.refresh(tokenOf(stats))
  draw(dashboard)
  const all = Object.values(stats.channels).reduce((sum, count) => sum + count, 0)
  await table.refresh({ token: tokenOf(stats), all, clock: clockOf(stats) })
}

function draw({ stats, tiles, figures }: Dashboard): void {
  if (stats === undefined) return
  showTiles(tiles, stats, figures.today())
  showDisputes(byId('d-disputes'), stats)
  const { text, well } = chainState(stats)
  byId('d-chain').className = well ? '' : 'd-bad'
  setText(byId('d-chain'), text)
}

/** Lists again when something has changed, but not more often than people can read. */
async function keepListed(dashboard: Dashboard): Promise<void> {
  const { chain_head: _, chain_age_seconds: __, chain_synced: ___, ...rest } = dashboard.stats ?? {}
  const now = JSON.stringify(rest)
  if (now === dashboard.listed || document.hidden) return
  await list(dashboard)
  dashboard.listed = now
}

async function follow(dashboard: Dashboard): Promise<void> {
  const { signal } = dashboard.over
  while (!signal.aborted) {
    try {
      await followStats((told) => {
        dashboard.stats = told
        setText(byId('d-live'), 'What is shown follows by itself.')
        draw(dashboard)
      }, signal)
    } catch (error) {
      if (error instanceof Refusal) report(dashboard, error)
    }
    if (signal.aborted) return
    setText(byId('d-live'), 'No connection to the receiver; trying again.')
    await new Promise((resolve) => setTimeout(resolve, listEvery))
  }
}
