// Spending over time as bars, stacked by who bought. A script of its own: the page stands before it is there.
import uPlot from 'uplot'
import type { TokenUnit } from '../../../../../protocol/amount.ts'
import type { PageSum } from '../../state.ts'

export interface ChartOptions {
  readonly sums: readonly PageSum[]
  readonly token: TokenUnit
  /** Of each buyer, any that CSS knows. */
  readonly colours: readonly string[]
  /** What stands below the bars. */
  readonly labelOf: (sum: PageSum) => string
}

/** Into `figure`, as wide as that is. */
export function drawChart(figure: HTMLElement, options: ChartOptions): void {
  const { sums } = options
  const data = [sums.map((_, at) => at), ...stacked(options)] as uPlot.AlignedData
  figure.replaceChildren()
  new uPlot(optionsFor(figure, options), data, figure)
}

/** The whole pile first, then without its uppermost part, and so on: each bar covers the one before. */
function stacked({ sums, token, colours }: ChartOptions): readonly (readonly number[])[] {
  return colours.map((_, buyer) =>
    sums.map(({ spent }) => {
      const pile = spent
        .slice(0, colours.length - buyer)
        .reduce((sum, each) => sum + BigInt(each), 0n)
      // A chart may round; sums are made with integers.
      return Number(pile) / 10 ** token.decimals
    }),
  )
}

function optionsFor(figure: HTMLElement, { sums, colours, labelOf }: ChartOptions): uPlot.Options {
  const style = getComputedStyle(figure)
  const [ink, line] = ['--quiet', '--line'].map((name) => style.getPropertyValue(name)) as [
    string,
    string,
  ]
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  const bars = uPlot.paths.bars?.({ size: [0.8, 40] })
  return {
    width: figure.clientWidth,
    height: 220,
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [-0.5, sums.length - 0.5] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    series: [
      {},
      ...[...colours]
        .reverse()
        .map(
          (colour) =>
            ({ fill: colour, width: 0, paths: bars, points: { show: false } }) as uPlot.Series,
        ),
    ],
    axes: [
      {
        ...axis,
        space: 60,
        incrs: [1, 2, 3, 6, 12, 24, 5, 10, 30, 50, 100].sort((a, b) => a - b),
        values: (_, places) => places.map((at) => textOf(sums[at], labelOf)),
      },
      { ...axis, size: 64, values: (_, amounts) => amounts.map((amount) => `${amount}`) },
    ],
  }
}

function textOf(sum: PageSum | undefined, labelOf: (sum: PageSum) => string): string {
  return sum === undefined ? '' : labelOf(sum)
}
