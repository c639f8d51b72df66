// The page that a browser gets with a 402: the price at once, and a script that leads to paying it.
import { formatAmount, headerName, problemDetails } from '../../protocol/index.ts'
import { escapeHtml, type PageFacts, type PaywallPage } from '../paywall/page.ts'
import type { WebAssets } from './assets.ts'

/**
 * Scripts and styles from this server only, none inline; no frame around it, so that nobody is led to
 * click what he does not see. `blob:` is what was bought, `data:` a wallet's icon.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  'media-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

const headers = {
  'content-security-policy': policy.join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
}

export function paywallPage(assets: WebAssets): PaywallPage {
  return (facts) => ({ headers, html: documentOf(assets, facts) })
}

function documentOf(assets: WebAssets, facts: PageFacts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(titleOf(facts))}</title>
${linksOf(assets, facts)}
</head>
<body class="u-body">
${sectionOf(facts, 'main')}
</body>
</html>
`
}

/** Style and script of the page, for a document's head. */
function linksOf({ pages: { paywall } }: WebAssets, { headers: terms }: PageFacts): string {
  const web = `${terms[headerName.gatewayPath] ?? ''}/web`
  return `<link rel="icon" href="data:,">
<link rel="stylesheet" href="${escapeHtml(`${web}/${paywall.style}`)}">
<script type="module" src="${escapeHtml(`${web}/${paywall.script}`)}"></script>`
}

/** What the script takes over; without it, what there is to know. */
function sectionOf(facts: PageFacts, place: 'main' | 'dialog'): string {
  const { refusal } = facts
  const over = place === 'dialog'
  const role = over ? ' role="dialog" aria-modal="true" aria-labelledby="uraiden-title"' : ''
  const tag = over ? 'div' : 'main'
  return `<${tag} id="uraiden" class="uraiden u-theme${over ? ' u-over' : ''}"${role} data-facts="${escapeHtml(factsFor(facts))}">
<div class="u-card">
<h1 id="uraiden-title">${escapeHtml(titleOf(facts))}</h1>
<p class="u-what">You pay from a channel: one deposit, then a signature for each purchase. What you do not spend comes back.</p>
<div id="uraiden-without">
<p>${escapeHtml(`${refusal.title}. ${refusal.detail}`)}</p>
<p>To pay here, use a browser with an Ethereum wallet and allow scripts; or pay with a µRaiden agent.</p>
</div>
<div id="uraiden-app"></div>
</div>
</${tag}>`
}

function titleOf({ price, token }: PageFacts): string {
  return `This costs ${formatAmount(price, token)}`
}

function factsFor({ refusal, price, token, chainId, headers: terms }: PageFacts): string {
  return JSON.stringify({
    price: `${price}`,
    symbol: token.symbol,
    decimals: token.decimals,
    receiver: terms[headerName.receiver],
    contract: terms[headerName.contract],
    api: terms[headerName.gatewayPath],
    chainId: `${chainId}`,
    code: problemDetails(refusal).code,
    idempotency: terms[headerName.features]?.includes('idempotency') === true,
  })
}
