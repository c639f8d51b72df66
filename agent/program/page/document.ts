// The page without what it shows: that its script asks for.
import type { PageAssets } from '../../../platform/web/assets.ts'
import { pageDocument } from '../../../platform/web/document.ts'

/** Scripts and styles of this server alone, none inline, and no frame around it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
]

/** Of every answer. */
export const safeHeaders = {
  'content-security-policy': policy.join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
} as const

/** The chart has a script of its own, which the page loads once all else stands. */
type AgentPages = { readonly [Name in 'agent' | 'spending']: PageAssets }

/** Another one for every change of a script: by it an old page knows that it is one. */
export function buildOf({ agent, spending }: AgentPages): string {
  return `${agent.script} ${spending.script}`
}

export function agentDocument(pages: AgentPages): string {
  const { agent, spending } = pages
  return pageDocument({
    title: 'µRaiden agent',
    style: `/web/${agent.style}`,
    script: `/web/${agent.script}`,
    main: `
<noscript><p>The page needs scripts. The same is in <code>uraiden-agent status</code> and <code>uraiden-agent history</code>.</p></noscript>
<div id="a-main" data-build="${buildOf(pages)}" data-chart="/web/${spending.script}" data-chart-sheet="/web/${spending.style}" hidden>
${main.trim()}
</div>
`,
  })
}

const main = `
<header>
<h1>µRaiden agent <span id="a-state" class="d-state"></span></h1>
<div id="a-actions" class="d-row"></div>
</header>
<p id="a-health"></p>
<p class="d-note"><span id="a-address" class="a-address"></span> <span id="a-live"></span></p>
<p id="a-message" class="d-message" role="status"></p>
<div id="a-waiting" class="d-alert" role="alert" hidden></div>
<section id="a-troubles-section" aria-labelledby="a-troubles-title" hidden><h2 id="a-troubles-title">Errors</h2><div id="a-troubles"></div></section>
<section id="a-behaviour-section" aria-labelledby="a-behaviour-title" hidden><h2 id="a-behaviour-title">Trouble with receivers</h2><div id="a-behaviour"></div></section>
<section aria-labelledby="a-jobs-title"><h2 id="a-jobs-title">Jobs</h2><div id="a-jobs"></div></section>
<section aria-labelledby="a-budgets-title"><h2 id="a-budgets-title">Budget left</h2><div id="a-budgets"></div></section>
<section aria-labelledby="a-spending-title"><h2 id="a-spending-title">Spending</h2><div id="a-spending"></div></section>
<dl id="a-tiles" class="d-tiles"></dl>
<section aria-labelledby="a-channels-title"><h2 id="a-channels-title">Channels</h2><div id="a-channels"></div></section>
<section aria-labelledby="a-purchases-title"><h2 id="a-purchases-title">Last purchases</h2><div id="a-purchases"></div></section>
`

/** For a checkout in which nobody has run `npm run web`. */
export const missingDocument = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>µRaiden agent</title>
<p>The page is not built. Run <code>npm run web</code> and restart the agent.</p>
</html>
`
