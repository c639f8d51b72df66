// One node, asked by JSON-RPC over HTTP: what its answers mean, whatever HTTP status they come with.

import type { FetchRequest, FetchResponse } from 'ethers'
import type { UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { plainLine } from '../text/plain-text.ts'
import { printedUrl, withoutPartsOf } from '../text/printed.ts'
import type { Request } from './request.ts'

/** The JSON-RPC error object: the node answered, and said no. */
export interface NodeError {
  readonly message: string
  readonly code?: number
  readonly data?: unknown
}

/** Why a node gave no answer that can be used: the cause of `chain_unavailable`. */
export class NoAnswer extends Error {
  /** It refuses the one who asks: milliseconds until it may be asked again. */
  readonly restFor: number | undefined

  constructor(reason: string, restFor?: number) {
    super(reason)
    this.restFor = restFor
  }
}

export interface ChainNode {
  /** Without path and user, which may hold an access key. */
  readonly name: string
  readonly request: Request
}

/** `timeout` in milliseconds. @throws UraidenError `rpc_url_invalid` */
export async function openNode(url: string, timeout: number): Promise<ChainNode> {
  const { FetchRequest } = await import('ethers')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw platformError({
      code: 'rpc_url_invalid',
      message: 'The rpc address is not an http:// or https:// URL.',
    })
  }
  const requests = new FetchRequest(url)
  requests.timeout = timeout
  // A node that is away or says no is asked again by those who know how urgent it is, not here.
  requests.retryFunc = async () => false
  requests.setThrottleParams({ maxAttempts: 1 })
  // A redirection, such as to a login page, is no answer: it is not followed without the question.
  const getUrl = FetchRequest.createGetUrlFunc()
  requests.getUrlFunc = async (...what) => {
    const answer = await getUrl(...what)
    const { location: _, ...headers } = answer.headers
    return { ...answer, headers }
  }
  requests.setHeader('content-type', 'application/json')
  const node = { url, name: printedUrl(url), requests }
  let last = 0
  return { name: node.name, request: (method, params) => ask(node, { id: ++last, method, params }) }
}

interface Question {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}

interface Endpoint {
  readonly url: string
  readonly name: string
  readonly requests: FetchRequest
}

/** @throws UraidenError `chain_unavailable`, `rpc_error` */
async function ask({ url, name, requests }: Endpoint, question: Question): Promise<unknown> {
  const { method } = question
  const request = requests.clone()
  request.body = JSON.stringify({ jsonrpc: '2.0', ...question })
  const silent = (reason: NoAnswer) => unavailable(name, method, reason)
  const response = await request.send().catch((error) => {
    throw silent(new NoAnswer(cleaned(url, reasonOf(error))))
  })
  const answer = readAnswer(response, question)
  if (answer !== undefined && 'result' in answer) return answer.result
  const said = answer && { ...answer.error, message: cleaned(url, answer.error.message) }
  const restFor = restAfter(response, method, said)
  if (restFor !== undefined) {
    throw silent(new NoAnswer(`it refuses us: ${said?.message ?? sent(url, response)}`, restFor))
  }
  if (said === undefined) throw silent(new NoAnswer(`it sent ${sent(url, response)}`))
  throw platformError({
    code: 'rpc_error',
    message: `The node refused ${method}: ${said.message}`,
    cause: said,
  })
}

function unavailable(name: string, method: string, cause: NoAnswer): UraidenError {
  return platformError({
    code: 'chain_unavailable',
    message: `The Ethereum node at ${name} does not answer ${method}: ${cause.message}.`,
    hint:
      cause.restFor === undefined
        ? 'Check that it runs and that the rpc address is right.'
        : 'Wait, or name a second node in rpc: it is asked while the first one refuses.',
    // Not the library's own error: it repeats the whole URL.
    cause,
  })
}

/** What ethers or Node calls it, and in short. */
function reasonOf(error: unknown): string {
  const { code, shortMessage, message } = error as {
    readonly code?: unknown
    readonly shortMessage?: unknown
    readonly message?: unknown
  }
  const words = [shortMessage ?? message].filter((each) => typeof each === 'string')
  const [said = ''] = words
  return typeof code !== 'string' || said.includes(code) ? said : `${code} ${said}`.trim()
}

type Answer = { readonly result: unknown } | { readonly error: NodeError }

/** Undefined for what is no answer to this question. A result has to come with HTTP status 2xx. */
function readAnswer(response: FetchResponse, { id }: Question): Answer | undefined {
  const body = readJson(response)
  if (typeof body !== 'object' || body === null) return undefined
  const { error, id: answered } = body as { readonly error?: unknown; readonly id?: unknown }
  // A node that could not read the question does not know its number.
  if (isNodeError(error))
    return [id, null, undefined].includes(answered as number) ? { error } : undefined
  const isOk = response.statusCode >= 200 && response.statusCode < 300
  if (!isOk || answered !== id || (error ?? undefined) !== undefined) return undefined
  return { result: (body as { readonly result?: unknown }).result }
}

function isNodeError(error: unknown): error is NodeError {
  if (typeof error !== 'object' || error === null) return false
  return typeof (error as { readonly message?: unknown }).message === 'string'
}

function readJson({ body }: FetchResponse): unknown {
  try {
    const read = JSON.parse(textOf(body))
    return Array.isArray(read) && read.length === 1 ? read[0] : read
  } catch {
    return undefined
  }
}

function textOf(body: Uint8Array | null): string {
  return new TextDecoder().decode(body ?? new Uint8Array())
}

/** What came in place of an answer: `HTTP status 502, text/html: “502 Bad Gateway”`. */
function sent(url: string, { statusCode, headers, body }: FetchResponse): string {
  const type = cleaned(url, headers['content-type'] ?? '').slice(0, 60)
  const words = cleaned(url, textOf(body?.slice(0, 2000) ?? null)).trim()
  const what = [`HTTP status ${statusCode}`, ...(type === '' ? [] : [type])].join(', ')
  return words === '' ? `${what} and nothing more` : `${what}: “${plainLine(words, 120)}”`
}

/** A node may repeat the access key that it was asked with, and what a terminal obeys. */
function cleaned(url: string, text: string): string {
  return plainLine(withoutPartsOf(url, text))
}

/** Milliseconds for which a node that refuses us is left alone, unless it says how long. */
const usualRest = 60_000
const longestRest = 3_600_000

/**
 * Of a refusal that is about who asks (how often, with which key, on which plan) and not about what is
 * asked: in how many milliseconds it may be asked again. Undefined for any other.
 */
function restAfter(
  { statusCode, headers }: FetchResponse,
  method: string,
  said: NodeError | undefined,
): number | undefined {
  if (!isAboutUs(statusCode, method, said)) return undefined
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, longestRest) : usualRest
}

const refusesCaller: ReadonlySet<number> = new Set([401, 402, 403])
const tooManyRequests = 429
/** EIP-1474: a limit is exceeded. Of eth_getLogs also that of the range. */
const limitExceeded = -32005
const aboutCaller =
  /rate.?limit|too many requests|quota|(daily|monthly|requests?|credits?|compute units?)\b.*\b(exceed|limit|count|reached)|per second|throughput|api.?key|project id|unauthori[sz]ed|forbidden|not allowed to access/i
/** What is read again in smaller pieces. */
const aboutRange = /\brange\b|\bresults?\b|\bblocks?\b|response size|\blogs\b/i

function isAboutUs(status: number, method: string, said: NodeError | undefined): boolean {
  if (status === tooManyRequests) return true
  if (said === undefined) return refusesCaller.has(status)
  const { code, message } = said
  if (method === 'eth_getLogs' && aboutRange.test(message)) return false
  if (refusesCaller.has(status) || aboutCaller.test(message)) return !isRevert(said)
  return code === limitExceeded && method !== 'eth_getLogs'
}

/** A contract's own words: of the call, not of the node. -32015 is Parity's and Nethermind's. */
export function isRevert({ code, message, data }: NodeError): boolean {
  return (
    code === 3 ||
    code === -32015 ||
    /revert|invalid opcode|bad (jump|instruction)/i.test(message) ||
    revertData(data) !== undefined
  )
}

/** Nodes differ in how deep they put the revert's data. */
export function revertData(data: unknown): string | undefined {
  const nested = typeof data === 'object' && data !== null ? (data as NodeError).data : data
  return typeof nested === 'string' && /^0x[0-9a-f]*$/i.test(nested) ? nested : undefined
}

/**
 * What this node does not have and another one may: a method (JSON-RPC 2.0 section 5.1, EIP-1474), or what
 * it has pruned, not indexed yet, or not heard of.
 */
export function isLacking({ code, message }: NodeError): boolean {
  return code === -32601 || code === -32004 || lacking.test(message)
}

const lacking =
  /method .*(not (found|available|supported|whitelisted)|does not exist)|unsupported method|pruned|missing trie node|is not available|indexing|header not found|unknown block/i
