// Measures every element of a page: what is wider than the screen, and what is cut off.
import type { Page } from 'playwright-core'

export interface MeasureOptions {
  /** What may be scrolled sideways, as a CSS selector. Default: nothing. */
  readonly mayScroll?: string
}

/**
 * Elements that do not fit, each with what is wrong and by how many pixels; empty is good. Told are: what
 * reaches beyond the left or right edge of the screen, what spills out of its own box or is cut off by it,
 * and what is scrolled sideways without being named in `mayScroll`. What is inside of something that may
 * scroll is measured against that. Labels for screen readers, of one pixel, are left out. What a page draws again
 * for another size of its window is drawn before: the second frame from now comes after all that the first one sets off.
 */
export async function unfitElements(
  page: Page,
  options: MeasureOptions = {},
): Promise<readonly string[]> {
  await page.evaluate(twoFrames)
  return page.evaluate(measure, options.mayScroll ?? '')
}

/** Runs in the page. */
function twoFrames(): Promise<unknown> {
  const { requestAnimationFrame } = globalThis as unknown as {
    readonly requestAnimationFrame: (done: (value?: unknown) => void) => void
  }
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
}

interface Measured {
  readonly tagName: string
  readonly id: string
  readonly className: unknown
  readonly textContent: string | null
  readonly parentElement: Measured | null
  readonly clientWidth: number
  readonly clientHeight: number
  readonly scrollWidth: number
  readonly scrollHeight: number
  readonly matches: (selector: string) => boolean
  readonly checkVisibility: (options: object) => boolean
  readonly getBoundingClientRect: () => {
    readonly left: number
    readonly right: number
    readonly width: number
    readonly height: number
  }
}

/** Runs in the page. */
function measure(mayScroll: string): string[] {
  const { document, getComputedStyle } = globalThis as unknown as {
    readonly document: {
      readonly documentElement: Measured
      readonly body: { readonly querySelectorAll: (selector: string) => Iterable<Measured> }
    }
    readonly getComputedStyle: (element: Measured) => { readonly [property: string]: string }
  }
  /** Browsers round sizes of boxes to whole pixels. */
  const rounding = 1
  const width = document.documentElement.clientWidth
  const scrolls = (element: Measured) => mayScroll !== '' && element.matches(mayScroll)

  function nameOf(element: Measured): string {
    const { tagName, id, className, textContent } = element
    const classes = typeof className === 'string' && className !== '' ? `.${className}` : ''
    const text = (textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40)
    return `<${tagName.toLowerCase()}${id && `#${id}`}${classes.replaceAll(' ', '.')}> "${text}"`
  }

  function isInScroller({ parentElement }: Measured): boolean {
    return parentElement !== null && (scrolls(parentElement) || isInScroller(parentElement))
  }

  function problems(element: Measured): string[] {
    const style = getComputedStyle(element)
    const { left, right, width: wide, height } = element.getBoundingClientRect()
    if (wide <= 1 || height <= 1) return []
    const found: string[] = []
    if (!isInScroller(element)) {
      if (right > width + rounding)
        found.push(`${Math.ceil(right - width)} px beyond the right edge`)
      if (left < -rounding) found.push(`${Math.ceil(-left)} px beyond the left edge`)
    }
    // Inline boxes have no size of their own.
    if (element.clientWidth === 0) return found
    const across = element.scrollWidth - element.clientWidth
    if (across > rounding && !scrolls(element)) {
      const how = { visible: 'spills out of its box', hidden: 'is cut off', clip: 'is cut off' }
      const what = how[style.overflowX as keyof typeof how] ?? 'scrolls sideways'
      found.push(`${what} by ${across} px`)
    }
    const down = element.scrollHeight - element.clientHeight
    if (down > rounding && ['hidden', 'clip'].includes(style.overflowY ?? '')) {
      found.push(`is cut off at the bottom by ${down} px`)
    }
    return found
  }

  const all = [...document.body.querySelectorAll('*')]
  const seen = all.filter((each) => each.checkVisibility({ visibilityProperty: true }))
  const page = document.documentElement.scrollWidth - width
  return [
    ...(page > 0 ? [`the page scrolls sideways by ${page} px`] : []),
    ...seen.flatMap((each) => problems(each).map((problem) => `${nameOf(each)} ${problem}`)),
  ]
}
