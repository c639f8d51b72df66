// What a browser shows in place of a resource that has to be paid for.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HeaderFields, Refusal } from '../../protocol/index.ts'
import { formatAmount, type TokenAmount, type TokenUnit } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'

/** As the configuration names it; empty when it says nothing. */
export interface SoldGoods {
  readonly title?: string
  readonly description?: string
}

export interface PageFacts {
  readonly sold: SoldGoods
  /** Who sells, if it is said. */
  readonly seller?: string | undefined
  readonly refusal: Refusal
  readonly price: TokenAmount
  readonly token: TokenUnit
  readonly chainId: bigint
  /** The same that the answer carries as headers and cookies. */
  readonly headers: HeaderFields
  /** Where on this server there is what may be seen before it is paid for. */
  readonly teaser?: string | undefined
}

export interface Page {
  readonly html: string
  /** What the page needs beside its type, such as its Content-Security-Policy. */
  readonly headers?: HeaderFields
}

export type PaywallPage = (facts: PageFacts) => Page

/** Nothing is loaded, run, framed or sent anywhere by a page that is only read. */
const readOnly = { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" }

/**
 * Terms as a table, without scripts.
 * @example
 * const receiver = await startReceiver({ ...options, page: plainPage })
 */
export const plainPage: PaywallPage = (facts) => {
  const { refusal, price, token, headers } = facts
  const rows = Object.entries(headers)
    .filter(([name]) => name.startsWith('RDN-'))
    .map(
      ([name, value]) =>
        `<tr><th>${escapeHtml(name)}</th><td><code>${escapeHtml(value)}</code></td></tr>`,
    )
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(refusal.title)}</title>
<h1>${escapeHtml(refusal.title)}</h1>
${soldParagraph(facts)}<p>This costs ${escapeHtml(formatAmount(price, token))}. ${escapeHtml(refusal.detail)}</p>
<table>
${rows.join('\n')}
</table>
</html>
`
  return { html, headers: readOnly }
}

function soldParagraph({ sold: { title, description }, seller }: PageFacts): string {
  const parts = [title, description, seller === undefined ? undefined : `Sold by ${seller}.`]
  const said = parts.filter((part) => part !== undefined)
  return said.length === 0 ? '' : `<p>${said.map(escapeHtml).join('<br>')}</p>\n`
}

/**
 * A page of the operator's own: `index.html` of a folder. It finds the terms in its cookies.
 * @throws UraidenError `paywall_page_missing`
 * @example
 * const receiver = await startReceiver({ ...options, page: await readPaywallPage('/srv/page') })
 */
export async function readPaywallPage(folder: string): Promise<PaywallPage> {
  const file = join(folder, 'index.html')
  try {
    const html = await readFile(file, 'utf8')
    return () => ({ html })
  } catch (cause) {
    throw receiverError({
      code: 'paywall_page_missing',
      message: `The paywall page ${file} cannot be read.`,
      cause,
    })
  }
}

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** For text and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '')
}
