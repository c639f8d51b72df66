// The figures at the top, and what of each budget is left, as bars.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageBudget, PageState } from '../state.ts'
import {
  amountIn,
  etherOf,
  leftInChannels,
  leftOf,
  leftText,
  ownerName,
  when,
  windowName,
} from './text.ts'

const titles = {
  tokens: 'Tokens in the account',
  channels: 'Left in channels',
  ether: 'Ether for transactions',
  bought: 'Bought',
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
  return ({ token, holdings, transactions, channels, counters, started }, now) => {
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
  }
}

function countersNote({ refusals, failures }: PageState['counters'], ago: string): string {
  const others = [
    ...(refusals > 0 ? [`${refusals} refused by limits`] : []),
    ...(failures > 0 ? [`${failures} failed`] : []),
  ]
  return [...others, `since the start ${ago}`].join(', ')
}

/** Percent; less is shown as little. */
const little = 10

interface Group {
  readonly owner: string
  readonly budgets: readonly PageBudget[]
}

type Token = PageState['token']

/** Budgets of the same owner stand together, in the order in which they come. */
export function createBudgets(
  place: HTMLElement,
): (budgets: readonly PageBudget[], token: Token) => void {
  let token: Token = null
  const list = createList<Group>(place, {
    holder: h('div', { class: 'a-cards a-budgets' }),
    keyOf: ({ owner }) => owner,
    make: ({ owner }) => groupOf(owner, () => token),
    empty:
      'No budget is set: nothing but the deposits limits what is spent. Set budget in agent.yaml.',
  })
  return (budgets, unit) => {
    token = unit
    const owners = [...new Set(budgets.map(ownerName))]
    list(
      owners.map((owner) => ({
        owner,
        budgets: budgets.filter((budget) => ownerName(budget) === owner),
      })),
    )
  }
}

function groupOf(owner: string, token: () => Token): Entry<Group> {
  const element = h('div', { class: 'a-card' }, h('h3', {}, owner))
  const list = createList<PageBudget>(element, {
    holder: h('div', { class: 'a-bars' }),
    keyOf: ({ window }) => window,
    make: (budget) => barOf(owner, budget, token),
    empty: '',
  })
  return { element, show: ({ budgets }) => list(budgets) }
}

function barOf(owner: string, budget: PageBudget, token: () => Token): Entry<PageBudget> {
  const fill = h('div', { class: 'a-fill' })
  const label = `${owner}: ${windowName(budget)}`
  const meter = h(
    'div',
    { class: 'a-bar', role: 'meter', 'aria-label': label, 'aria-valuemin': '0' },
    fill,
  )
  meter.setAttribute('aria-valuemax', '100')
  const left = h('span', {})
  const element = h(
    'div',
    {},
    h('div', { class: 'a-bar-words' }, h('span', {}, windowName(budget)), left),
    meter,
  )
  return {
    element,
    show: (now) => {
      const { percent } = leftOf(now)
      const text = leftText(now, token())
      setText(left, text)
      meter.setAttribute('aria-valuenow', `${percent}`)
      meter.setAttribute('aria-valuetext', text)
      fill.style.width = `${percent}%`
      fill.classList.toggle('a-little', percent < little)
    },
  }
}
