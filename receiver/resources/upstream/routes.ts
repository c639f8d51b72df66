// A reverse proxy: requests that have paid go to an upstream server, bodies stream both ways.
import { METHODS } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Agent, type Dispatcher } from 'undici'
import type { Price } from '../../http/fastify.ts'
import { nothingCharged, type Problem, sendProblem } from '../../http/problem.ts'
import { sandboxed } from '../../http/sandbox.ts'
import type { UpstreamResource } from '../configuration/schema.ts'
import { keepToBuyer, requestHeaders, responseHeaders } from './headers.ts'
import { followed, locationOf, type Place, targetOf } from './target.ts'
import type { TeaserMaker } from './teaser-maker.ts'
import { teaserRoot, teaserRoutes } from './teaser-routes.ts'

export interface UpstreamOptions
  extends Pick<
    UpstreamResource,
    'upstream' | 'timeout' | 'teaser' | 'sandbox' | 'sharedCaches' | 'redirects'
  > {
  readonly price: Price
  /** For all resources of a receiver. */
  readonly maker: TeaserMaker
  readonly log: FastifyBaseLogger
  /** Milliseconds that only grow; the process's own by default. */
  readonly now?: () => number
}

/** All that node reads, WebDAV's among them; a tunnel and an echo of the payment are nothing to sell. */
const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE')

/** In a scope of its own: it replaces the parsers of bodies, which go through as they come. */
export async function upstreamRoutes(
  app: FastifyInstance,
  path: string,
  options: UpstreamOptions,
): Promise<void> {
  const { timeout, price, upstream, teaser, maker, log } = options
  const { now = () => performance.now() } = options
  const dispatcher = new Agent({
    connect: { timeout },
    headersTimeout: timeout,
    bodyTimeout: timeout,
  })
  app.addHook('onClose', () => dispatcher.destroy())
  if (teaser !== undefined) {
    await teaserRoutes(app, path, { ...teaser, upstream, dispatcher, maker, log })
  }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  const { supportedMethods, publicPath } = app
  for (const method of methods) {
    if (!supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
  app.route({
    url: path,
    method: [...methods],
    config: { price, ...(teaser && { teaser: (url) => `${publicPath}${teaserRoot}${url}` }) },
    // Before the payment: a connection that is given away cannot be charged for.
    onRequest: async ({ headers }, reply) => {
      if (headers.upgrade === undefined) return
      return sendProblem(reply, {
        status: 501,
        code: 'upgrade_refused',
        title: 'Not implemented',
        detail: 'WebSockets and other upgrades are not sold here: ask with plain HTTP.',
      })
    },
    handler: (request, reply) =>
      pass({ ...options, path, publicPath, dispatcher, now }, request, reply),
  })
}

/** The server behind a resource. */
interface Upstream
  extends Place,
    Pick<UpstreamResource, 'upstream' | 'sandbox' | 'sharedCaches' | 'redirects'> {
  readonly dispatcher: Dispatcher
  readonly log: FastifyBaseLogger
  readonly now: () => number
}

async function pass(
  server: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { path, upstream, sandbox, sharedCaches, log, now } = server
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  let answer: Dispatcher.ResponseData
  try {
    answer = await ask(server, request, gone.signal)
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string }
    if (!gone.signal.aborted) log.warn({ resource: path, upstream, code }, message)
    return sendProblem(reply, code?.endsWith('_TIMEOUT') ? tooLate : unreachable)
  }
  if (answer.statusCode === 402) {
    await answer.body.dump()
    log.warn({ resource: path, upstream }, 'the upstream server wants to be paid itself')
    return sendProblem(reply, unreachable)
  }
  const headers = responseHeaders(answer.headers)
  if (typeof headers.location === 'string') {
    headers.location = locationOf(upstream, server, headers.location)
  }
  if (isElsewhere(request.method, answer.statusCode)) reply.cost(0n)
  if (request.admission?.kind === 'paid' && !sharedCaches) keepToBuyer(headers)
  const policyName = 'content-security-policy'
  const policies = sandbox ? sandboxed(headers['content-type'], headers[policyName]) : undefined
  if (policies !== undefined) headers[policyName] = policies
  creditWhenBroken(answer.body, { request, reply, now })
  return reply.code(answer.statusCode).headers(headers).send(answer.body)
}

/** Redirections in a row; the next one goes to the client. */
const mostRedirects = 5

/** Asks the upstream, and goes where it leads if it may. */
async function ask(
  { path, upstream, redirects, dispatcher }: Upstream,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const hasContent = hasBody(request)
  const common = {
    method: request.method as Dispatcher.HttpMethod,
    headers: requestHeaders(request.headers, {
      client: request.ip,
      host: request.host,
      protocol: request.protocol,
    }),
    signal,
  }
  let target = targetOf(upstream, path, request.url)
  let answer = await dispatcher.request({
    ...{ ...common, ...target },
    body: hasContent ? request.raw : null,
  })
  const mayFollow = redirects === 'follow' && reads.has(request.method) && !hasContent
  for (let count = 0; mayFollow && count < mostRedirects; count++) {
    const { location } = answer.headers
    if (!isRedirection(answer.statusCode) || typeof location !== 'string') break
    const next = followed(upstream, path, { from: target, location })
    if (next === undefined) break
    await answer.body.dump()
    target = next
    answer = await dispatcher.request({ ...common, ...target, body: null })
  }
  return answer
}

/** Methods that only read (RFC 9110 section 9.2.1). */
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD'])

function isRedirection(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

/**
 * Nothing was got: it is elsewhere, or it is what the client has. After 301 to 303 to another method the
 * upstream may have done what was asked.
 */
function isElsewhere(method: string, status: number): boolean {
  const isRead = reads.has(method)
  return isRead ? status === 304 || isRedirection(status) : status === 307 || status === 308
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * An answer that breaks off in its middle cannot say any more that it costs nothing, but it does: the
 * same proof pays for the next try. Only when it is the upstream that fails: a client that leaves has
 * got what it took, and one that did not read may have made the upstream give up.
 */
function creditWhenBroken(
  body: Readable,
  { request, reply, now }: Pick<Upstream, 'now'> & Passing,
): void {
  const {
    admission,
    server: { log },
  } = request
  if (admission?.kind !== 'paid') return
  const longestStall = watchStalls(body, now)
  body.once('error', (err) => {
    if (reply.raw.destroyed) return
    const stalled = longestStall()
    if (stalled >= patience) {
      log.info({ err, stalled }, 'the client did not read, and the upstream server broke off')
      return
    }
    log.warn({ err }, 'the upstream server broke off; the payment is given back')
    request.server.gaveBack?.(request)
    admission.chargeOnly(0n).catch((failed) => {
      log.error({ err: failed }, 'the payment could not be given back')
    })
  })
}

interface Passing {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/**
 * Milliseconds. Who takes something at least that often takes tens of kilobytes a second, so that no
 * upstream with a usual time limit for its writes gives up.
 */
const patience = 2000

/**
 * How long the answer had to wait for its reader at most, in milliseconds: a source is paused while
 * what it flows into is full.
 */
function watchStalls(source: Readable, now: () => number): () => number {
  let since: number | undefined
  let longest = 0
  const stalled = () => Math.max(longest, since === undefined ? 0 : now() - since)
  source.on('pause', () => {
    since = now()
  })
  source.on('resume', () => {
    longest = stalled()
    since = undefined
  })
  return stalled
}

const unreachable: Problem = {
  status: 502,
  code: 'upstream_failed',
  title: 'The resource is not reachable',
  detail: nothingCharged,
}

const tooLate: Problem = {
  status: 504,
  code: 'resource_timeout',
  title: 'The resource took too long',
  detail: nothingCharged,
}
