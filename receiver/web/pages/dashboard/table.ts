// The table of channels: a page of it at a time, sorted and filtered by the receiver.

import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import { askPage, type Channel, type ListPage } from './api.ts'
import { type Column, csvOf, listingOf, pageSize, pagesOf, type Selection } from './rows.ts'

const columns: readonly (readonly [Column, string])[] = [
  ['sender', 'Sender'],
  ['block', 'Opened in block'],
  ['state', 'State'],
  ['deposit', 'Deposit'],
  ['balance', 'Paid'],
  ['due', 'To collect'],
]

export interface ChannelTable {
  /** Asks again for what it shows. `all` is how many channels there are. @throws ApiError */
  readonly refresh: (token: TokenUnit, all: number) => Promise<void>
}

export interface TableActions {
  readonly close: (channel: Channel) => void
  readonly failed: (error: unknown) => void
}

/** Channels that the receiver gives at once, for a file. */
const perRequest = 1000

export function createTable(place: HTMLElement, { close, failed }: TableActions): ChannelTable {
  let token: TokenUnit = { symbol: '', decimals: 0 }
  let all = 0
  let selection: Selection = { text: '', state: '', column: 'due', descending: true }
  /** Where the pages up to the shown one begin: one can go back, not to any other. */
  let pages: readonly string[] = [listingOf(selection, pageSize)]
  let shown: ListPage<Channel> = { items: [], total: 0, next: undefined }
  let asked = 0

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
  const save = h(
    'button',
    { type: 'button', onclick: () => saveCsv().catch(failed) },
    'Save as CSV',
  )

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
    pages = [listingOf(selection, pageSize)]
    load().catch(failed)
  }

  function sortBy(column: Column): void {
    change({ column, descending: selection.column === column && !selection.descending })
  }

  function turn(by: -1 | 1): void {
    if (by < 0) pages = pages.length > 1 ? pages.slice(0, -1) : pages
    else if (shown.next !== undefined) pages = [...pages, shown.next]
    load().catch(failed)
  }

  async function load(): Promise<void> {
    asked += 1
    const mine = asked
    const found = await askPage<Channel>(pages.at(-1) ?? listingOf(selection, pageSize))
    // Something else was asked for meanwhile.
    if (mine !== asked) return
    shown = found
    // What was on this page has moved to an earlier one.
    if (found.items.length === 0 && pages.length > 1) return turn(-1)
    draw()
  }

  async function saveCsv(): Promise<void> {
    const channels: Channel[] = []
    let path: string | undefined = listingOf(selection, perRequest)
    while (path !== undefined) {
      const part: ListPage<Channel> = await askPage<Channel>(path)
      channels.push(...part.items)
      path = part.next
    }
    const file = new Blob([csvOf(channels)], { type: 'text/csv' })
    const url = URL.createObjectURL(file)
    h('a', { href: url, download: 'channels.csv' }).click()
    URL.revokeObjectURL(url)
  }

  function draw(): void {
    body.replaceChildren(...shown.items.map(rowOf))
    for (const [at, [column]] of columns.entries()) {
      const sorted = selection.descending ? 'descending' : 'ascending'
      headers[at]?.setAttribute('aria-sort', selection.column === column ? sorted : 'none')
    }
    back.disabled = pages.length === 1
    next.disabled = shown.next === undefined
    setText(
      count,
      `${shown.total} of ${all} channels, page ${pages.length} of ${pagesOf(shown.total)}`,
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
    refresh: async (unit, known) => {
      token = unit
      all = known
      await load()
    },
  }
}
