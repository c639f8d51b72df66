// The dashboard's parts, made once.

import { h, setText, show } from '../../../../platform/web/pages/dom.ts'
import { formatAmount, formatNumber } from '../../../../protocol/amount.ts'
import { formatDuration } from '../../../../protocol/duration.ts'
import type { Price, Stats } from './api.ts'
import { cardTable, cell, head, numberCell, numberHead, row } from './cells.ts'
import { disputeText, tokenOf } from './texts.ts'

const tileNames = [
  ['uncollected', 'To collect'],
  ['today', 'Income today (UTC)'],
  ['open', 'Open channels'],
  ['pending', 'Channels closing'],
  ['senders', 'Buyers'],
  ['deposits', 'Deposits'],
  ['liquid', 'Tokens in the account'],
  ['ether', 'Ether for transactions'],
] as const

type Tile = (typeof tileNames)[number][0]

export type Tiles = { readonly [Name in Tile]: HTMLElement }

export function createTiles(place: HTMLElement): Tiles {
  const made = tileNames.map(([name, title]) => {
    const value = h('dd', {}, '…')
    place.append(h('div', { class: 'd-tile' }, h('dt', {}, title), value))
    return [name, value] as const
  })
  return Object.fromEntries(made) as unknown as Tiles
}

export function showTiles(tiles: Tiles, stats: Stats, today: bigint | undefined): void {
  const token = tokenOf(stats)
  const amount = (text: string) => formatAmount(BigInt(text), token)
  const { open = 0, agreed = 0, closing = 0 } = stats.channels
  setText(tiles.uncollected, amount(stats.uncollected_sum))
  if (today !== undefined) setText(tiles.today, formatAmount(today, token))
  setText(tiles.open, `${open}`)
  setText(tiles.pending, `${agreed + closing}`)
  setText(tiles.senders, `${stats.unique_senders}`)
  setText(tiles.deposits, amount(stats.deposit_sum))
  setText(tiles.liquid, amount(stats.liquid_balance))
  setText(
    tiles.ether,
    stats.ether_balance === null ? 'not known yet' : etherOf(stats.ether_balance),
  )
}

/** Four digits after the point say enough. */
export function etherOf(wei: string): string {
  const [whole = '0', fraction = ''] = formatNumber(BigInt(wei), 18).split('.')
  const short = fraction.slice(0, 6).replace(/0+$/, '')
  return `${whole}${short === '' ? '' : `.${short}`} ETH`
}

/** One sentence on the chain, and whether it is a good one. */
export function chainState(stats: Stats): { readonly text: string; readonly well: boolean } {
  const { chain_head: head, chain_age_seconds: age, node_answers: answers } = stats
  if (head === null) return { text: 'Not in touch with the Ethereum network yet.', well: false }
  if (answers) return { text: `In touch with the Ethereum network (block ${head}).`, well: true }
  const since = age === null ? '' : ` for ${formatDuration(age)}`
  return {
    text: `Out of touch with the Ethereum network${since}: deposits and closes are not seen meanwhile.`,
    well: false,
  }
}

export function showDisputes(place: HTMLElement, stats: Stats): void {
  const token = tokenOf(stats)
  show(place, stats.dishonest_closes.length > 0)
  place.replaceChildren(
    h('h2', {}, 'Disputes'),
    h(
      'p',
      {},
      `Buyers ask to close below what they have signed. At risk if nobody answers: ${formatAmount(BigInt(stats.at_risk_sum), token)}.`,
    ),
    h('ul', {}, ...stats.dishonest_closes.map((close) => h('li', {}, disputeText(close, stats)))),
  )
}

export function showPrices(place: HTMLElement, prices: readonly Price[]): void {
  const rows = prices.map(({ path, methods, price }) =>
    row(
      cell('Path', h('code', {}, path)),
      cell('Methods', methods.length === 0 ? 'all' : methods.join(', ')),
      numberCell('Price', price),
    ),
  )
  const heads = [head('Path'), head('Methods'), numberHead('Price')]
  place.replaceChildren(
    rows.length === 0 ? h('p', {}, 'Nothing is sold.') : cardTable(heads, h('tbody', {}, ...rows)),
  )
}
