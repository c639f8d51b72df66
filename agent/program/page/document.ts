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

export function agentDocument({ style, script }: PageAssets): string {
  return pageDocument({
    title: 'µRaiden agent',
    style: `/web/${style}`,
    script: `/web/${script}`,
    main,
  })
}

const main = `
<noscript><p>The page needs scripts. The same is in <code>uraiden-agent status</code> and <code>uraiden-agent history</code>.</p></noscript>
<div id="a-main" hidden>
<header>
<h1>µRaiden agent <span id="a-state" class="d-state"></span></h1>
<div id="a-actions" class="d-row"></div>
</header>
<p class="d-note"><span id="a-address" class="a-address"></span> <span id="a-live"></span></p>
<p id="a-message" class="d-message" role="status"></p>
<div id="a-waiting" class="d-alert" role="alert" hidden></div>
<dl id="a-tiles" class="d-tiles"></dl>
<section aria-labelledby="a-budgets-title"><h2 id="a-budgets-title">Budget left</h2><div id="a-budgets"></div></section>
<section aria-labelledby="a-jobs-title"><h2 id="a-jobs-title">Jobs</h2><div id="a-jobs"></div></section>
<section aria-labelledby="a-channels-title"><h2 id="a-channels-title">Channels</h2><div id="a-channels"></div></section>
<section id="a-behaviour-section" aria-labelledby="a-behaviour-title" hidden><h2 id="a-behaviour-title">Trouble with receivers</h2><div id="a-behaviour"></div></section>
<section aria-labelledby="a-purchases-title"><h2 id="a-purchases-title">Last purchases</h2><div id="a-purchases"></div></section>
<section aria-labelledby="a-troubles-title"><h2 id="a-troubles-title">Errors</h2><div id="a-troubles"></div></section>
</div>
`

/** For a checkout in which nobody has run `npm run web`. */
export const missingDocument = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>µRaiden agent</title>
<p>The page is not built. Run <code>npm run web</code> and restart the agent.</p>
</html>
`
