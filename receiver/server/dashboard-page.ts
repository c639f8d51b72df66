// The dashboard's page. There is nothing in it to hide: what it shows it asks for with a login.
import type { WebAssets } from '../web/assets.ts'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

export const dashboardHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy.join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

export function dashboardPage({ pages: { dashboard } }: WebAssets, gateway: string): string {
  return `<!doctype html>
<html lang="en" class="u-theme">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>µRaiden receiver</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${gateway}/web/${dashboard.style}">
<script type="module" src="${gateway}/web/${dashboard.script}"></script>
</head>
<body>
<main>
<noscript><p>The dashboard needs scripts. The same is in the API, and in the command <code>uraiden-receiver</code>.</p></noscript>
<form id="d-login" hidden>
<h1>µRaiden receiver</h1>
<label>User <input name="user" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button class="d-primary">Log in</button>
<p id="d-login-problem" class="d-bad" role="alert"></p>
</form>
<div id="d-main" hidden>
<header>
<h1>µRaiden receiver</h1>
<div id="d-actions" class="d-row"></div>
</header>
<p class="d-note"><span id="d-chain"></span> <span id="d-live"></span></p>
<p id="d-message" class="d-message" role="status"></p>
<dl id="d-tiles" class="d-tiles"></dl>
<section id="d-disputes" aria-label="Disputes" hidden></section>
<section aria-labelledby="d-income-title"><h2 id="d-income-title">Income, last 30 days</h2><div id="d-chart"></div></section>
<section aria-labelledby="d-channels-title"><h2 id="d-channels-title">Channels</h2><div id="d-channels"></div></section>
<section aria-labelledby="d-prices-title"><h2 id="d-prices-title">Prices</h2><div id="d-prices"></div></section>
</div>
</main>
</body>
</html>
`
}
