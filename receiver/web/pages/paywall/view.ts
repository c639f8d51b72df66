// The page's elements. They are made once and changed after that, so that focus stays where it is.
import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { insecure, isOverheard } from './screen.ts'

/** What a person can do; the names stand in the app's table of actions. */
export type Action =
  | 'switch'
  | 'mint'
  | 'deposit'
  | 'pay'
  | 'close'
  | 'request-close'
  | 'settle'
  | 'forget'
  | 'stop-waiting'

export interface View {
  readonly root: HTMLElement
  readonly wallets: HTMLElement
  readonly account: HTMLElement
  readonly tokens: HTMLElement
  readonly channel: HTMLElement
  readonly bar: HTMLElement
  readonly fill: HTMLElement
  readonly facts: HTMLElement
  readonly deposit: HTMLFormElement
  readonly depositLabel: HTMLElement
  readonly depositNote: HTMLElement
  readonly amount: HTMLInputElement
  readonly manage: HTMLDetailsElement
  readonly manageNote: HTMLElement
  readonly status: HTMLElement
  readonly error: HTMLElement
  readonly errorMessage: HTMLElement
  readonly errorHint: HTMLElement
  readonly goods: HTMLElement
  readonly buttons: { readonly [Name in Action]: HTMLButtonElement }
}

type Buttons = View['buttons']

export function createView(root: HTMLElement, act: (action: Action) => void): View {
  const buttons = createButtons(act)
  const wallets = h('div', { class: 'u-wallets' })
  const status = h('p', { role: 'status', class: 'u-status' })
  const errorMessage = h('strong')
  const errorHint = h('span')
  const error = h('div', { role: 'alert', class: 'u-error', hidden: true }, errorMessage, errorHint)
  const goods = h('section', { class: 'u-goods', 'aria-label': 'What you bought', hidden: true })
  const facts = createFacts()
  const deposit = createDeposit(buttons, act)
  const manage = createManage(buttons)
  const overheard = h(
    'p',
    { class: 'u-note', role: 'note', hidden: !isOverheard(location) },
    insecure,
  )
  root.append(
    overheard,
    error,
    wallets,
    facts.facts,
    facts.bar,
    h('div', { class: 'u-stack' }, buttons.switch, buttons.pay, buttons.settle),
    deposit.deposit,
    buttons.mint,
    h('div', { class: 'u-busy' }, status, buttons['stop-waiting']),
    goods,
    manage.manage,
  )
  for (const each of Object.values(buttons)) show(each, false)
  show(buttons.deposit, true)
  return {
    ...{ root, buttons, wallets, status, error, errorMessage, errorHint, goods },
    ...facts,
    ...deposit,
    ...manage,
  }
}

function createButtons(act: (action: Action) => void): Buttons {
  const button = (action: Action, text: string, kind = 'u-plain') =>
    h('button', { type: 'button', class: kind, onclick: () => act(action) }, text)
  return {
    switch: button('switch', 'Switch the wallet’s network', 'u-primary'),
    mint: button('mint', 'Buy 50 test tokens for 0.1 ether'),
    deposit: h('button', { type: 'submit', class: 'u-primary' }),
    pay: button('pay', 'Pay', 'u-primary'),
    close: button('close', 'Close the channel and get the rest back'),
    'request-close': button('request-close', 'Close without the server'),
    settle: button('settle', 'Settle: get the rest back', 'u-primary'),
    forget: button('forget', 'Forget it in this browser'),
    'stop-waiting': button('stop-waiting', 'Stop waiting'),
  }
}

/** Account, tokens, and how much of the channel is left. */
function createFacts() {
  const [account, tokens, channel] = [h('dd'), h('dd'), h('dd')]
  const fill = h('div', { class: 'u-fill' })
  const bar = h('div', { class: 'u-bar', 'aria-hidden': 'true' }, fill)
  const facts = h(
    'dl',
    { class: 'u-facts', hidden: true },
    ...row('Account', account),
    ...row('Tokens', tokens),
    ...row('Channel', channel),
  )
  return { account, tokens, channel, fill, bar, facts }
}

function createDeposit(buttons: Buttons, act: (action: Action) => void) {
  const amount = h('input', {
    id: 'u-amount',
    inputmode: 'decimal',
    autocomplete: 'off',
    required: true,
    'aria-describedby': 'u-amount-note',
  })
  const depositLabel = h('label', { for: 'u-amount' })
  const depositNote = h('p', { id: 'u-amount-note', class: 'u-note' })
  const deposit = h(
    'form',
    { class: 'u-deposit', novalidate: true, hidden: true },
    depositLabel,
    h('div', { class: 'u-row' }, amount, buttons.deposit),
    depositNote,
  )
  deposit.addEventListener('submit', (event) => {
    event.preventDefault()
    act('deposit')
  })
  return { amount, depositLabel, depositNote, deposit }
}

function createManage(buttons: Buttons) {
  const manageNote = h('p', { class: 'u-note' })
  const manage = h(
    'details',
    { class: 'u-manage', hidden: true },
    h('summary', {}, 'More about the channel'),
    manageNote,
    h('div', { class: 'u-stack' }, buttons.close, buttons['request-close'], buttons.forget),
  )
  return { manage, manageNote }
}

export function showError(view: View, error: { message: string; hint: string } | undefined): void {
  show(view.error, error !== undefined)
  setText(view.errorMessage, error?.message ?? '')
  setText(view.errorHint, error?.hint ?? '')
}

function row(term: string, description: HTMLElement): readonly HTMLElement[] {
  return [h('dt', {}, term), description]
}
