// What browsers see of an upstream's page before they pay, under an address of its own: the paywall
// page shows it in a frame, which keeps its styles and the paywall's apart. Nobody pays for it, so what it
// may take of receiver and upstream is bounded (docs/design/threats.md).

import rateLimit from '@fastify/rate-limit'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import { request as ask, type Dispatcher } from 'undici'
import { createTurns } from '../../../platform/async/turns.ts'
import { attemptStore } from '../../../platform/http/attempts.ts'
import { readAtMost } from '../../../platform/http/read-at-most.ts'
import { shorten } from '../../../protocol/index.ts'
import { escapeHtml } from '../../paywall/page.ts'
import { pathOf, queryOf } from '../configuration/path.ts'
import type { TeaserConfig } from '../configuration/teaser.ts'
import { targetOf, type UpstreamTarget } from './target.ts'
import { createTeaserCache } from './teaser-cache.ts'
import type { TeaserParts } from './teaser-document.ts'
import type { TeaserMaker } from './teaser-maker.ts'

export interface TeaserOptions extends TeaserConfig {
  readonly upstream: string
  readonly dispatcher: Dispatcher
  readonly maker: TeaserMaker
  readonly log: FastifyBaseLogger
}

/** Below the receiver's own paths; the resource's path follows. */
export const teaserRoot = '/api/1/teaser'

/**
 * An opaque origin without scripts, whatever is in the document: it could read nothing of the
 * receiver's pages and send nothing. Links leave the frame, but only when a person clicks.
 */
const policy = [
  'sandbox allow-top-navigation-by-user-activation',
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'self'",
]

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy.join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** Bytes; of a larger page there is no teaser. */
const mostHtml = 256 << 10

/** Characters; a longer teaser is no teaser. */
const longest = 256 << 10

/** Milliseconds for the upstream's whole page. */
const longestRead = 10_000

/** Teasers that are made for one address (one network of 64 bits of IPv6) in a minute. */
const mostMade = 30

/** Addresses that are counted; the ones not seen for longest are forgotten. */
const mostAddresses = 5000

/** Milliseconds. */
const minute = 60_000

const blank = '<!doctype html><html lang="en"><title>Preview</title></html>'

/** @throws UraidenError `selector_invalid` */
export async function teaserRoutes(
  app: FastifyInstance,
  path: string,
  options: TeaserOptions,
): Promise<void> {
  await options.maker.check(options.show ?? [])
  const cached = createTeaserCache({
    make: teaserOf(path, options),
    lifetime: options.cache,
    retry: 10_000,
    most: 64,
    mostLength: 2 << 20,
    mostMaking: 8,
    now: () => performance.now(),
  })
  const isTooOften = await rateOf(app)
  app.get(`${teaserRoot}${path}`, async (request, reply) => {
    const url = request.url.slice(request.url.indexOf(teaserRoot) + teaserRoot.length)
    const target = teaserTarget({ ...options, path, url })
    const teaser = await cached(target.href, async () => {
      const seconds = await isTooOften(request)
      if (seconds !== undefined) reply.code(429).header('retry-after', `${seconds}`)
      return seconds === undefined
    })
    const html = teaser === undefined ? blank : completed(teaser, `${app.publicPath}${pathOf(url)}`)
    return reply.headers(headers).send(html)
  })
}

/** Seconds to wait for whoever has asked for too many. */
async function rateOf(
  app: FastifyInstance,
): Promise<(request: FastifyRequest) => Promise<number | undefined>> {
  await app.register(rateLimit, {
    ...{ global: false, max: mostMade, timeWindow: minute, store: attemptStore(mostAddresses) },
  })
  const count = app.createRateLimit()
  return async (request) => {
    const found = await count(request)
    return 'isExceeded' in found && found.isExceeded ? found.ttlInSeconds : undefined
  }
}

/** Of the upstream's page at an address; one page after the other is read. */
function teaserOf(path: string, { show, dispatcher, maker, log }: TeaserOptions) {
  const turns = createTurns()
  let toldUntil = Number.NEGATIVE_INFINITY
  /** Strangers decide how often there is something to tell: a line a minute. */
  const tell = (facts: object, message: string) => {
    if (performance.now() < toldUntil) return
    toldUntil = performance.now() + minute
    log.warn({ resource: path, ...facts }, message)
  }
  return async (href: string): Promise<TeaserParts | undefined> => {
    const url = shorten(href, 200)
    try {
      const html = await turns.take(() => readPage(new URL(href), dispatcher))
      const teaser = html === undefined ? undefined : await maker.make({ html, show })
      if (teaser === undefined || teaser.afterBase.length <= longest) return teaser
      tell({ url, longest }, 'a teaser is too long and not shown')
    } catch (err) {
      tell({ err, url }, 'the upstream has no teaser now')
    }
    return undefined
  }
}

function completed({ beforeBase, afterBase }: TeaserParts, base: string): string {
  return `${beforeBase}<base href="${escapeHtml(base)}" target="_top">${afterBase}`
}

interface TeaserTarget extends Pick<TeaserConfig, 'from' | 'query'> {
  readonly upstream: string
  /** Of the resource. */
  readonly path: string
  /** As it was asked for. */
  readonly url: string
}

/**
 * The page itself, or where the configuration says. Of a query only what the configuration names goes
 * along: every other one would be the same page again, for nothing.
 */
export function teaserTarget({ upstream, from, query, path, url }: TeaserTarget): URL {
  if (from === undefined) {
    return urlOf(targetOf(upstream, path, pathOf(url) + keptQuery(queryOf(url), query)))
  }
  const at = new URL(from.replace(/\*$/, ''), new URL(upstream).origin)
  if (!from.endsWith('*')) return at
  // As a base it takes the place of the resource's own path; a query is the paid page's.
  return urlOf(targetOf(at.href, path, pathOf(url)))
}

/** Each once, in the configuration's order: the same page has one name. */
function keptQuery(query: string, names: readonly string[]): string {
  const asked = query.slice(1).split('&')
  const kept = names.flatMap((name) => {
    const pair = asked.find((each) => new URLSearchParams(each).has(name))
    if (pair === undefined) return []
    const [, value = ''] = /=(.*)/s.exec(pair) ?? []
    return [`${encodeURIComponent(name)}=${value}`]
  })
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}

function urlOf({ origin, path }: UpstreamTarget): URL {
  return new URL(origin + path)
}

/**
 * A page of the upstream as anybody would see it: nothing of the visitor goes along. Undefined when
 * it is no HTML page that can be had: another status, another type, too large.
 * @throws what undici throws when the upstream cannot be reached or is too slow
 */
async function readPage(url: URL, dispatcher: Dispatcher): Promise<string | undefined> {
  const { statusCode, headers, body } = await ask(url, {
    dispatcher,
    headers: { accept: 'text/html' },
    signal: AbortSignal.timeout(longestRead),
  })
  const type = `${headers['content-type'] ?? ''}`
  const coded = headers['content-encoding'] !== undefined
  if (statusCode !== 200 || coded || !/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    await body.dump()
    return undefined
  }
  const html = await readAtMost(body, mostHtml)
  return html && decode(html, /charset="?([\w-]+)/i.exec(type)?.[1])
}

function decode(bytes: Uint8Array, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
