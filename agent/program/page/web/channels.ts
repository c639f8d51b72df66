// Channels, and closing one of them.
import { actionButton } from '../../../../platform/web/pages/button.ts'
import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { createList, type Entry } from '../../../../platform/web/pages/list.ts'
import { shortAddress } from '../../../../platform/web/pages/short.ts'
import type { PageChannel } from '../state.ts'
import { leftOf, type RenderContext } from './text.ts'

export function createChannels(
  place: HTMLElement,
  close: (channel: PageChannel) => Promise<void>,
): (channels: readonly PageChannel[], context: RenderContext) => void {
  let latest: RenderContext | undefined
  const list = createList<PageChannel>(place, {
    holder: h('ul', { class: 'a-cards' }),
    keyOf: ({ name }) => name,
    make: (channel) => cardOf(channel, close, () => latest),
    empty: 'No channel is open. The first purchase from a receiver opens one.',
  })
  return (channels, context) => {
    latest = context
    list(channels)
  }
}

export function receiverText({ receiver, receiverName }: PageChannel): string {
  return receiverName ?? shortAddress(receiver)
}

function cardOf(
  channel: PageChannel,
  close: (channel: PageChannel) => Promise<void>,
  latest: () => RenderContext | undefined,
): Entry<PageChannel> {
  let shown = channel
  const state = h('span', { class: 'd-state' })
  const [left, deposit, note] = [h('dd'), h('dd'), h('p', { class: 'd-note' })]
  const name = receiverText(channel)
  const button = actionButton('Close', () => close(shown), {
    'aria-label': `Close the channel to ${name} opened in block ${channel.openBlock}`,
  })
  const buttons = h('div', { class: 'd-row' }, button.element)
  const element = h(
    'li',
    { class: 'a-card' },
    h('h3', { title: channel.receiver }, `${name} `, state),
    ...(channel.receiverName === null
      ? [h('p', { class: 'd-note a-address' }, channel.receiver)]
      : []),
    h('dl', { class: 'a-facts' }, ...[h('dt', {}, 'Left'), left, h('dt', {}, 'Deposit'), deposit]),
    note,
    buttons,
  )
  return {
    element,
    show: (now) => {
      shown = now
      const context = latest()
      if (context === undefined) return
      const { amount, mayAct } = context
      const rest = leftOf({ cap: now.deposit, spent: now.spent }).amount
      setText(state, now.state)
      state.className = `d-state d-${now.state}`
      setText(left, `${now.certain ? '' : 'at least '}${amount(`${rest}`)}`)
      setText(deposit, `${amount(now.deposit)}, opened in block ${now.openBlock}`)
      setText(note, noteOf(now))
      show(note, noteOf(now) !== '')
      show(buttons, mayAct && now.state === 'open')
    },
  }
}

function noteOf({ state, closeAsked, settles, certain }: PageChannel): string {
  if (state === 'closing') {
    return `The rest comes back ${settles ?? 'after the challenge period'}: the agent settles by itself.`
  }
  if (closeAsked) return 'Its close is not finished: the agent goes on with it.'
  return certain ? '' : 'After a crash: what is left is known exactly after the next payment.'
}
