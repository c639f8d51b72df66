// JSON-RPC over one or several nodes: the next one is asked when one is away.

import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { type MonotonicClock, monotonic } from '../time/monotonic.ts'
import { readQuantity } from './answers.ts'
import { type ChainNode, isLacking, NoAnswer, type NodeError, openNode } from './node.ts'
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
  readonly now?: MonotonicClock | undefined
}

export interface Rpc {
  readonly chainId: bigint
  readonly request: Request
  readonly close: () => void
}

/** @throws UraidenError `chain_unavailable`, `wrong_chain`, `rpc_url_invalid`, `quorum_too_large` */
export async function connectRpc(options: RpcOptions): Promise<Rpc> {
  const { urls, chainId, timeout, quorum = 1, now = monotonic } = options
  if (quorum > urls.length) throw quorumTooLarge(quorum, urls.length)
  const nodes = await Promise.all(urls.map((url) => openNode(url, timeout)))
  let expected = chainId
  let closed = false

  const sameChain = ({ name, request }: ChainNode): ChainNode => {
    let checked = false
    return {
      name,
      request: async (method, params) => {
        if (!checked) {
          const found = readQuantity(await request('eth_chainId', []))
          expected ??= found
          if (found !== expected) throw wrongChain(name, found, expected)
          checked = true
        }
        return request(method, params)
      },
    }
  }

  const asked = nodes.map(sameChain)
  const anyOne = failover(asked, now)
  const agreed = quorumOf(
    asked.map((node) => node.request),
    quorum,
  )
  const request: Request = async (method, params) => {
    if (closed) throw connectionClosed(method)
    return quorum > 1 && needsQuorum(method) ? agreed(method, params) : anyOne(method, params)
  }

  const answered = readQuantity(await request('eth_chainId', []))
  return {
    chainId: expected ?? answered,
    request,
    close: () => {
      closed = true
    },
  }
}

/**
 * Asks the node that answered last, and the next one while one is away. A node that refuses us rests: the others
 * are asked meanwhile, and then it is the one to be asked again if it comes before them.
 */
export function failover(nodes: readonly ChainNode[], now: MonotonicClock): Request {
  /** Until when, by `now`. */
  const resting = new Map<number, number>()
  let preferred = 0

  function inOrder(): readonly number[] {
    for (const [index, until] of resting) {
      if (now() < until) continue
      resting.delete(index)
      preferred = Math.min(preferred, index)
    }
    const around = nodes.map((_, tried) => (preferred + tried) % nodes.length)
    return [
      ...around.filter((index) => !resting.has(index)),
      ...around.filter((index) => resting.has(index)),
    ]
  }

  return async (method, params) => {
    const errors: unknown[] = []
    for (const index of inOrder()) {
      try {
        const answer = await nodes[index]?.request(method, params)
        // What the others lack is no reason to leave them.
        if (!errors.some(isRefusal)) preferred = index
        return answer
      } catch (error) {
        // An answer is an answer, whichever node gives it.
        if (isRefusal(error) && !isLacking(error.cause as NodeError)) throw error
        const restFor = restOf(error)
        if (restFor !== undefined) resting.set(index, now() + restFor)
        errors.push(error)
      }
    }
    throw (
      errors.find(isRefusal) ?? (errors.length === 1 ? errors[0] : allAway(nodes, method, errors))
    )
  }
}

function isRefusal(error: unknown): error is UraidenError {
  return isUraidenError(error, 'rpc_error')
}

function restOf(error: unknown): number | undefined {
  if (!isUraidenError(error, 'chain_unavailable')) return undefined
  return error.cause instanceof NoAnswer ? error.cause.restFor : undefined
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
  nodes: readonly ChainNode[],
  method: string,
  errors: readonly unknown[],
): UraidenError {
  const wrong = errors.find((error) => isUraidenError(error, 'wrong_chain'))
  if (isUraidenError(wrong)) return wrong
  const reasons = errors.flatMap((error) =>
    isUraidenError(error) && error.cause instanceof NoAnswer ? [error.cause.message] : [],
  )
  const why = [...new Set(reasons)].join('; ')
  return platformError({
    code: 'chain_unavailable',
    message: `None of the Ethereum nodes ${nodes.map(({ name }) => name).join(', ')} answers ${method}${why === '' ? '' : `: ${why}`}.`,
    hint: 'Check that one of them runs and that the rpc addresses are right.',
    cause: new AggregateError(errors),
  })
}
