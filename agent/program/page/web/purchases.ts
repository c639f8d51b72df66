// The last purchases.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import type { PagePurchase } from '../state.ts'
import type { Drawn } from './drawn.ts'
import { isGood, when } from './words.ts'

const heads = ['When', 'What', 'Receiver', 'Price', 'What happened'] as const

export function createPurchases(
  place: HTMLElement,
): (purchases: readonly PagePurchase[], drawn: Drawn) => void {
  let how: Drawn | undefined
  const body = h('tbody')
  const head = h('tr', {}, ...heads.map((title) => h('th', { scope: 'col' }, title)))
  const table = h('table', {}, h('thead', {}, head), body)
  // Kept in its region: it scrolls sideways on a phone, also with the keyboard.
  h('div', { class: 'd-scroll', tabindex: '0', role: 'region', 'aria-label': heads[1] }, table)
  table.parentElement?.setAttribute('aria-label', 'Table of purchases')
  const list = createList<PagePurchase>(place, {
    holder: body,
    keyOf: ({ time, url, cost, receiver }) => `${time} ${receiver} ${url} ${cost}`,
    make: (purchase) => rowOf(purchase, () => how),
    empty: 'Nothing was bought yet.',
  })
  return (purchases, drawn) => {
    how = drawn
    list(purchases)
  }
}

function rowOf(purchase: PagePurchase, drawn: () => Drawn | undefined): Entry<PagePurchase> {
  const { time, method, url, status, receiver, receiverName, buyer } = purchase
  const [ago, cost] = [h('td', { title: new Date(time).toLocaleString() }), h('td')]
  cost.className = 'd-number'
  const element = h(
    'tr',
    {},
    ago,
    h('td', { class: 'a-what' }, h('code', {}, `${method} ${url}`), buyer ? ` ${buyer}` : ''),
    h('td', { title: receiver }, receiverName ?? shortAddress(receiver)),
    cost,
    h('td', { class: isGood(status) ? '' : 'd-bad' }, outcomeOf(status)),
  )
  return {
    element,
    show: (shown) => {
      const how = drawn()
      if (how === undefined) return
      setText(ago, when(shown.time, how.now))
      setText(cost, how.amount(shown.cost))
    },
  }
}

function outcomeOf(status: number): string {
  return isGood(status) ? `got it (${status})` : `the receiver answered ${status}`
}
