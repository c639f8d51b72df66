// Small drawings: the line of a job's last values, and the icon of the page.
import type { PageHealth } from '../state.ts'
import { height, points, sparkText, width } from './line.ts'

const namespace = 'http://www.w3.org/2000/svg'

export interface Sparkline {
  readonly element: SVGSVGElement
  readonly show: (numbers: readonly number[]) => void
}

export function createSparkline(): Sparkline {
  const element = document.createElementNS(namespace, 'svg')
  const line = document.createElementNS(namespace, 'polyline')
  element.setAttribute('viewBox', `0 0 ${width} ${height}`)
  element.setAttribute('preserveAspectRatio', 'none')
  element.setAttribute('role', 'img')
  element.setAttribute('class', 'a-spark')
  line.setAttribute('vector-effect', 'non-scaling-stroke')
  element.append(line)
  return {
    element,
    show: (numbers) => {
      line.setAttribute('points', points(numbers))
      element.setAttribute('aria-label', sparkText(numbers))
    },
  }
}

/** A form for each, for who cannot tell the colours apart. */
const icons: { readonly [Level in PageHealth['level']]: readonly [colour: string, form: string] } =
  {
    ok: ['%231a7f37', 'M9 17l5 5 9-11'],
    attention: ['%23b35900', 'M16 8v10M16 22v2'],
    failing: ['%23a3161b', 'M10 10l12 12M22 10L10 22'],
  }

export function iconOf(level: PageHealth['level']): string {
  const [colour, form] = icons[level]
  return `data:image/svg+xml,<svg xmlns='${namespace}' viewBox='0 0 32 32'><circle cx='16' cy='16' r='15' fill='${colour}'/><path d='${form}' fill='none' stroke='white' stroke-width='4' stroke-linecap='round'/></svg>`
}
