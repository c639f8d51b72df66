// What was bought, and what went wrong lately.
import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import type { PageBehaviour, PagePurchase, PageTrouble } from '../state.ts'
import {
  amountIn,
  behaviourText,
  isGood,
  outcomeText,
  type RenderContext,
  trustText,
  when,
} from './text.ts'

const heads = ['When', 'What', 'Receiver', 'Price', 'What happened'] as const

/** Until a person wants to see all. */
const fewPurchases = 10

export function createPurchases(
  place: HTMLElement,
): (purchases: readonly PagePurchase[], context: RenderContext) => void {
  let latest: RenderContext | undefined
  let all: readonly PagePurchase[] = []
  let most = fewPurchases
  const body = h('tbody', { role: 'rowgroup' })
  const titles = heads.map((title) => h('th', { scope: 'col', role: 'columnheader' }, title))
  const head = h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...titles))
  // On a phone each row is a card; the roles say that it is a table all the same.
  const table = h('table', { class: 'a-purchases', role: 'table' }, head, body)
  h('div', { role: 'region', 'aria-label': 'Table of purchases' }, table)
  const list = createList<PagePurchase>(place, {
    holder: body,
    keyOf: ({ time, url, cost, receiver }) => `${time} ${receiver} ${url} ${cost}`,
    make: (purchase) => rowOf(purchase, () => latest),
    empty: 'Nothing was bought yet.',
  })
  const more = h('button', { type: 'button' })
  const draw = () => {
    list(all.slice(0, most))
    setText(more, most === fewPurchases ? `Show all ${all.length}` : 'Show fewer')
    show(more, all.length > fewPurchases)
  }
  more.addEventListener('click', () => {
    most = most === fewPurchases ? Number.POSITIVE_INFINITY : fewPurchases
    draw()
  })
  place.append(h('div', { class: 'd-row a-more' }, more))
  return (purchases, context) => {
    latest = context
    all = purchases
    draw()
  }
}

function rowOf(
  purchase: PagePurchase,
  latest: () => RenderContext | undefined,
): Entry<PagePurchase> {
  const { time, method, url, receiver, receiverName, buyer } = purchase
  const cell = (kind: string, attributes: object, ...children: readonly (Node | string)[]) =>
    h('td', { role: 'cell', class: `a-cell-${kind}`, ...attributes }, ...children)
  const ago = cell('when', { title: new Date(time).toLocaleString() })
  const cost = cell('cost', {})
  const outcome = h(
    'span',
    { class: isGood(purchase.status) ? '' : 'd-bad' },
    outcomeText(purchase),
  )
  const what = [h('code', {}, `${method} ${url}`), ...(buyer === null ? [] : [` ${buyer}`])]
  const element = h(
    'tr',
    { role: 'row' },
    ago,
    cell('what', {}, ...what),
    cell('receiver', { title: receiver }, receiverName ?? shortAddress(receiver)),
    cost,
    cell('outcome', {}, outcome),
  )
  return {
    element,
    show: (shown) => {
      const context = latest()
      if (context === undefined) return
      setText(ago, when(shown.time, context.now))
      const amount = shown.unit === undefined ? context.amount : amountIn(shown.unit)
      setText(cost, amount(shown.cost))
    },
  }
}

export function createBehaviour(
  place: HTMLElement,
): (behaviour: readonly PageBehaviour[], now: number) => void {
  let now = 0
  const list = createList<PageBehaviour>(place, {
    holder: h('ul', { class: 'a-troubles' }),
    keyOf: ({ receiver }) => receiver,
    make: ({ receiver, receiverName }) => {
      const [counts, trust] = [h('span'), h('p')]
      const name = h('strong', { title: receiver }, receiverName ?? shortAddress(receiver))
      return {
        element: h('li', {}, name, ' ', counts, trust),
        show: (shown) => {
          setText(counts, behaviourText(shown, now))
          setText(trust, trustText(shown, now))
        },
      }
    },
    empty: '',
  })
  return (behaviour, time) => {
    now = time
    list(behaviour)
  }
}

/** Older ones are behind a word. */
const fewTroubles = 3

export function createTroubles(
  place: HTMLElement,
): (troubles: readonly PageTrouble[], now: number) => void {
  let now = 0
  const summary = h('summary')
  const older = h('details', {}, summary)
  const listIn = (within: HTMLElement) =>
    createList<PageTrouble>(within, {
      holder: h('ul', { class: 'a-troubles' }),
      keyOf: ({ time, message, code, reason }) => `${time} ${message} ${code} ${reason}`,
      make: (trouble) => troubleEntry(trouble, () => now),
      empty: '',
    })
  const [showNewest, showOlder] = [listIn(place), listIn(older)]
  place.append(older)
  return (troubles, time) => {
    now = time
    showNewest(troubles.slice(0, fewTroubles))
    showOlder(troubles.slice(fewTroubles))
    setText(summary, `${troubles.length - fewTroubles} earlier ones`)
    show(older, troubles.length > fewTroubles)
  }
}

function troubleEntry(trouble: PageTrouble, now: () => number): Entry<PageTrouble> {
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
