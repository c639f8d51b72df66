// What was bought, newest last, and what it came to.
import type { Address, TokenUnit } from '../../../protocol/index.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import { fitted, shortAmount, wholeAmount } from './columns.ts'

export function purchaseTable(
  bought: readonly PurchaseRecord[],
  token: TokenUnit,
  nameOf: (receiver: Address) => string,
): string {
  const rows = bought.map(({ time, method, url, status, cost, authentic, channel, job = '' }) => [
    new Date(time).toISOString().slice(5, 16).replace('T', ' '),
    `${status}`,
    shortAmount(cost, token),
    nameOf(channel.slice(0, channel.indexOf('/')) as Address),
    `${method === 'GET' ? '' : `${method} `}${pathOf(url)}`,
    job,
    authentic === undefined ? '' : authentic ? 'yes' : 'no',
  ])
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
  const sum = bought.reduce((all, { cost }) => all + cost, 0n)
  const since = new Date(bought[0]?.time ?? 0).toISOString().slice(0, 16).replace('T', ' ')
  const times = bought.length === 1 ? '1 purchase' : `${bought.length} purchases`
  return `${times} since ${since} UTC: ${wholeAmount(sum, token)}`
}
