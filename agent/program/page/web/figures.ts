// The figures at the top, and what of each budget is left, as bars.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageBudget, PageState } from '../state.ts'
import {
  amountIn,
  budgetText,
  etherOf,
  lastsText,
  leftInChannels,
  leftOf,
  ownerName,
  when,
  windowName,
} from './text.ts'

const titles = {
  tokens: 'Tokens in the account',
  channels: 'Left in channels',
  ether: 'Ether for transactions',
  bought: 'Bought',
  card: 'Memory card',
} as const

type Tile = keyof typeof titles

export function createTiles(place: HTMLElement): (state: PageState, now: number) => void {
  const made = Object.entries(titles).map(([name, title]) => {
    const [value, note] = [h('span', {}, '…'), h('span', { class: 'd-note a-tile-note' })]
    place.append(h('div', { class: 'd-tile' }, h('dt', {}, title), h('dd', {}, value, note)))
    return [name, { value, note }] as const
  })
  const tiles = Object.fromEntries(made) as { [Name in Tile]: (typeof made)[number][1] }
  const say = (tile: Tile, text: string, note = '') => {
    setText(tiles[tile].value, text)
    setText(tiles[tile].note, note)
  }
  return (state, now) => {
    const { token, holdings, transactions, channels, counters, started, card } = state
    const amount = amountIn(token)
    const { tokens, ether, problem } = holdings
    const unknown = problem === null ? 'asking the chain…' : 'not known'
    const note = problem ?? ''
    say('tokens', tokens === null ? unknown : amount(tokens), note)
    say('ether', ether === null ? unknown : etherOf(ether), problem ?? transactions)
    const open = channels.filter(({ state }) => state === 'open').length
    const count = `${open} open ${open === 1 ? 'channel' : 'channels'}`
    say('channels', amount(`${leftInChannels(channels)}`), count)
    say('bought', `${counters.payments}`, countersNote(counters, when(started, now)))
    say('card', card.mode === 'gentle' ? 'spared' : 'written', cardNote(card, now))
  }
}

function countersNote({ refusals, failures }: PageState['counters'], ago: string): string {
  const others = [
    ...(refusals > 0 ? [`${refusals} refused by limits`] : []),
    ...(failures > 0 ? [`${failures} failed`] : []),
  ]
  return [...others, `since the start ${ago}`].join(', ')
}

function cardNote({ mode, flushed }: PageState['card'], now: number): string {
  if (mode === 'careful') return 'for each reservation, before anything is signed'
  return flushed === null ? 'not written yet' : `last written ${when(flushed, now)}`
}

/** Percent; less is shown as little. */
const little = 10

/** What all bars are drawn with. */
export interface BudgetContext {
  readonly token: PageState['token']
  readonly now: number
}

export function createBudgets(
  place: HTMLElement,
): (budgets: readonly PageBudget[], context: BudgetContext) => void {
  let latest: BudgetContext = { token: null, now: 0 }
  const list = createList<PageBudget>(place, {
    holder: h('div', { class: 'a-budgets' }),
    keyOf: labelOf,
    make: (budget) => barOf(budget, () => latest),
    empty:
      'No budget is set: nothing but the deposits limits what is spent. Set budget in agent.yaml.',
  })
  return (budgets, context) => {
    latest = context
    list(budgets)
  }
}

function labelOf(budget: PageBudget): string {
  return `${ownerName(budget)}: ${windowName(budget)}`
}

function barOf(budget: PageBudget, latest: () => BudgetContext): Entry<PageBudget> {
  const fill = h('div', { class: 'a-fill' })
  const meter = h(
    'div',
    { class: 'a-bar', role: 'meter', 'aria-label': labelOf(budget), 'aria-valuemin': '0' },
    fill,
  )
  meter.setAttribute('aria-valuemax', '100')
  const [left, lasts] = [h('span', { class: 'a-left' }), h('span', { class: 'd-note a-lasts' })]
  const element = h(
    'div',
    { class: 'a-budget' },
    h('span', { class: 'a-owner' }, labelOf(budget)),
    meter,
    left,
    lasts,
  )
  return {
    element,
    show: (shown) => {
      const { token, now } = latest()
      const isOver = shown.over !== null
      const { percent } = leftOf(shown)
      const text = budgetText(shown, token, now)
      setText(left, text)
      setText(lasts, lastsText(shown, now))
      meter.setAttribute('aria-valuenow', `${percent}`)
      meter.setAttribute('aria-valuetext', text)
      // What is spent is no empty bar, which looks as if there was nothing to see.
      fill.style.width = `${isOver ? 100 : percent}%`
      fill.classList.toggle('a-little', isOver || percent < little)
      left.classList.toggle('d-bad', isOver)
    },
  }
}
