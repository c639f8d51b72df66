// What browsers see of an upstream's page before they pay, under an address of its own: the paywall
// page shows it in a frame, which keeps its styles and the paywall's apart.
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { request as ask, type Dispatcher } from 'undici'
import { pathOf } from '../configuration/path.ts'
import type { TeaserConfig } from '../configuration/teaser.ts'
import { targetOf } from './target.ts'
import { createTeaserCache } from './teaser-cache.ts'

export interface TeaserOptions extends TeaserConfig {
  readonly upstream: string
  readonly dispatcher: Dispatcher
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
const mostHtml = 1 << 20

/** Characters; a longer teaser is no teaser. */
const longest = 256 * 1024

const blank = '<!doctype html><html lang="en"><title>Preview</title></html>'

/** @throws UraidenError `selector_invalid` */
export async function teaserRoutes(
  app: FastifyInstance,
  path: string,
  { upstream, from, show, cache, dispatcher, log }: TeaserOptions,
): Promise<void> {
  // 60 ms and some megabytes, for receivers that show any.
  const { checkSelectors, teaserDocument } = await import('./teaser-document.ts')
  checkSelectors(show ?? [])
  const cached = createTeaserCache({
    make: async (url) => {
      try {
        const target = teaserTarget({ upstream, from, path, url })
        const html = await readPage(target, dispatcher)
        const teaser = html && teaserDocument({ html, show, base: pathOf(url) })
        if (teaser === undefined || teaser.length <= longest) return teaser || undefined
        log.warn({ resource: path, url, longest }, 'a teaser is too long and not shown')
      } catch (err) {
        log.warn({ err, resource: path, url }, 'the upstream has no teaser now')
      }
      return undefined
    },
    lifetime: cache,
    retry: 10_000,
    most: 64,
    mostMaking: 8,
    now: () => performance.now(),
  })
  app.get(`${teaserRoot}${path}`, async ({ url }, reply) => {
    const teaser = await cached(url.slice(url.indexOf(teaserRoot) + teaserRoot.length))
    return reply.headers(headers).send(teaser ?? blank)
  })
}

interface TeaserTarget {
  readonly upstream: string
  readonly from: string | undefined
  /** Of the resource. */
  readonly path: string
  /** As it was asked for. */
  readonly url: string
}

/** The page itself, or where the configuration says. */
export function teaserTarget({ upstream, from, path, url }: TeaserTarget): URL {
  if (from === undefined) return targetOf(upstream, path, url)
  const at = new URL(from.replace(/\*$/, ''), new URL(upstream).origin)
  if (!from.endsWith('*')) return at
  // As a base it takes the place of the resource's own path; a query is the paid page's.
  return targetOf(at.href, path, pathOf(url))
}

/**
 * A page of the upstream as anybody would see it: nothing of the visitor goes along. Undefined when
 * it is no HTML page that can be had: another
 * status, another type, too large.
 * @throws what undici throws when the upstream cannot be reached or is too slow
 */
async function readPage(url: URL, dispatcher: Dispatcher): Promise<string | undefined> {
  const { statusCode, headers, body } = await ask(url, {
    dispatcher,
    headers: { accept: 'text/html' },
  })
  const type = `${headers['content-type'] ?? ''}`
  const coded = headers['content-encoding'] !== undefined
  if (statusCode !== 200 || coded || !/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    await body.dump()
    return undefined
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop ends the body.
    if (size > mostHtml) return undefined
    chunks.push(chunk)
  }
  return decode(Buffer.concat(chunks), /charset="?([\w-]+)/i.exec(type)?.[1])
}

function decode(bytes: Uint8Array, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
