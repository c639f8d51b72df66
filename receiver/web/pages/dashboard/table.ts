// The table of channels: a page of it at a time, sorted and filtered by the receiver.

import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { formatAmount, type TokenUnit } from '../../../../protocol/amount.ts'
import type { BlockClock } from '../../../../protocol/block-time.ts'
import { askPage, type Channel, type ListPage } from './api.ts'
import { cardTable, cell, head, numberCell, row } from './cells.ts'
import { csvOf } from './csv.ts'
import {
  type Column,
  channelNames,
  channelRow,
  listingOf,
  pageSize,
  pagesOf,
  type Selection,
} from './rows.ts'
import { saveFile } from './save.ts'
import { buyerText, counted, settlesText } from './texts.ts'

const columns: readonly (readonly [Column, string])[] = [
  ['sender', 'Buyer'],
  ['block', 'Opened in block'],
  ['state', 'State'],
  ['deposit', 'Deposit'],
  ['balance', 'Paid'],
  ['due', 'To collect'],
]

export interface ChannelTable {
  /** Asks again for what it shows. @throws Refusal */
  readonly refresh: (facts: TableFacts) => Promise<void>
}

export interface TableFacts {
  readonly token: TokenUnit
  /** How many channels there are. */
  readonly all: number
  readonly clock: BlockClock | undefined
}

export interface TableActions {
  readonly close: (channel: Channel) => void
  readonly failed: (error: unknown) => void
}

/** Channels that the receiver gives at once, for a file. */
const perRequest = 1000

interface Elements {
  readonly headers: readonly HTMLElement[]
  readonly body: HTMLElement
  readonly count: HTMLElement
  readonly back: HTMLButtonElement
  readonly next: HTMLButtonElement
}

/** What is shown, and what was asked for. */
interface Table extends TableActions {
  readonly elements: Elements
  facts: TableFacts
  selection: Selection
  /** Where the pages up to the shown one begin: one can go back, not to any other. */
  pages: readonly string[]
  shown: ListPage<Channel>
  /** Counts the questions: only the last one's answer is shown. */
  asked: number
}

const everything: Selection = { text: '', state: '', column: 'due', descending: true }

export function createTable(place: HTMLElement, actions: TableActions): ChannelTable {
  const table: Table = {
    ...actions,
    elements: createElements(place, {
      filter: (text) => change(table, { text }),
      choose: (state) => change(table, { state }),
      sort: (column) => {
        const { selection } = table
        change(table, { column, descending: selection.column === column && !selection.descending })
      },
      turn: (by) => turn(table, by),
      save: () => saveCsv(table).catch(table.failed),
    }),
    facts: { token: { symbol: '', decimals: 0 }, all: 0, clock: undefined },
    selection: everything,
    pages: [listingOf(everything, pageSize)],
    shown: { items: [], total: 0, next: undefined },
    asked: 0,
  }
  return {
    refresh: (facts) => {
      table.facts = facts
      return load(table)
    },
  }
}

interface Controls {
  readonly filter: (text: string) => void
  readonly choose: (state: string) => void
  readonly sort: (column: Column) => void
  readonly turn: (by: -1 | 1) => void
  readonly save: () => void
}

function createElements(place: HTMLElement, controls: Controls): Elements {
  const button = (label: string, onclick: () => void) =>
    h('button', { type: 'button', onclick }, label)
  const headers = columns.map(([column, title]) => head(button(title, () => controls.sort(column))))
  const body = h('tbody')
  const count = h('p', { role: 'status' })
  const back = button('Previous', () => controls.turn(-1))
  const next = button('Next', () => controls.turn(1))
  place.append(
    createFilters(controls, button('Save as CSV', controls.save)),
    h(
      'div',
      { class: 'r-sorts', role: 'region', 'aria-label': 'Table of channels' },
      cardTable([...headers, head('Action')], body),
    ),
    h('div', { class: 'd-row' }, back, next, count),
  )
  return { headers, body, count, back, next }
}

function createFilters({ filter, choose }: Controls, save: HTMLElement): HTMLElement {
  const text = h('input', { id: 'd-filter', type: 'search', autocomplete: 'off' })
  const state = h('select', { id: 'd-state' })
  for (const name of ['', 'open', 'agreed', 'closing', 'settled']) {
    state.append(h('option', { value: name }, name === '' ? 'all' : name))
  }
  text.addEventListener('input', () => filter(text.value))
  state.addEventListener('change', () => choose(state.value))
  return h(
    'div',
    { class: 'd-row d-filters' },
    h('label', { for: 'd-filter' }, 'Buyer ', text),
    h('label', { for: 'd-state' }, 'State ', state),
    save,
  )
}

function change(table: Table, changed: Partial<Selection>): void {
  table.selection = { ...table.selection, ...changed }
  table.pages = [listingOf(table.selection, pageSize)]
  load(table).catch(table.failed)
}

function turn(table: Table, by: -1 | 1): void {
  const { pages, shown } = table
  if (by < 0) table.pages = pages.length > 1 ? pages.slice(0, -1) : pages
  else if (shown.next !== undefined) table.pages = [...pages, shown.next]
  load(table).catch(table.failed)
}

async function load(table: Table): Promise<void> {
  table.asked += 1
  const { asked, pages, selection } = table
  const found = await askPage<Channel>(pages.at(-1) ?? listingOf(selection, pageSize))
  // Something else was asked for meanwhile.
  if (asked !== table.asked) return
  table.shown = found
  // What was on this page has moved to an earlier one.
  if (found.items.length === 0 && pages.length > 1) return turn(table, -1)
  draw(table)
}

async function saveCsv({ selection }: Table): Promise<void> {
  const channels: Channel[] = []
  let path: string | undefined = listingOf(selection, perRequest)
  while (path !== undefined) {
    const part: ListPage<Channel> = await askPage<Channel>(path)
    channels.push(...part.items)
    path = part.next
  }
  saveFile('channels.csv', csvOf(channelNames, channels.map(channelRow)))
}

function draw(table: Table): void {
  const { elements, selection, shown, pages, facts } = table
  elements.body.replaceChildren(...shown.items.map((channel) => rowOf(table, channel)))
  for (const [at, [column]] of columns.entries()) {
    const sorted = selection.descending ? 'descending' : 'ascending'
    elements.headers[at]?.setAttribute('aria-sort', selection.column === column ? sorted : 'none')
  }
  elements.back.disabled = pages.length === 1
  elements.next.disabled = shown.next === undefined
  setText(
    elements.count,
    `${shown.total} of ${counted(facts.all, 'channel')}, page ${pages.length} of ${pagesOf(shown.total)}`,
  )
}

function rowOf({ facts: { token, clock }, close }: Table, channel: Channel): HTMLElement {
  const { sender_address: sender, open_block: block } = channel
  const amount = (title: string, text: string) =>
    numberCell(title, formatAmount(BigInt(text), token))
  const mayClose = channel.state === 'open' && BigInt(channel.balance) > 0n
  const label = `Close channel of ${sender} opened in block ${block}`
  const button = h(
    'button',
    { type: 'button', 'aria-label': label, onclick: () => close(channel) },
    'Close',
  )
  const settles = settlesText(channel, clock)
  const note = settles === '' ? [] : [h('p', { class: 'd-note' }, settles)]
  const buyer = cell('Buyer', buyerText(channel))
  buyer.title = sender
  const state = h('span', { class: `d-state d-${channel.state}` }, channel.state)
  return row(
    buyer,
    numberCell('Opened in block', block),
    cell('State', h('div', {}, state, ...note)),
    amount('Deposit', channel.deposit),
    amount('Paid', channel.balance),
    amount('To collect', channel.due),
    cell('', ...(mayClose ? [button] : [])),
  )
}
