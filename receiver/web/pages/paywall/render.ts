// Writes a situation into the page's elements.
import type { BrowserClient } from '../../../../browser/index.ts'
import { setText, show } from '../../../../platform/web/pages/dom.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import {
  formatAmount,
  formatNumber,
  smallest,
  type TokenAmount,
  type TokenUnit,
} from '../../../../protocol/index.ts'
import type { PurchaseFacts } from './facts.ts'
import {
  blocks,
  depositNote,
  type Screen,
  type Situation,
  screenOf,
  suggestedDeposit,
} from './screen.ts'
import type { View } from './view.ts'

export interface AppState {
  readonly client: BrowserClient | undefined
  readonly situation: Situation | undefined
  readonly busy: boolean
  readonly wrongChain: boolean
  /** What was bought is on the page. */
  readonly delivered: boolean
}

export function render(view: View, given: PurchaseFacts, state: AppState): void {
  const { client, situation, busy, wrongChain } = state
  view.root.setAttribute('aria-busy', String(busy))
  for (const button of view.root.querySelectorAll('button')) {
    button.disabled = busy && button !== view.buttons['stop-waiting']
  }
  show(view.buttons['stop-waiting'], busy && client !== undefined)
  show(view.buttons.switch, wrongChain)
  show(view.wallets, client === undefined && !wrongChain)
  show(view.facts, situation !== undefined)
  // The chain is asked for the token's name and decimals: the server could say others.
  const facts = client === undefined ? given : { ...given, token: client.token }
  if (client !== undefined && situation !== undefined) {
    setText(view.account, shortAddress(client.account))
    view.account.title = client.account
    setText(view.tokens, formatAmount(situation.tokens, facts.token))
  }
  renderChannel(view, facts, state)
}

const nothing: Screen = {
  step: 'closed',
  channel: '',
  share: undefined,
  canClose: false,
  neverPaid: false,
}

function renderChannel(
  view: View,
  facts: PurchaseFacts,
  { situation, delivered }: Pick<AppState, 'situation' | 'delivered'>,
): void {
  const screen = situation === undefined ? nothing : screenOf(facts, situation)
  const { step } = screen
  const known = situation !== undefined
  setText(view.channel, screen.channel)
  show(view.bar, screen.share !== undefined)
  view.fill.style.width = `${(screen.share ?? 0) * 100}%`
  const price = formatAmount(facts.price, facts.token)
  setText(view.buttons.pay, delivered ? `Pay ${price} and get it again` : `Pay ${price}`)
  show(view.buttons.pay, known && step === 'pay')
  show(view.buttons.settle, step === 'settle')
  const opens = known && (step === 'open' || step === 'closed')
  const deposits = opens || step === 'top-up' || step === 'pay'
  show(view.deposit, known && deposits)
  setText(view.buttons.deposit, opens ? 'Open a channel' : 'Top up')
  view.buttons.deposit.className = step === 'pay' ? 'u-plain' : 'u-primary'
  setText(
    view.depositLabel,
    `${opens ? 'Deposit' : 'Add to the deposit'}, in ${facts.token.symbol}`,
  )
  if (situation !== undefined) {
    const suggested = suggestedDeposit(facts, situation.tokens)
    suggest(view, opens ? suggested : smallest(suggested, facts.price * 5n), facts.token)
    setText(view.depositNote, depositNote(facts, situation))
  }
  show(view.buttons.mint, situation?.canBuyTokens === true && lacksTokens(facts, situation))
  show(view.manage, screen.canClose)
  show(view.buttons.close, !screen.neverPaid)
  show(view.buttons['request-close'], true)
  show(view.buttons.forget, true)
  setText(view.manageNote, closeNote(screen, situation))
}

/** Not over what the person writes. */
function suggest({ amount }: View, deposit: TokenAmount, { decimals }: TokenUnit): void {
  if (amount.value !== '' || document.activeElement === amount) return
  amount.value = formatNumber(deposit, decimals)
}

function lacksTokens(facts: PurchaseFacts, { tokens }: Situation): boolean {
  return tokens < facts.price * 10n
}

function closeNote({ neverPaid }: Screen, situation: Situation | undefined): string {
  const period = situation?.challengePeriod ?? 0
  const time = blocks(period, situation?.blockTime)
  const alone = `Without the server it takes ${time} more, in which the server may object.`
  return neverPaid
    ? `Nothing was paid on this channel yet, so it is closed without the server. ${alone}`
    : `Together with the server, closing takes one transaction. ${alone}`
}
