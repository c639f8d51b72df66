// What of each budget is left, as bars.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import type { PageBudget } from '../../state.ts'
import { leftOf, ownerName, windowName } from './words.ts'

/** Percent; less is shown as little. */
const little = 10

interface Group {
  readonly owner: string
  readonly budgets: readonly PageBudget[]
}

type Amount = (text: string) => string

/** Budgets of the same owner stand together, in the order in which they come. */
export function createBudgets(
  place: HTMLElement,
): (budgets: readonly PageBudget[], amount: Amount) => void {
  let amount: Amount = (text) => text
  const list = createList<Group>(place, {
    holder: h('div', { class: 'a-cards' }),
    keyOf: ({ owner }) => owner,
    make: ({ owner }) => groupOf(owner, (text) => amount(text)),
    empty:
      'No budget is set: nothing but the deposits limits what is spent. Set budget in agent.yaml.',
  })
  return (budgets, unit) => {
    amount = unit
    const owners = [...new Set(budgets.map(ownerName))]
    list(
      owners.map((owner) => ({
        owner,
        budgets: budgets.filter((budget) => ownerName(budget) === owner),
      })),
    )
  }
}

function groupOf(owner: string, amount: Amount): Entry<Group> {
  const element = h('div', { class: 'a-card' }, h('h3', {}, owner))
  const list = createList<PageBudget>(element, {
    holder: h('div', { class: 'a-bars' }),
    keyOf: ({ window }) => window,
    make: (budget) => barOf(owner, budget, amount),
    empty: '',
  })
  return { element, show: ({ budgets }) => list(budgets) }
}

function barOf(owner: string, budget: PageBudget, amount: Amount): Entry<PageBudget> {
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
      const { amount: rest, percent } = leftOf(now)
      const text = `${amount(`${rest}`)} of ${amount(now.cap)} left`
      setText(left, text)
      meter.setAttribute('aria-valuenow', `${percent}`)
      meter.setAttribute('aria-valuetext', text)
      fill.style.width = `${percent}%`
      fill.classList.toggle('a-little', percent < little)
    },
  }
}
