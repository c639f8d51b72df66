// Income over time as bars, and as a table for who cannot see them.
import uPlot from 'uplot'
import { h } from '../../../../platform/web/pages/dom.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import type { Day } from './days.ts'

export function createChart(place: HTMLElement) {
  const figure = h('div', { class: 'd-plot', 'aria-hidden': 'true' })
  const body = h('tbody')
  const table = h(
    'table',
    {},
    h(
      'thead',
      {},
      h('tr', {}, h('th', { scope: 'col' }, 'Day (UTC)'), h('th', { scope: 'col' }, 'Income')),
    ),
    body,
  )
  place.append(figure, h('details', {}, h('summary', {}, 'As a table'), table))
  let plot: uPlot | undefined
  let shown = ''

  return (days: readonly Day[], token: TokenUnit): void => {
    const key = `${figure.clientWidth} ${days.map(({ income }) => income).join()}`
    if (key === shown) return
    shown = key
    body.replaceChildren(
      ...[...days]
        .reverse()
        .map(({ start, income }) =>
          h('tr', {}, h('td', {}, dayOf(start)), h('td', {}, formatAmount(income, token))),
        ),
    )
    plot?.destroy()
    plot = new uPlot(optionsFor(figure, token), dataOf(days, token), figure)
  }
}

function dayOf(start: number): string {
  return new Date(start * 1000).toISOString().slice(0, 10)
}

/** A chart may round; sums are made with integers elsewhere. */
function dataOf(days: readonly Day[], { decimals }: TokenUnit): uPlot.AlignedData {
  return [days.map(({ start }) => start), days.map(({ income }) => Number(income) / 10 ** decimals)]
}

function optionsFor(figure: HTMLElement, { symbol }: TokenUnit): uPlot.Options {
  const style = getComputedStyle(figure)
  const [ink, line, accent] = ['--quiet', '--line', '--accent'].map((name) =>
    style.getPropertyValue(name),
  ) as [string, string, string]
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  return {
    width: Math.max(figure.clientWidth, 200),
    height: 220,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    series: [
      {},
      {
        label: symbol,
        fill: accent,
        stroke: accent,
        width: 0,
        paths: uPlot.paths.bars?.({ size: [0.7, 60] }),
        points: { show: false },
      } as uPlot.Series,
    ],
    // Month and day as ISO 8601 has them: 11-21 is the same everywhere.
    axes: [
      { ...axis, values: (_, splits) => splits.map((start) => dayOf(start).slice(5)) },
      { ...axis, size: 70 },
    ],
  }
}
