// Income and requests: two plots, the same as a table, and sums by resource; by hour or by day.
import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import { ask, type IncomeHour, type ResourceCounts } from './api.ts'
import { cardTable, cell, head, numberCell, numberHead, row } from './cells.ts'
import { type Bars, createChart } from './chart.ts'
import { csvOf } from './csv.ts'
import {
  type By,
  type PeriodSum,
  periodText,
  type ResourceSum,
  refusalTexts,
  savedPeriods,
  shownPeriods,
  sumsBy,
  sumsByResource,
  trafficNames,
  trafficRows,
} from './periods.ts'
import { saveFile } from './save.ts'

export interface Figures {
  /** Asks again. @throws Refusal */
  readonly refresh: (token: TokenUnit) => Promise<void>
  /** With what is there: the window has another size. */
  readonly redraw: () => void
  /** In the smallest unit; undefined before it is known. */
  readonly today: () => bigint | undefined
}

interface Shown {
  by: By
  hours: readonly IncomeHour[]
  traffic: readonly ResourceCounts[]
  token: TokenUnit | undefined
}

interface Parts {
  readonly income: (bars: Bars) => void
  readonly requests: (bars: Bars) => void
  readonly periods: HTMLElement
  readonly resources: HTMLElement
  readonly refusals: HTMLElement
  readonly buttons: { readonly [Each in By]: HTMLElement }
}

export function createFigures(place: HTMLElement, failed: (error: unknown) => void): Figures {
  const shown: Shown = { by: 'day', hours: [], traffic: [], token: undefined }
  const draw = () => drawAll(parts, shown)
  const load = async () => {
    const { by } = shown
    const [hours, traffic] = await Promise.all([
      ask<readonly IncomeHour[]>('/admin/income'),
      ask<readonly ResourceCounts[]>(`/admin/traffic?by=${by}&count=${shownPeriods[by]}`),
    ])
    // The other one was chosen meanwhile.
    if (by !== shown.by) return
    Object.assign(shown, { hours, traffic })
    draw()
  }
  const parts = createParts(place, {
    choose: (by) => {
      shown.by = by
      shown.traffic = []
      load().catch(failed)
    },
    save: () => save(shown.by).catch(failed),
  })
  return {
    refresh: (token) => {
      shown.token = token
      return load()
    },
    redraw: draw,
    today: () => {
      if (shown.token === undefined) return undefined
      const { hours } = shown
      return sumsBy('day', { hours, traffic: [], now: Date.now() / 1000 }).at(-1)?.income
    },
  }
}

interface Controls {
  readonly choose: (by: By) => void
  readonly save: () => void
}

function createParts(place: HTMLElement, { choose, save }: Controls): Parts {
  const button = (label: string, onclick: () => void) =>
    h('button', { type: 'button', onclick }, label)
  const buttons = {
    day: button('30 days', () => choose('day')),
    hour: button('48 hours', () => choose('hour')),
  }
  const controls = h(
    'div',
    {
      class: 'd-row d-filters',
      role: 'group',
      'aria-label': 'What is shown of income and requests',
    },
    ...[buttons.day, buttons.hour, button('Save income as CSV', save)],
  )
  const [income, requests] = [h('div'), h('div')]
  const [periods, resources] = [h('tbody'), h('tbody')]
  const refusals = h('p', { class: 'd-note' })
  const numbers = ['Income', 'Paid', 'Failed', 'Refused', 'Price asked']
  const heads = (first: string) => [head(first), ...numbers.map(numberHead)]
  place.append(
    controls,
    h('h3', {}, 'Income'),
    income,
    h('h3', {}, 'Requests'),
    requests,
    h(
      'ul',
      { class: 'r-legend' },
      h('li', { class: 'r-paid' }, 'paid'),
      h('li', { class: 'r-refused' }, 'refused'),
      h('li', { class: 'r-failed' }, 'failed, cost nothing'),
    ),
    h('details', {}, h('summary', {}, 'As a table'), cardTable(heads('Time (UTC)'), periods)),
    h('h3', {}, 'By resource'),
    cardTable(heads('Resource'), resources),
    refusals,
  )
  return {
    ...{ periods, resources, refusals, buttons },
    income: createChart(income),
    requests: createChart(requests),
  }
}

function drawAll(parts: Parts, { by, hours, traffic, token }: Shown): void {
  if (token === undefined) return
  for (const each of ['day', 'hour'] as const) {
    parts.buttons[each].setAttribute('aria-pressed', `${each === by}`)
  }
  const sums = sumsBy(by, { hours, traffic, now: Date.now() / 1000 })
  drawPlots(parts, by, { sums, token })
  parts.periods.replaceChildren(
    ...[...sums]
      .reverse()
      .map((sum) => row(cell('Time (UTC)', periodText(sum.start, by)), ...numbersOf(sum, token))),
  )
  drawResources(parts, { sums, traffic, token })
}

/** A plot may round; sums are made with integers elsewhere. */
function drawPlots(
  { income, requests }: Parts,
  by: By,
  { sums, token }: { readonly sums: readonly PeriodSum[]; readonly token: TokenUnit },
): void {
  const starts = sums.map(({ start }) => start)
  const inTokens = sums.map((sum) => Number(sum.income) / 10 ** token.decimals)
  const pile = (name: 'paid' | 'failed' | 'refused', colour: string) => {
    return { colour, values: sums.map((sum) => sum[name]) }
  }
  income({ by, starts, unit: token.symbol, piles: [{ colour: '--accent', values: inTokens }] })
  requests({
    ...{ by, starts, unit: 'requests' },
    piles: [pile('paid', '--accent'), pile('refused', '--quiet'), pile('failed', '--bad')],
  })
}

interface Drawn {
  readonly sums: readonly PeriodSum[]
  readonly traffic: readonly ResourceCounts[]
  readonly token: TokenUnit
}

function drawResources({ resources, refusals }: Parts, { sums, traffic, token }: Drawn): void {
  const rows = sumsByResource(traffic)
  const all = sums.reduce((total, { income }) => total + income, 0n)
  const recorded = rows.reduce((total, { income }) => total + income, 0n)
  const path = (sum: ResourceSum) => cell('Resource', h('code', {}, sum.path))
  const rest = all - recorded
  resources.replaceChildren(
    ...rows.map((sum) => row(path(sum), ...numbersOf(sum, token))),
    ...(rest > 0n
      ? [row(cell('Resource', 'not counted by resource'), amountCell(rest, token))]
      : []),
  )
  const reasons = refusalTexts(traffic)
  show(refusals, reasons.length > 0)
  setText(refusals, `Refused: ${reasons.join(', ')}.`)
}

function numbersOf(sum: PeriodSum | ResourceSum, token: TokenUnit): readonly HTMLElement[] {
  return [
    amountCell(sum.income, token),
    numberCell('Paid', `${sum.paid}`),
    numberCell('Failed', `${sum.failed}`),
    numberCell('Refused', `${sum.refused}`),
    numberCell('Price asked', `${sum.asked}`),
  ]
}

function amountCell(amount: bigint, token: TokenUnit): HTMLElement {
  return numberCell('Income', formatAmount(amount, token))
}

async function save(by: By): Promise<void> {
  const path = `/admin/traffic?by=${by}&count=${savedPeriods[by]}`
  const traffic = await ask<readonly ResourceCounts[]>(path)
  saveFile(`income-by-${by}.csv`, csvOf(trafficNames, trafficRows(traffic, by)))
}
