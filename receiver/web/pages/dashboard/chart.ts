// Bars over time, several in a pile, for who can see them; a table says the same.
import uPlot from 'uplot'
import { h } from '../../../../platform/web/pages/dom.ts'
import { type By, lengthOf, periodText } from './periods.ts'

export interface Bars {
  readonly by: By
  readonly starts: readonly number[]
  /** From the bottom up. */
  readonly piles: readonly Pile[]
  /** Of the numbers, at the axis. */
  readonly unit: string
}

export interface Pile {
  /** A variable of the style. */
  readonly colour: string
  readonly values: readonly number[]
}

/** Draws again only what has changed. */
export function createChart(place: HTMLElement): (bars: Bars) => void {
  const figure = h('div', { class: 'd-plot', 'aria-hidden': 'true' })
  place.append(figure)
  let plot: uPlot | undefined
  let shown = ''
  return (bars) => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches
    const key = JSON.stringify([figure.clientWidth, dark, bars])
    if (key === shown) return
    shown = key
    plot?.destroy()
    plot = new uPlot(optionsFor(figure, bars), dataOf(bars), figure)
  }
}

/** Each pile stands on those below it, so the highest is drawn first. */
function dataOf({ starts, piles }: Bars): uPlot.AlignedData {
  const sums = piles.map((_, pile) =>
    starts.map((_, at) =>
      piles.slice(0, pile + 1).reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
    ),
  )
  return [[...starts], ...sums.reverse()]
}

function optionsFor(figure: HTMLElement, { by, piles, unit }: Bars): uPlot.Options {
  const style = getComputedStyle(figure)
  const colour = (name: string) => style.getPropertyValue(name)
  const ink = colour('--quiet')
  const line = { stroke: colour('--line'), width: 1 }
  const axis = { stroke: ink, grid: line, ticks: line }
  const series = [...piles].reverse().map(
    (pile): uPlot.Series =>
      ({
        fill: colour(pile.colour),
        stroke: colour(pile.colour),
        width: 0,
        paths: uPlot.paths.bars?.({ size: [0.7, 60] }),
        points: { show: false },
      }) as uPlot.Series,
  )
  const text = (start: number) => periodText(start, by).slice(5, 16)
  return {
    width: Math.max(figure.clientWidth, 200),
    height: 200,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    cursor: { show: false },
    legend: { show: false },
    scales: {
      // The first bar and the last one have their whole width.
      x: { range: (_, first, last) => [first - lengthOf[by] / 2, last + lengthOf[by] / 2] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    series: [{}, ...series],
    axes: [
      { ...axis, size: 36, space: by === 'day' ? 50 : 90, values: (_, splits) => splits.map(text) },
      { ...axis, size: 58, label: unit, labelSize: 18, labelFont: '12px sans-serif' },
    ],
  }
}
