// The page that a browser gets with a 402: the price at once, and a script that leads to paying it.
import {
  type Feature,
  formatAmount,
  type HeaderFields,
  headerName,
  problemDetails,
} from '../../protocol/index.ts'
import type { WebAssets } from '../web/assets.ts'
import { escapeHtml, type PageFacts, type PaywallPage } from './page.ts'

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
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
}

export function paywallPage(assets: WebAssets): PaywallPage {
  return (facts) => {
    const framed = `frame-src ${facts.teaser === undefined ? '' : "'self' "}blob:`
    return {
      headers: { ...headers, 'content-security-policy': [...policy, framed].join('; ') },
      html: documentOf(assets, facts),
    }
  }
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
${teaserOf(facts)}${sectionOf(facts)}
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

/**
 * The page that is sold, as far as it may be seen, behind the paywall: in a frame without scripts, of
 * an origin of its own, so that neither's styles reach the other.
 */
function teaserOf({ teaser }: PageFacts): string {
  if (teaser === undefined) return ''
  return `<iframe class="u-teaser" title="Preview of this page" sandbox="allow-top-navigation-by-user-activation" src="${escapeHtml(teaser)}"></iframe>
`
}

/** What the script takes over; without it, what there is to know. */
function sectionOf(facts: PageFacts): string {
  const { refusal, teaser } = facts
  const over = teaser === undefined ? '' : ' u-over'
  return `<main id="uraiden" class="uraiden u-theme${over}" data-facts="${escapeHtml(factsFor(facts))}">
<div class="u-card">
${soldOf(facts)}<p class="u-what">You pay from a channel: one deposit, then a signature for each purchase. What you do not spend comes back.</p>
<div id="uraiden-without">
<p>${escapeHtml(`${refusal.title}. ${refusal.detail}`)}</p>
<p>To pay here, use a browser with an Ethereum wallet and allow scripts; or pay with a µRaiden agent: <code>uraiden-agent get</code>, and the address of this page.</p>
</div>
<div id="uraiden-app"></div>
</div>
</main>`
}

/** What it is, what it costs, and whose it is. */
function soldOf(facts: PageFacts): string {
  const { sold, seller, price, token } = facts
  const { title, description } = sold
  const cost = `<p class="u-price">${escapeHtml(formatAmount(price, token))}</p>`
  return [
    `<h1 id="uraiden-title">${escapeHtml(title ?? titleOf(facts))}</h1>`,
    ...(title === undefined ? [] : [cost]),
    ...(description === undefined ? [] : [`<p>${escapeHtml(description)}</p>`]),
    `<p class="u-note">Sold by ${sellerOf(seller, facts.headers[headerName.receiver] ?? '')}</p>`,
    '',
  ].join('\n')
}

/** Anybody may call himself anything: the account that is paid stands beside the name. */
function sellerOf(name: string | undefined, account: string): string {
  const code = `<code>${escapeHtml(account)}</code>`
  return name === undefined ? code : `<strong>${escapeHtml(name)}</strong>, ${code}`
}

function titleOf({ sold: { title }, price, token }: PageFacts): string {
  const cost = formatAmount(price, token)
  return title === undefined ? `This costs ${cost}` : `${title}: ${cost}`
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
    idempotency: offers(terms, 'idempotency'),
    relay: offers(terms, 'relay'),
  })
}

function offers(terms: HeaderFields, feature: Feature): boolean {
  return terms[headerName.features]?.split(', ').includes(feature) === true
}
