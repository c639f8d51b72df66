// What a client that is no browser reads with a refusal, besides the headers: one line, a problem, or nothing.
import {
  formatAmount,
  problemDetails,
  type Refusal,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { RefusalBody } from './accept.ts'
import type { SoldGoods } from './page.ts'

export interface Said {
  readonly why: Refusal
  readonly price: TokenAmount
  readonly token: TokenUnit
  readonly sold: SoldGoods
  readonly seller: string | undefined
}

export function refusalBody(
  kind: Exclude<RefusalBody, 'html'>,
  said: Said,
): { readonly type: string; readonly body: string } {
  switch (kind) {
    case 'text':
      return { type: 'text/plain; charset=utf-8', body: `${lineOf(said)}\n` }
    case 'json':
      return { type: 'application/problem+json', body: JSON.stringify(problemOf(said)) }
    case 'none':
      return { type: 'application/json', body: '' }
  }
}

function lineOf({ why, price, token, sold: { title }, seller }: Said): string {
  if (why.code !== 'payment_required') return `${why.title}. ${why.detail}`
  const what = title === undefined ? '' : ` for “${title}”`
  const whose = seller === undefined ? '' : ` of ${seller}`
  return `Payment required: ${formatAmount(price, token)}${what}${whose}. Pay with an agent: uraiden-agent get, and this URL; or open it in a browser with a wallet.`
}

/** With extension members for what is sold (RFC 9457 section 3.2). */
function problemOf({ why, sold, seller }: Said): object {
  const { title, description } = sold
  const isSaid = title !== undefined || description !== undefined
  return {
    ...problemDetails(why),
    ...(isSaid && { resource: sold }),
    ...(seller !== undefined && { seller }),
  }
}
