// What was bought, newest last, and what it came to.
import type { Address, TokenUnit } from '../../../protocol/index.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import { fitted, shortAmount, wholeAmount } from './columns.ts'

export function purchaseTable(
  bought: readonly PurchaseRecord[],
  token: TokenUnit,
  nameOf: (receiver: Address) => string,
): string {
  const rows = bought.map(
    ({ time, method, url, status, cost, unit = token, authentic, channel, job = '' }) => [
      new Date(time).toISOString().slice(5, 16).replace('T', ' '),
      `${status}`,
      shortAmount(cost, unit),
      nameOf(channel.slice(0, channel.indexOf('/')) as Address),
      `${method === 'GET' ? '' : `${method} `}${pathOf(url)}`,
      job,
      authentic === undefined ? '' : authentic ? 'yes' : 'no',
    ],
  )
  return [
    fitted({
      head: ['UTC', 'IS', 'PAID', 'TO', 'WHAT', 'JOB', 'AUTHENTIC'],
      flexible: [3, 5, 4],
      rows,
    }),
    totalText(bought, token),
  ].join('\n')
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}

function totalText(bought: readonly PurchaseRecord[], token: TokenUnit): string {
  const sums = new Map([[token.symbol, { unit: token, sum: 0n }]])
  for (const { cost, unit = token } of bought) {
    const { sum } = sums.get(unit.symbol) ?? { sum: 0n }
    sums.set(unit.symbol, { unit, sum: sum + cost })
  }
  const [ofToken, ...ofAssets] = [...sums.values()]
  const shown = bought.every(({ unit }) => unit !== undefined) ? ofAssets : [ofToken, ...ofAssets]
  const since = new Date(bought[0]?.time ?? 0).toISOString().slice(0, 16).replace('T', ' ')
  const times = bought.length === 1 ? '1 purchase' : `${bought.length} purchases`
  return `${times} since ${since} UTC: ${shown.flatMap((each) => (each ? wholeAmount(each.sum, each.unit) : [])).join(', ')}`
}
