// What of each budget is left, as bars.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageBudget, PageState } from '../state.ts'
import { leftOf, leftWords, ownerName, windowName } from './words.ts'

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
      const text = leftWords(now, token())
      setText(left, text)
      meter.setAttribute('aria-valuenow', `${percent}`)
      meter.setAttribute('aria-valuetext', text)
      fill.style.width = `${percent}%`
      fill.classList.toggle('a-little', percent < little)
    },
  }
}
