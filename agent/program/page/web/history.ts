// What was bought, and what went wrong lately.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import type { PageBehaviour, PagePurchase, PageTrouble } from '../state.ts'
import { behaviourText, isGood, outcomeText, type RenderContext, trustText, when } from './text.ts'

const heads = ['When', 'What', 'Receiver', 'Price', 'What happened'] as const

export function createPurchases(
  place: HTMLElement,
): (purchases: readonly PagePurchase[], context: RenderContext) => void {
  let latest: RenderContext | undefined
  const body = h('tbody')
  const head = h('tr', {}, ...heads.map((title) => h('th', { scope: 'col' }, title)))
  const table = h('table', {}, h('thead', {}, head), body)
  // Kept in its region: it scrolls sideways on a phone, also with the keyboard.
  h('div', { class: 'd-scroll', tabindex: '0', role: 'region', 'aria-label': heads[1] }, table)
  table.parentElement?.setAttribute('aria-label', 'Table of purchases')
  const list = createList<PagePurchase>(place, {
    holder: body,
    keyOf: ({ time, url, cost, receiver }) => `${time} ${receiver} ${url} ${cost}`,
    make: (purchase) => rowOf(purchase, () => latest),
    empty: 'Nothing was bought yet.',
  })
  return (purchases, context) => {
    latest = context
    list(purchases)
  }
}

function rowOf(
  purchase: PagePurchase,
  latest: () => RenderContext | undefined,
): Entry<PagePurchase> {
  const { time, method, url, receiver, receiverName, buyer } = purchase
  const [ago, cost] = [h('td', { title: new Date(time).toLocaleString() }), h('td')]
  cost.className = 'd-number'
  const element = h(
    'tr',
    {},
    ago,
    h('td', { class: 'a-what' }, h('code', {}, `${method} ${url}`), buyer ? ` ${buyer}` : ''),
    h('td', { title: receiver }, receiverName ?? shortAddress(receiver)),
    cost,
    h('td', { class: isGood(purchase.status) ? '' : 'd-bad' }, outcomeText(purchase)),
  )
  return {
    element,
    show: (shown) => {
      const context = latest()
      if (context === undefined) return
      setText(ago, when(shown.time, context.now))
      setText(cost, context.amount(shown.cost))
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

export function createTroubles(
  place: HTMLElement,
): (troubles: readonly PageTrouble[], now: number) => void {
  let now = 0
  const list = createList<PageTrouble>(place, {
    holder: h('ul', { class: 'a-troubles' }),
    keyOf: ({ time, message, code, reason }) => `${time} ${message} ${code} ${reason}`,
    make: (trouble) => troubleEntry(trouble, () => now),
    empty: 'None since the agent started.',
  })
  return (troubles, time) => {
    now = time
    list(troubles)
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
