// The figures at the top.
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import type { PageState } from '../state.ts'
import { amountIn, etherOf, leftInChannels, when } from './words.ts'

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
  return ({ token, holdings, channels, counters, started }, now) => {
    const amount = amountIn(token)
    const { tokens, ether, problem } = holdings
    const unknown = problem === null ? 'asking the chain…' : 'not known'
    const note = problem ?? ''
    say('tokens', tokens === null ? unknown : amount(tokens), note)
    say('ether', ether === null ? unknown : etherOf(ether), note)
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
