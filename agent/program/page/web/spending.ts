// Spending over time: the chart and its legend, the same as a table, and the file with all of it.
import { actionButton } from '../../../../platform/web/pages/button.ts'
import { byId, h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { formatNumber, type TokenUnit } from '../../../../protocol/amount.ts'
import type { PageSpending, PageState, PageSum } from '../state.ts'
import { ask } from './api.ts'
import { amountIn, sumText } from './text.ts'

/** What is shown at a time. */
const ranges = {
  hours: { title: '48 hours', of: ({ hours }: PageSpending) => hours },
  month: { title: '30 days', of: ({ days }: PageSpending) => padded(days, 30) },
  year: { title: '400 days', of: ({ days }: PageSpending) => padded(days, 30, 400) },
} as const

type Range = keyof typeof ranges

/** Milliseconds until what was asked for is asked for again, when there is something new. */
const fresh = 15_000

/** Rows of the table: beyond them there is the file. */
const mostRows = 30

export function createSpending(place: HTMLElement): (state: PageState, now: number) => void {
  const { figure, words, legend, table, total, buttons, problem } = skeleton(place)
  let range: Range = 'hours'
  let token: TokenUnit | null = null
  let spending: PageSpending | undefined
  let asked = Number.NEGATIVE_INFINITY
  let known = ''

  function draw(): void {
    if (spending === undefined || token === null) return
    const sums = ranges[range].of(spending)
    const colours = spending.buyers.map((_, at) => `var(--buyer-${at})`)
    showWords({ words, legend, table, total }, { spending, sums, token })
    for (const [name, { element }] of buttons) {
      element.setAttribute('aria-pressed', `${name === range}`)
    }
    const style = getComputedStyle(figure)
    const painted = colours.map((colour) => style.getPropertyValue(colour.slice(4, -1)))
    const options = { sums, token, colours: painted, labelOf: range === 'hours' ? hourOf : dayOf }
    chart()
      .then(({ drawChart }) => drawChart(figure, options))
      .catch(() => setText(problem, 'The chart cannot be loaded; the table has the same.'))
  }

  for (const [name, { element }] of buttons) {
    element.addEventListener('click', () => {
      range = name
      draw()
    })
  }
  new ResizeObserver(draw).observe(place)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)

  return (state, now) => {
    const isKnown = token !== null
    token = state.token
    // The chain may say what the token is after all else is there.
    if (!isKnown) draw()
    const { payments, failures } = state.counters
    const news = `${state.started} ${payments} ${failures} ${Math.floor(now / 3_600_000)}`
    if (news === known || now - asked < fresh) return
    asked = now
    ask('/spending')
      .then(async (answer) => {
        spending = (await answer.json()) as PageSpending
        known = news
        draw()
      })
      .catch(() => undefined)
  }
}

/** Its script is asked for when there is something to draw. */
let loading: Promise<typeof import('./chart/main.ts')> | undefined

function chart(): Promise<typeof import('./chart/main.ts')> {
  const { chart: script = '', chartSheet: sheet = '' } = byId('a-main').dataset
  if (loading === undefined) document.head.append(h('link', { rel: 'stylesheet', href: sheet }))
  loading ??= import(script)
  return loading
}

function skeleton(place: HTMLElement) {
  const figure = h('div', { class: 'a-plot', 'aria-hidden': 'true' })
  const [words, total, problem] = [h('p', { class: 'd-note' }), h('p'), h('p', { class: 'd-note' })]
  const legend = h('ul', { class: 'a-legend' })
  const table = h('tbody')
  const buttons = Object.entries(ranges).map(([name, { title }]) => {
    return [name as Range, { element: h('button', { type: 'button' }, title) }] as const
  })
  const save = actionButton('Download as CSV', download)
  const heads = ['When', 'Spent', 'Purchases'].map((title) => h('th', { scope: 'col' }, title))
  place.append(
    h('div', { class: 'd-row' }, ...buttons.map(([, { element }]) => element), save.element),
    total,
    figure,
    legend,
    problem,
    h(
      'details',
      {},
      h('summary', {}, 'As a table'),
      h('table', { class: 'a-sums' }, h('thead', {}, h('tr', {}, ...heads)), table),
      words,
    ),
  )
  return { figure, words, legend, table, total, buttons, problem }
}

interface Places {
  readonly words: HTMLElement
  readonly legend: HTMLElement
  readonly table: HTMLElement
  readonly total: HTMLElement
}

interface Shown {
  readonly spending: PageSpending
  readonly sums: readonly PageSum[]
  readonly token: TokenUnit
}

function showWords(
  { words, legend, table, total }: Places,
  { spending, sums, token }: Shown,
): void {
  const amount = amountIn(token)
  setText(total, sumText(sums, amount))
  const buyers = spending.buyers
    .map((name, at) => ({
      name,
      at,
      spent: sums.reduce((sum, { spent }) => sum + BigInt(spent[at] ?? 0), 0n),
    }))
    .filter(({ spent }) => spent > 0n)
  legend.replaceChildren(
    ...buyers.map(({ name, at, spent }) =>
      h('li', {}, h('span', { class: `a-swatch a-buyer-${at}` }), `${name} ${amount(`${spent}`)}`),
    ),
  )
  const some = sums.filter(
    ({ spent, failures }) => failures > 0 || spent.some((each) => each !== '0'),
  )
  table.replaceChildren(
    ...some
      .slice(-mostRows)
      .reverse()
      .map((sum) => rowOf(sum, token)),
  )
  const isLong = some.length > mostRows
  setText(words, isLong ? `The table has the last ${mostRows}, the file all.` : '')
  show(words, isLong)
}

function rowOf({ label, spent, purchases, failures }: PageSum, token: TokenUnit): HTMLElement {
  const sum = spent.reduce((all, each) => all + BigInt(each), 0n)
  const failed = failures > 0 ? `, ${failures} failed` : ''
  return h(
    'tr',
    {},
    h('td', {}, label),
    h('td', { class: 'd-number' }, `${formatNumber(sum, token.decimals)} ${token.symbol}`),
    h('td', { class: 'd-number' }, `${purchases}${failed}`),
  )
}

/** Days before the first one are empty, at least so many in all. */
function padded(days: readonly PageSum[], least: number, most = least): readonly PageSum[] {
  const shown = days.slice(-most)
  const [first] = shown
  if (first === undefined) return shown
  const missing = Math.max(0, least - shown.length)
  const empty = Array.from({ length: missing }, (_, at) => {
    const start = first.start - (missing - at) * 86_400
    const label = new Date(start * 1000).toISOString().slice(0, 10)
    return { start, label, spent: first.spent.map(() => '0'), purchases: 0, failures: 0 }
  })
  return [...empty, ...shown]
}

/** `13:00` */
function hourOf({ label }: PageSum): string {
  return label.slice(-5)
}

/** Month and day as ISO 8601 has them: 11-21 is the same everywhere. */
function dayOf({ label }: PageSum): string {
  return label.slice(5)
}

/** The key is sent by hand, so no plain link can fetch it. */
async function download(): Promise<void> {
  const answer = await ask('/spending.csv')
  const href = URL.createObjectURL(await answer.blob())
  h('a', { href, download: 'spending.csv' }).click()
  URL.revokeObjectURL(href)
}
