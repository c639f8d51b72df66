// JSON-RPC over one or several nodes: the next one is asked when one is away.

import type { JsonRpcProvider } from 'ethers'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { printedUrl, withoutPartsOf } from '../text/printed.ts'
import { readQuantity } from './answers.ts'
import { needsQuorum, quorumOf } from './quorum.ts'
import type { Request } from './request.ts'

/** Told how long the nodes took for an answer; `outcome` is `ok` or the error's code. */
export type RequestObserver = (method: string, seconds: number, outcome: string) => void

export function observed(request: Request, onRequest: RequestObserver): Request {
  return async (method, params) => {
    const begun = performance.now()
    const tell = (outcome: string) => onRequest(method, (performance.now() - begun) / 1000, outcome)
    try {
      const answer = await request(method, params)
      tell('ok')
      return answer
    } catch (error) {
      tell(isUraidenError(error) ? error.code : 'unknown')
      throw error
    }
  }
}

export interface RpcOptions {
  /** In the order of preference. */
  readonly urls: readonly string[]
  /** Refuse nodes of another chain; by default the first that answers decides. */
  readonly chainId?: bigint | undefined
  /** Longest wait for one answer of one node, in milliseconds. */
  readonly timeout: number
  /** How many nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number | undefined
}

export interface Rpc {
  readonly chainId: bigint
  readonly request: Request
  readonly close: () => void
}

/** The JSON-RPC error object: the node answered, and said no. */
export interface NodeError {
  readonly message: string
  readonly code?: number
  readonly data?: unknown
}

interface Endpoint {
  readonly url: string
  /** Without path and user, which may hold an access key. */
  readonly name: string
  readonly provider: JsonRpcProvider
  checked: boolean
}

/** @throws UraidenError `chain_unavailable`, `wrong_chain`, `rpc_url_invalid`, `quorum_too_large` */
export async function connectRpc(options: RpcOptions): Promise<Rpc> {
  const { urls, chainId, timeout, quorum = 1 } = options
  if (quorum > urls.length) throw quorumTooLarge(quorum, urls.length)
  const endpoints = await Promise.all(urls.map((url) => endpoint(url, timeout)))
  let expected = chainId
  let closed = false

  async function check(node: Endpoint): Promise<void> {
    const found = readQuantity(await ask(node, 'eth_chainId', []))
    expected ??= found
    if (found !== expected) throw wrongChain(node.name, found, expected)
    node.checked = true
  }

  const nodes = endpoints.map(
    (node): Request =>
      async (method, params) => {
        if (!node.checked) await check(node)
        return ask(node, method, params)
      },
  )
  const names = endpoints.map(({ name }) => name)
  const anyOne = failover(nodes, names)
  const agreed = quorumOf(nodes, quorum)
  const request: Request = async (method, params) => {
    if (closed) throw connectionClosed(method)
    return quorum > 1 && needsQuorum(method) ? agreed(method, params) : anyOne(method, params)
  }

  const close = () => {
    closed = true
    for (const { provider } of endpoints) provider.destroy()
  }
  try {
    const answered = readQuantity(await request('eth_chainId', []))
    return { chainId: expected ?? answered, request, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Asks the node that answered last, and the next one while one is away. */
function failover(nodes: readonly Request[], names: readonly string[]): Request {
  let preferred = 0
  return async (method, params) => {
    const errors: unknown[] = []
    for (let tried = 0; tried < nodes.length; tried++) {
      const index = (preferred + tried) % nodes.length
      try {
        const answer = await nodes[index]?.(method, params)
        preferred = index
        return answer
      } catch (error) {
        // An answer is an answer, whichever node gives it.
        if (isUraidenError(error, 'rpc_error')) throw error
        errors.push(error)
      }
    }
    throw errors.length === 1 ? errors[0] : allAway(names, method, errors)
  }
}

async function endpoint(url: string, timeout: number): Promise<Endpoint> {
  const { FetchRequest, JsonRpcProvider, Network } = await import('ethers')
  const parsed = parseUrl(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw platformError({
      code: 'rpc_url_invalid',
      message: 'The rpc address is not an http:// or https:// URL.',
    })
  }
  const requests = new FetchRequest(url)
  requests.timeout = timeout
  // A node that is away is tried again by those who know how urgent it is, not here.
  requests.setThrottleParams({ maxAttempts: 1 })
  // ethers wants to know a chain; which one it is we ask ourselves.
  const anyNetwork = Network.from(1)
  const provider = new JsonRpcProvider(requests, anyNetwork, {
    staticNetwork: anyNetwork,
    batchMaxCount: 1,
    cacheTimeout: -1,
  })
  return { url, name: printedUrl(parsed), provider, checked: false }
}

function parseUrl(url: string): URL | null {
  try {
    return new URL(url)
  } catch {
    return null
  }
}

async function ask(
  { provider, url, name }: Endpoint,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  try {
    return await provider.send(method, [...params])
  } catch (error) {
    const answered = nodeError(error, url)
    if (answered !== undefined) {
      throw platformError({
        code: 'rpc_error',
        message: `The node refused ${method}: ${answered.message}`,
        cause: answered,
      })
    }
    throw platformError({
      code: 'chain_unavailable',
      message: `The Ethereum node at ${name} does not answer ${method}.`,
      hint: 'Check that it runs and that the rpc address is right.',
      // Not the library's own error: it repeats the whole URL.
      cause: new Error(withoutPartsOf(url, reasonOf(error))),
    })
  }
}

/** What ethers calls it, and in short. */
function reasonOf(error: unknown): string {
  const { code, shortMessage, message } = error as {
    readonly code?: unknown
    readonly shortMessage?: unknown
    readonly message?: unknown
  }
  return [code, shortMessage ?? message].filter((each) => typeof each === 'string').join(': ')
}

/** A node may repeat the access key that it was asked with. */
function nodeError(error: unknown, url: string): NodeError | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { error: direct, info } = error as {
    readonly error?: unknown
    readonly info?: { readonly error?: unknown }
  }
  const inner = direct ?? info?.error
  if (typeof inner !== 'object' || inner === null) return undefined
  const { message } = inner as { readonly message?: unknown }
  if (typeof message !== 'string') return undefined
  return { ...(inner as NodeError), message: withoutPartsOf(url, message) }
}

function quorumTooLarge(quorum: number, nodes: number): UraidenError {
  return platformError({
    code: 'quorum_too_large',
    message: `A quorum of ${quorum} is asked for, but rpc names ${nodes === 1 ? 'one node' : `${nodes} nodes`}.`,
  })
}

/** Whoever waits for the chain must not wait for this. */
function connectionClosed(method: string): UraidenError {
  return platformError({
    code: 'chain_closed',
    message: `The connection to the chain was closed before ${method}.`,
  })
}

function wrongChain(name: string, found: bigint, expected: bigint): UraidenError {
  return platformError({
    code: 'wrong_chain',
    message: `The node at ${name} is on chain ${found}, not ${expected}.`,
  })
}

function allAway(
  names: readonly string[],
  method: string,
  errors: readonly unknown[],
): UraidenError {
  const wrong = errors.find((error) => isUraidenError(error, 'wrong_chain'))
  if (isUraidenError(wrong)) return wrong
  return platformError({
    code: 'chain_unavailable',
    message: `None of the Ethereum nodes ${names.join(', ')} answers ${method}.`,
    hint: 'Check that one of them runs and that the rpc addresses are right.',
    cause: new AggregateError(errors),
  })
}
