// Looks at what happens to bound requests between agent and receiver: asks without paying, and where an answer is
// not proven, asks in other words until one is. What these differ in was altered on the way.
import type { Locks } from '../../platform/async/locks.ts'
import { parseReceiverKey } from '../../protocol/bound/index.ts'
import { type Address, isUraidenError, parseTerms, type Terms } from '../../protocol/index.ts'
import type { Bindings } from '../channels/binding.ts'
import type { Ledger } from '../channels/ledger-types.ts'
import { type BoundChannel, type BoundReply, sendBound } from '../transport/bound.ts'
import type { Transport } from '../transport/transport.ts'

export interface Probe {
  /** Undefined where nothing is asked for. */
  readonly receiver: Address | undefined
  /**
   * unaltered   requests and answers are the receiver's
   * altered     they are not: nothing can be bought bound
   * notAsked    there is nothing to ask with, or nothing that could be bound
   */
  readonly result: 'unaltered' | 'altered' | 'notAsked'
  /** A sentence each: what was altered, and what to do. */
  readonly findings: readonly string[]
}

export interface ProbeParts {
  readonly ledger: Pick<Ledger, 'payable'>
  readonly transport: Transport
  readonly bindings: Pick<Bindings, 'ensure'>
  readonly locks: Locks
}

/**
 * Signs no balance, and asks only what may be asked twice.
 * @throws UraidenError those of the transport
 */
export async function probe(parts: ProbeParts, url: URL): Promise<Probe> {
  const terms = await termsAt(parts, url)
  if (terms === undefined) {
    return notAsked(undefined, `${url.href} is free: nothing is bound there.`)
  }
  const { receiver, gatewayPath } = terms
  const api = new URL(gatewayPath, url)
  if (!(await offersAt(parts, api))) return withoutOffer(parts, url, terms)
  const channel = parts.ledger.payable(receiver)[0]
  if (channel === undefined) {
    const how = 'Buy there once, or open one: uraiden-agent open.'
    return notAsked(receiver, `There is no channel to ${receiver} yet to ask with. ${how}`)
  }
  try {
    const place = { receiver, url, api, policy: 'require' } as const
    const ready = await parts.locks.alone(receiver, () =>
      parts.bindings.ensure(channel.name, place),
    )
    if (ready.kind !== 'bound') return notAsked(receiver, `The channel ${channel.name} is gone.`)
    return { receiver, ...(await lookAtTraffic(parts, url, ready.channel)) }
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return altered(receiver, `Its channel cannot be bound. ${error.message}`)
  }
}

async function termsAt({ transport }: ProbeParts, url: URL): Promise<Terms | undefined> {
  const answer = await transport.send({ method: 'GET', url, headers: {} })
  answer.stream.destroy()
  return answer.status === 402 ? parseTerms(answer.header) : undefined
}

async function offersAt({ transport }: ProbeParts, api: URL): Promise<boolean> {
  const url = new URL(`${api.pathname}/request-key`, api)
  const answer = await transport.send({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
  })
  try {
    parseReceiverKey(new TextDecoder().decode(await answer.body()))
    return answer.status === 200
  } catch {
    return false
  }
}

/** A gateway that takes a part of the path away takes it from the channel API too. */
async function withoutOffer(parts: ProbeParts, url: URL, terms: Terms): Promise<Probe> {
  const { receiver, gatewayPath } = terms
  for (const prefix of prefixesOf(url)) {
    if (await offersAt(parts, new URL(`${prefix}${gatewayPath}`, url))) {
      return altered(receiver, pathText(prefix, `its channel API is at ${prefix}${gatewayPath}`))
    }
  }
  return notAsked(
    receiver,
    `It does not offer bound requests at ${gatewayPath}, or something between hides that.`,
  )
}

/** `/a/b/c`: `/a`, `/a/b`. */
function prefixesOf({ pathname }: URL): readonly string[] {
  const parts = pathname.split('/').slice(1, -1)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

type Traffic = Pick<Probe, 'result' | 'findings'>

/** What is asked for in other words. */
interface Variation {
  /** Path and query that are signed in place of those that are sent. */
  readonly signedAs?: URL
  readonly headers?: { readonly accept: string }
  /** What it means that this one is proven. */
  readonly means: string
}

async function lookAtTraffic(
  { transport }: ProbeParts,
  url: URL,
  channel: BoundChannel,
): Promise<Traffic> {
  const ask = ({ signedAs, headers = { accept: 'application/json' } }: Partial<Variation>) =>
    sendBound(transport, { method: 'GET', url, headers, ...(signedAs && { signedAs }) }, channel)
  const reply = await ask({})
  if (reply.kind === 'authentic') return lookAtAnswer(reply)
  if (reply.code === undefined) return { result: 'altered', findings: [answerText(reply)] }
  for (const { means, ...variation } of variationsOf(url)) {
    if ((await ask(variation)).kind === 'authentic') return { result: 'altered', findings: [means] }
  }
  const told =
    reply.code === 'request_altered'
      ? 'The receiver says that our request was altered: method, path, query, Accept or an RDN field is not what we sent. Compare its log with what the gateway is told to do.'
      : `The receiver cannot check our request (${reply.code}).`
  return { result: 'altered', findings: [told] }
}

function variationsOf(url: URL): readonly Variation[] {
  const { pathname, search } = url
  const as = (path: string, query = search): URL => {
    const signedAs = new URL(url)
    signedAs.pathname = path
    signedAs.search = query
    return signedAs
  }
  const withoutPrefix = prefixesOf(url).map((prefix) => ({
    signedAs: as(pathname.slice(prefix.length)),
    means: pathText(prefix, `${pathname} arrives as ${pathname.slice(prefix.length)}`),
  }))
  const query = {
    signedAs: as(pathname, ''),
    means: `The query ${search} is taken away: let the gateway pass it on as it is.`,
  }
  const slashes = pathname.replace(/\/{2,}/g, '/')
  const path = {
    signedAs: as(slashes),
    means: `The path ${pathname} arrives as ${slashes}: tell the gateway not to merge slashes.`,
  }
  const accept = {
    headers: { accept: '*/*' },
    means: 'The field Accept is altered: let the gateway pass it on as it is.',
  }
  return [
    ...withoutPrefix,
    ...(search === '' ? [] : [query]),
    ...(slashes === pathname ? [] : [path]),
    accept,
  ]
}

async function lookAtAnswer(reply: BoundReply & { readonly kind: 'authentic' }): Promise<Traffic> {
  const { answer, added } = reply
  try {
    await answer.body()
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return { result: 'altered', findings: [`The body of the answer is altered. ${error.message}`] }
  }
  const findings = added.map((name) => `Something between adds the field ${name}: it is left out.`)
  return { result: 'unaltered', findings }
}

function answerText({ status, error }: BoundReply & { readonly kind: 'unproven' }): string {
  return `The answer is altered, or is not the receiver’s (status ${status}): its signature is missing, or does not fit status and fields. ${error.message}`
}

function pathText(prefix: string, seen: string): string {
  return `A gateway takes ${prefix} away from the path (${seen}): set publicPath: ${prefix} in receiver.yaml.`
}

function altered(receiver: Address, finding: string): Probe {
  return { receiver, result: 'altered', findings: [finding] }
}

function notAsked(receiver: Address | undefined, finding: string): Probe {
  return { receiver, result: 'notAsked', findings: [finding] }
}
