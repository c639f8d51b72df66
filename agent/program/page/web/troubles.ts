// What went wrong lately, and what to do.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageTrouble } from '../state.ts'
import { when } from './words.ts'

export function createTroubles(
  place: HTMLElement,
): (troubles: readonly PageTrouble[], now: number) => void {
  let now = 0
  const list = createList<PageTrouble>(place, {
    holder: h('ul', { class: 'a-troubles' }),
    keyOf: ({ time, message, code, reason }) => `${time} ${message} ${code} ${reason}`,
    make: (trouble) => entryOf(trouble, () => now),
    empty: 'None since the agent started.',
  })
  return (troubles, time) => {
    now = time
    list(troubles)
  }
}

function entryOf(trouble: PageTrouble, now: () => number): Entry<PageTrouble> {
  const { time, level, message, code, reason, hint } = trouble
  const ago = h('span', { class: 'd-note', title: new Date(time).toLocaleString() })
  const words = [reason, hint].filter((text) => text !== null).join(' ')
  const element = h(
    'li',
    { class: level === 'error' ? 'a-error' : '' },
    h('strong', {}, message),
    ...(code === null ? [] : [' ', h('code', {}, code)]),
    ' ',
    ago,
    ...(words === '' ? [] : [h('p', {}, words)]),
  )
  return { element, show: () => setText(ago, when(time, now())) }
}
