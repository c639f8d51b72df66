// The dashboard's page, and what it and the paywall's page load.
import type { FastifyInstance } from 'fastify'
import { assetBody, assetHeaders } from '../../platform/web/assets.ts'
import { pageDocument } from '../../platform/web/document.ts'
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

const dashboardHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy.join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** There is nothing in it to hide: what it shows it asks for with a login. */
const dashboardMain = `
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
<section aria-labelledby="d-income-title"><h2 id="d-income-title">Income and requests</h2><div id="d-figures"></div></section>
<section aria-labelledby="d-channels-title"><h2 id="d-channels-title">Channels</h2><div id="d-channels"></div></section>
<section aria-labelledby="d-prices-title"><h2 id="d-prices-title">Prices</h2><div id="d-prices"></div></section>
</div>
`

/** Where somebody may log in. */
export function dashboardRoute(app: FastifyInstance, assets: WebAssets, gateway: string): void {
  const { style, script } = assets.pages.dashboard
  const html = pageDocument({
    title: 'µRaiden receiver',
    style: `${gateway}/web/${style}`,
    script: `${gateway}/web/${script}`,
    main: dashboardMain,
  })
  app.get('/admin', async (_, reply) => reply.headers(dashboardHeaders).send(html))
}

/** An asset's name changes with its content, so it may be kept for ever. */
export function webRoutes(app: FastifyInstance, assets: WebAssets | undefined): void {
  app.get<{ Params: { readonly name: string } }>('/web/:name', async (request, reply) => {
    const asset = assets?.files.get(request.params.name)
    if (asset === undefined) {
      return reply.code(404).send({ code: 'not_found', title: 'There is no such file.' })
    }
    const { body, coding } = assetBody(asset, request.headers['accept-encoding'])
    reply.headers({ ...assetHeaders, 'content-type': asset.type })
    if (coding !== undefined) reply.header('content-encoding', coding)
    return reply.send(body)
  })
}
