// The table of channels: sorted, filtered and paged here, so that ten thousand are no more work for
// the browser than fifty.

import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import type { Channel } from './api.ts'
import { type Column, csvOf, pageOf, type Selection, select } from './rows.ts'

const columns: readonly (readonly [Column, string])[] = [
  ['sender', 'Sender'],
  ['block', 'Opened in block'],
  ['state', 'State'],
  ['deposit', 'Deposit'],
  ['balance', 'Paid'],
  ['due', 'To collect'],
]

export interface ChannelTable {
  readonly show: (channels: readonly Channel[], token: TokenUnit) => void
}

export function createTable(place: HTMLElement, close: (channel: Channel) => void): ChannelTable {
  let channels: readonly Channel[] = []
  let token: TokenUnit = { symbol: '', decimals: 0 }
  let selection: Selection = { text: '', state: '', column: 'due', descending: true }
  let page = 0

  const filter = h('input', { id: 'd-filter', type: 'search', autocomplete: 'off' })
  const state = h('select', { id: 'd-state' })
  for (const name of ['', 'open', 'agreed', 'closing', 'settled']) {
    state.append(h('option', { value: name }, name === '' ? 'all' : name))
  }
  const headers = columns.map(([column, title]) =>
    h(
      'th',
      { scope: 'col' },
      h('button', { type: 'button', onclick: () => sortBy(column) }, title),
    ),
  )
  const body = h('tbody')
  const count = h('p', { role: 'status' })
  const back = h('button', { type: 'button', onclick: () => turn(-1) }, 'Previous')
  const next = h('button', { type: 'button', onclick: () => turn(1) }, 'Next')
  const save = h('button', { type: 'button', onclick: saveCsv }, 'Save as CSV')

  filter.addEventListener('input', () => change({ text: filter.value }))
  state.addEventListener('change', () => change({ state: state.value }))
  place.append(
    h(
      'div',
      { class: 'd-row d-filters' },
      h('label', { for: 'd-filter' }, 'Sender ', filter),
      h('label', { for: 'd-state' }, 'State ', state),
      save,
    ),
    h(
      'div',
      { class: 'd-scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of channels' },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, ...headers, h('th', { scope: 'col' }, 'Action'))),
        body,
      ),
    ),
    h('div', { class: 'd-row' }, back, next, count),
  )

  function change(changed: Partial<Selection>): void {
    selection = { ...selection, ...changed }
    page = 0
    draw()
  }

  function sortBy(column: Column): void {
    change({ column, descending: selection.column === column && !selection.descending })
  }

  function turn(by: number): void {
    page += by
    draw()
  }

  function saveCsv(): void {
    const file = new Blob([csvOf(select(channels, selection))], { type: 'text/csv' })
    const url = URL.createObjectURL(file)
    h('a', { href: url, download: 'channels.csv' }).click()
    URL.revokeObjectURL(url)
  }

  function draw(): void {
    const found = select(channels, selection)
    const shown = pageOf(found, page)
    page = shown.page
    body.replaceChildren(...shown.rows.map(rowOf))
    for (const [at, [column]] of columns.entries()) {
      const sorted = selection.descending ? 'descending' : 'ascending'
      headers[at]?.setAttribute('aria-sort', selection.column === column ? sorted : 'none')
    }
    back.disabled = page === 0
    next.disabled = page >= shown.pages - 1
    setText(
      count,
      `${found.length} of ${channels.length} channels, page ${page + 1} of ${shown.pages}`,
    )
  }

  function rowOf(channel: Channel): HTMLElement {
    const { sender_address: sender, open_block: block } = channel
    const amount = (text: string) =>
      h('td', { class: 'd-number' }, formatAmount(BigInt(text), token))
    const mayClose = channel.state === 'open' && BigInt(channel.balance) > 0n
    const label = `Close channel of ${sender} opened in block ${block}`
    const button = h(
      'button',
      { type: 'button', 'aria-label': label, onclick: () => close(channel) },
      'Close',
    )
    return h(
      'tr',
      {},
      h('td', { title: sender }, shortAddress(sender)),
      h('td', { class: 'd-number' }, block),
      h('td', {}, h('span', { class: `d-state d-${channel.state}` }, channel.state)),
      amount(channel.deposit),
      amount(channel.balance),
      amount(channel.due),
      h('td', {}, ...(mayClose ? [button] : [])),
    )
  }

  return {
    show: (given, unit) => {
      channels = given
      token = unit
      draw()
    },
  }
}
