// Shows what was bought, without leaving the page where that is possible.
import type { PaidAnswer } from '../../../../browser/index.ts'
import { h, show } from '../../../../platform/web/pages/dom.ts'
import type { Address } from '../../../../protocol/index.ts'
import { forgetBought, rememberBought } from './bought.ts'
import { setPaymentCookies } from './cookies.ts'
import { type Delivery, fileName, type Goods, goodsOf } from './goods.ts'

/** Resolves with true when the browser itself goes on to show it. */
export async function showGoods(
  place: HTMLElement,
  { response, payment, authentic }: PaidAnswer,
  { sender, canReload }: Pick<Delivery, 'canReload'> & { readonly sender: Address },
): Promise<boolean> {
  const type = response.headers.get('content-type') ?? ''
  const disposition = response.headers.get('content-disposition') ?? ''
  const body = await response.blob()
  const goods = goodsOf({ type, disposition, bytes: body.size, canReload })
  if (authentic) rememberBought(sender, payment, { reloads: goods === 'reload' })
  else forgetBought(sender)
  if (goods === 'reload') {
    // A bound answer has brought a ticket.
    if (!authentic) setPaymentCookies(sender, payment)
    location.reload()
    return true
  }
  const name = fileName(disposition, location.pathname)
  place.replaceChildren(
    h('h2', { tabindex: '-1' }, 'What you bought'),
    ...(await elementsFor(goods, body, name)),
  )
  show(place, true)
  place.querySelector('h2')?.focus()
  return false
}

async function elementsFor(
  goods: Goods,
  body: Blob,
  name: string,
): Promise<readonly HTMLElement[]> {
  const url = URL.createObjectURL(body)
  const link = h('a', { href: url, download: name, class: 'u-link' }, `Save as ${name}`)
  switch (goods) {
    case 'text':
      return [h('pre', { tabindex: '0' }, tidy(await body.text())), link]
    case 'document':
      // Nothing in it runs: it would run as this page.
      return [h('iframe', { src: url, title: name, sandbox: '', class: 'u-document' }), link]
    case 'image':
      return [h('img', { src: url, alt: name }), link]
    case 'audio':
    case 'video':
      return [h(goods, { src: url, controls: true }), link]
    default:
      return [h('p', {}, `${name}, ${size(body.size)}`), link]
  }
}

/** JSON on one line is laid out. */
function tidy(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

function size(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.ceil(bytes / 1000)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`
}
