// The dashboard of a receiver's owner, once logged in.

import { confirmed } from '../../../../platform/web/pages/dialog.ts'
import { byId, h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import { formatAmount } from '../../../../protocol/amount.ts'
import {
  ApiError,
  ask,
  type Channel,
  type Collection,
  followStats,
  forgetToken,
  type IncomeHour,
  type Price,
  post,
  type Stats,
} from './api.ts'
import { createChart } from './chart.ts'
import { incomeByDay } from './days.ts'
import { createTable } from './table.ts'
import {
  chainState,
  createTiles,
  etherOf,
  showDisputes,
  showPrices,
  showTiles,
  tokenOf,
} from './view.ts'

/** Milliseconds between two lists of channels, and until a broken stream is asked for again. */
const listEvery = 3000

/** In the chart. */
const days = 30

/** Resolves when the login has ended. */
export async function runDashboard(place: HTMLElement): Promise<void> {
  const over = new AbortController()
  const tiles = createTiles(byId('d-tiles'))
  const chart = createChart(byId('d-chart'))
  const table = createTable(byId('d-channels'), {
    close: (channel) => void run(() => closeOne(channel)),
    failed: report,
  })
  const message = byId('d-message')
  let stats: Stats | undefined
  let hours: readonly IncomeHour[] = []
  let listed = ''
  let busy = false

  function say(text: string, kind: 'status' | 'alert' = 'status'): void {
    message.className = kind === 'alert' ? 'd-message d-bad' : 'd-message'
    setText(message, text)
  }

  async function run(task: () => Promise<void>): Promise<void> {
    if (busy) return
    busy = true
    place.setAttribute('aria-busy', 'true')
    try {
      await task()
      await list()
    } catch (error) {
      report(error)
    } finally {
      busy = false
      place.setAttribute('aria-busy', 'false')
    }
  }

  function report(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) over.abort()
    else say(error instanceof Error ? error.message : String(error), 'alert')
  }

  async function collect(path: string, question: string, consequence: string): Promise<void> {
    if (stats === undefined) return
    const token = tokenOf(stats)
    const plan = await post<Collection>(path, { dry_run: true })
    if (plan.planned.length === 0) return say('There is nothing to collect.')
    const sum = formatAmount(BigInt(plan.planned_sum), token)
    const detail = `${sum} from ${plan.planned.length} channels, for about ${etherOf(plan.expected_fee_wei)} in fees. ${consequence}`
    if (!(await confirmed(question, detail, question.replace('?', '')))) return
    say('Sent; it takes a block or two…')
    const done = await post<Collection>(path, {})
    say(`Collected ${formatAmount(BigInt(done.sum), token)}.`)
  }

  async function closeOne(channel: Channel): Promise<void> {
    const { sender_address: sender, open_block: block } = channel
    const detail = `The channel of ${shortAddress(sender)} ends for good; what it owes is paid out, and its sender gets the rest.`
    if (!(await confirmed('Close this channel?', detail, 'Close it'))) return
    say('Sent; it takes a block or two…')
    await ask(`/admin/channels/${sender}/${block}`, { method: 'DELETE' })
    say(`The channel of ${shortAddress(sender)} is closed.`)
  }

  async function list(): Promise<void> {
    hours = await ask<readonly IncomeHour[]>('/admin/income')
    draw()
    if (stats === undefined) return
    const all = Object.values(stats.channels).reduce((sum, count) => sum + count, 0)
    await table.refresh(tokenOf(stats), all)
  }

  function draw(): void {
    if (stats === undefined) return
    const shown = incomeByDay(hours, Date.now() / 1000, days)
    showTiles(tiles, stats, { today: shown.at(-1)?.income ?? 0n })
    showDisputes(byId('d-disputes'), stats)
    chart(shown, tokenOf(stats))
    const { text, well } = chainState(stats)
    byId('d-chain').className = well ? '' : 'd-bad'
    setText(byId('d-chain'), text)
  }

  /** Lists again when something has changed, but not more often than people can read. */
  async function keepListed(): Promise<void> {
    const { chain_head: _, chain_age_seconds: __, chain_synced: ___, ...rest } = stats ?? {}
    const now = JSON.stringify(rest)
    if (now === listed || document.hidden) return
    await list()
    listed = now
  }

  async function follow(): Promise<void> {
    while (!over.signal.aborted) {
      try {
        await followStats((told) => {
          stats = told
          setText(byId('d-live'), '· live')
          draw()
        }, over.signal)
      } catch (error) {
        if (error instanceof ApiError) report(error)
      }
      if (over.signal.aborted) return
      setText(byId('d-live'), '· no connection; trying again')
      await new Promise((resolve) => setTimeout(resolve, listEvery))
    }
  }

  const withdraw = () =>
    run(() => collect('/admin/withdraw', 'Withdraw?', 'The channels stay open.'))
  const closeAll = () =>
    run(() => collect('/admin/close-all', 'Close all?', 'The channels end for good.'))
  const logOut = () =>
    ask('/logout')
      .catch(() => undefined)
      .then(() => over.abort())
  byId('d-actions').replaceChildren(
    h('button', { type: 'button', class: 'd-primary', onclick: withdraw }, 'Withdraw'),
    h('button', { type: 'button', onclick: closeAll }, 'Close all'),
    h('button', { type: 'button', onclick: logOut }, 'Log out'),
  )
  show(place, true)
  const redraw = () => draw()
  window.addEventListener('resize', redraw)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
  void follow()
  ask<readonly Price[]>('/admin/prices').then(
    (prices) => showPrices(byId('d-prices'), prices),
    report,
  )
  const timer = setInterval(() => keepListed().catch(report), listEvery)
  keepListed().catch(report)
  await new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()))
  clearInterval(timer)
  forgetToken()
}
