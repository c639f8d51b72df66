// A bound request at a server of node:http: checked before anybody sees it, its answer signed.
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  boundRefusal,
  type FieldLines,
  fieldLines,
  type RequestMessage,
  removeSignature,
  type VerifiedRequest,
} from '../../protocol/bound/index.ts'
import { isPlainTarget, isUraidenError } from '../../protocol/index.ts'
import { type Door, type Entrance, type Exchange, isContentOf } from '../paywall/door.ts'
import type { Paid } from '../paywall/paywall.ts'
import type { RequestContent } from '../paywall/replies.ts'
import {
  type LongContent,
  paidWhenRight,
  type ReadContent,
  readContent,
  streamContent,
} from './bound-content.ts'
import { watchContent } from './content.ts'
import { notPlain, type Problem } from './problem.ts'
import { signResponse } from './signed-response.ts'
import { answerHalfClosed } from './waiting.ts'

const exchanges = new WeakMap<IncomingMessage, Exchange>()

/** Of requests whose content is still on its way. */
const longContents = new WeakMap<IncomingMessage, LongContent>()

/** Of a request that came in bound. */
export function exchangeOf(request: IncomingMessage): Exchange | undefined {
  return exchanges.get(request)
}

const contents = new WeakMap<IncomingMessage, RequestContent>()

/** Of an unbound request that has content and may be repeated. */
export function contentOf(request: IncomingMessage): RequestContent | undefined {
  return contents.get(request)
}

/**
 * What a request has paid, if it has: of one whose content is on its way only when that is right. What a bound
 * one costs in the end is in the receipt of its answer, too.
 */
export function paidOf(request: IncomingMessage, paid: Paid, { receipts }: Door): Paid {
  const content = longContents.get(request)
  const exchange = exchanges.get(request)
  const told: Paid =
    exchange === undefined
      ? paid
      : {
          ...paid,
          chargeOnly: (cost) => {
            const charge = paid.chargeOnly(cost)
            receipts.charging(
              exchange,
              charge.then(() => cost),
            )
            return charge
          },
        }
  return content === undefined ? told : paidWhenRight(request, content, told)
}

/** What a server has of one request. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query as they came; express changes the request's own. */
  readonly url: string
  /** Its content, when that has been read already. */
  readonly content?: Buffer
}

/**
 * Lets a request in. With a problem it must be answered so: of a request that cannot be checked nobody
 * knows who sent it, or what it said.
 */
export async function enter(door: Door, arrival: Arrival): Promise<Problem | undefined> {
  const { request } = arrival
  const { headers } = request
  answerHalfClosed(request.socket)
  // Most requests of old clients end here.
  if (!('signature' in headers || 'signature-input' in headers)) return asStranger(arrival)
  if (exchanges.has(request)) return
  try {
    const entrance = door.enter(messageOf(door, arrival))
    // Most are known at once: then the content is read before anything else can happen to the request.
    return await admit(door, arrival, entrance instanceof Promise ? await entrance : entrance)
  } catch (error) {
    const isAway = (['postgres_unavailable', 'state_restoring'] as const).some((code) =>
      isUraidenError(error, code),
    )
    if (isAway) return keysAway
    throw error
  }
}

/** Nobody can say whose it is, so nobody can sign an answer. */
const keysAway: Problem = {
  status: 503,
  code: 'postgres_unavailable',
  title: 'Try again later',
  detail: 'The database cannot be asked who has sent this request. Send the same one again.',
}

/** The same for what a door has decided. */
export async function admit(
  door: Door,
  { request, response, url, content: read }: Arrival,
  entrance: Entrance,
): Promise<Problem | undefined> {
  if (entrance.kind === 'unbound') return asStranger({ request, response })
  if (entrance.kind === 'refused') return problemOf(entrance.refusal)
  const { request: verified, keys } = entrance
  const exchange = { request: verified, keys }
  const { chunks, isLonger } = await takeContent(request, read)
  if (isLonger) {
    longContents.set(request, streamContent({ request, response }, chunks, verified.contentDigest))
  } else if (!isContentOf(verified, Buffer.concat(chunks))) {
    return problemOf(boundRefusal('request_altered', 'The content is not what its digest says.'))
  }
  drop(request, uncovered(verified))
  exchanges.set(request, exchange)
  signResponse(response, exchange, door)
  return problemOfTarget(url)
}

function asStranger({ request, response }: Pick<Arrival, 'request' | 'response'>): undefined {
  if (!hasContent(request) || contents.has(request)) return
  const content = watchContent(request, response)
  if (content !== undefined) contents.set(request, content)
}

/** By its framing (RFC 9112 section 6.3): nothing can come where this says no. */
function hasContent({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0
}

export function messageOf(
  { publicPath }: Pick<Door, 'publicPath'>,
  { request, url }: Pick<Arrival, 'request' | 'url'>,
): RequestMessage {
  const at = url.indexOf('?')
  const [path, query] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)]
  const { method = 'GET', rawHeaders } = request
  return { method, path: `${publicPath}${path}`, query, fields: fieldLines(rawHeaders) }
}

async function takeContent(
  request: IncomingMessage,
  read: Buffer | undefined,
): Promise<ReadContent> {
  if (read !== undefined) return { chunks: [read], isLonger: false }
  return hasContent(request) ? readContent(request) : { chunks: [], isLonger: false }
}

/**
 * What must not count. Accept-Encoding is no part of what is bought, but who adds it has the resource code its
 * answer, and a page that sees it decoded could not check it. Gateways code on their own.
 */
function uncovered({ drop: names, covered }: VerifiedRequest): readonly string[] {
  return covered('accept-encoding') === undefined ? [...names, 'accept-encoding'] : names
}

/** As if they had never been there, in each form in which node shows them. */
function drop(request: IncomingMessage, names: readonly string[]): void {
  const gone = new Set(names)
  const lines: FieldLines = fieldLines(request.rawHeaders).filter(
    ([name]) => !gone.has(name.toLowerCase()),
  )
  const rest = removeSignature(lines)
  for (const name of [...gone, 'signature', 'signature-input']) delete request.headers[name]
  for (const [name, value] of rest) {
    if (/^signature(-input)?$/i.test(name)) request.headers[name.toLowerCase()] = value
  }
  request.rawHeaders.splice(0, request.rawHeaders.length, ...rest.flat())
}

/**
 * What cannot be read in one way only. Doubled slashes count for one elsewhere; here the path that is signed
 * is the path that is served, to the byte.
 */
function problemOfTarget(url: string): Problem | undefined {
  if (!isPlainTarget(url)) return notPlain
  const [path = ''] = url.split('?', 1)
  return path.includes('//') ? doubledSlash : undefined
}

/** Without what is only for us. */
export function problemOf({ status, code, title, detail }: Problem): Problem {
  return { status, code, title, detail }
}

const doubledSlash: Problem = {
  ...notPlain,
  detail: 'The path of a bound request has no doubled slashes: write each once.',
}
