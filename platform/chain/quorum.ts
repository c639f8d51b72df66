// What money depends on counts only when several nodes say the same (configuration `quorum`).

import { isUraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import type { Request } from './request.ts'

type Fields = { readonly [name: string]: unknown }

/** What of an answer is compared: nodes add fields of their own, and write hex in either case. */
const compared: { readonly [method: string]: (answer: unknown) => unknown } = {
  eth_getLogs: (logs) => (logs as readonly Fields[]).map(logFields),
  eth_getBlockByNumber: blockFields,
  eth_getBlockByHash: blockFields,
  eth_getTransactionReceipt: (receipt) =>
    receipt === null
      ? null
      : {
          ...fieldsOf(receipt, [
            ...['transactionHash', 'blockNumber', 'blockHash', 'status'],
            'l1BlockNumber',
          ]),
          logs: (receipt as { readonly logs: readonly Fields[] }).logs.map(logFields),
        },
  eth_call: same,
  eth_getCode: same,
  eth_getBalance: same,
}

/** The answer that `quorum` of the nodes give, whatever the order in which they do. */
export function quorumOf(nodes: readonly Request[], quorum: number): Request {
  return async (method, params) => {
    const outcomes = await Promise.all(nodes.map((node) => outcomeOf(node, method, params)))
    const isHead = method === 'eth_getBlockByNumber' && params[0] === 'latest'
    const agreed = isHead ? commonHead(outcomes, quorum) : mostAgreed(method, outcomes, quorum)
    if (agreed === undefined) throw disagreement(method, outcomes, quorum)
    if ('error' in agreed) throw agreed.error
    return agreed.answer
  }
}

/** Whether a method's answers are compared; the others are asked of one node. */
export function needsQuorum(method: string): boolean {
  return Object.hasOwn(compared, method)
}

type Outcome = { readonly answer: unknown } | { readonly error: unknown }

async function outcomeOf(
  node: Request,
  method: string,
  params: readonly unknown[],
): Promise<Outcome> {
  try {
    return { answer: await node(method, params) }
  } catch (error) {
    return { error }
  }
}

/** The highest block that so many of the nodes have reached: not all of them are as fast. */
function commonHead(outcomes: readonly Outcome[], quorum: number): Outcome | undefined {
  const heads = outcomes.flatMap((outcome) =>
    'answer' in outcome && outcome.answer !== null ? [outcome] : [],
  )
  const height = ({ answer }: { readonly answer: unknown }) =>
    Number((answer as { readonly number: string }).number)
  return heads.sort((a, b) => height(b) - height(a))[quorum - 1]
}

function mostAgreed(
  method: string,
  outcomes: readonly Outcome[],
  quorum: number,
): Outcome | undefined {
  const groups = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    const key = keyOf(method, outcome)
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), outcome])
  }
  return [...groups.values()].find((group) => group.length >= quorum)?.[0]
}

/** Undefined for a node that is away. Refusals are alike, each node has words of its own for them. */
function keyOf(method: string, outcome: Outcome): string | undefined {
  if ('answer' in outcome) {
    return JSON.stringify(compared[method]?.(outcome.answer)).toLowerCase()
  }
  return isUraidenError(outcome.error, 'rpc_error') ? 'refused' : undefined
}

/** A range that one node finds too large is asked for again in pieces. */
function disagreement(method: string, outcomes: readonly Outcome[], quorum: number): unknown {
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
  const refusal = errors.find((error) => isUraidenError(error, 'rpc_error'))
  if (method === 'eth_getLogs' && refusal !== undefined) return refusal
  const wrong = errors.find((error) => isUraidenError(error, 'wrong_chain'))
  if (wrong !== undefined) return wrong
  const answers = outcomes.length - errors.length
  const cause = errors.length > 0 ? { cause: new AggregateError(errors) } : {}
  if (answers < quorum) {
    return platformError({
      code: 'chain_unavailable',
      message: `Of ${outcomes.length} Ethereum nodes ${answers} answered ${method}; ${quorum} have to.`,
      hint: 'Check that they run and that the rpc addresses are right.',
      ...cause,
    })
  }
  return platformError({
    code: 'nodes_disagree',
    message: `Of ${outcomes.length} Ethereum nodes ${answers} answered ${method}, and no ${quorum} of them the same.`,
    ...cause,
  })
}

function blockFields(block: unknown): unknown {
  return pick(block, ['number', 'hash', 'parentHash', 'timestamp', 'l1BlockNumber'])
}

function logFields(log: Fields): unknown {
  return pick(log, [
    'address',
    'topics',
    'data',
    'blockNumber',
    'blockHash',
    'transactionHash',
    'logIndex',
  ])
}

function pick(from: unknown, names: readonly string[]): object | null {
  return from === null ? null : fieldsOf(from, names)
}

function fieldsOf(from: unknown, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, (from as Fields)[name]]))
}

function same(answer: unknown): unknown {
  return answer
}
