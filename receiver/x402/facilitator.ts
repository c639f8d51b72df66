// Has payments settled by somebody else, over HTTP. What he says is believed where the chain says the same; where it
// is configured otherwise, his word is all there is.
import type { ChainClient } from '../../platform/chain/index.ts'
import { readAtMost } from '../../platform/http/read-at-most.ts'
import { plainLine } from '../../platform/text/plain-text.ts'
import { type Hex, isHex } from '../../protocol/index.ts'
import {
  type JsonObject,
  mostBody,
  readObject,
  type Settlement,
  settlementOf,
} from '../../protocol/x402/index.ts'
import { receiverError } from '../errors/index.ts'
import type { ExactPayment } from './check.ts'
import { fateBy, fateOf } from './proof.ts'
import { type Outcome, type Sending, type Settler, unable } from './settler.ts'
import type { Asset } from './token.ts'

export interface FacilitatorOptions {
  /** Without a slash at its end. */
  readonly url: string
  /** `chain`: what he says is looked up. `facilitator`: he is believed. */
  readonly trust: 'chain' | 'facilitator'
  /** Longest wait for one answer, in milliseconds. */
  readonly timeout: number
}

export interface FacilitatorSettlerOptions extends FacilitatorOptions {
  readonly chain: Pick<ChainClient, 'request' | 'head'>
  readonly asset: Asset
  /** Depth of the block, itself included, where the chain is asked. */
  readonly confirmations: number
  /** Between two looks at the chain, in milliseconds. */
  readonly pollInterval: number
  /** Longest look at the chain for one payment, in milliseconds. */
  readonly patience: number
  /** Nobody waits any more. */
  readonly gone: AbortSignal
  /** He said what the chain does not. */
  readonly onLie: (facts: object) => void
}

export function createFacilitatorSettler(options: FacilitatorSettlerOptions): Settler {
  return {
    settle: (payment, sending) => settle(options, payment, sending),
    resume: (payment, sending) => resume(options, payment, sending),
  }
}

async function settle(
  options: FacilitatorSettlerOptions,
  payment: ExactPayment,
  sending: Sending,
): Promise<Outcome> {
  let verified: JsonObject
  try {
    verified = await ask(options, 'verify', payment)
  } catch (error) {
    return unable(error)
  }
  if (verified.isValid !== true) return refused(verified.invalidReason)
  await sending.onSent()
  let said: Settlement
  try {
    said = settlementOf(await ask(options, 'settle', payment), 'the answer of the facilitator')
  } catch {
    // Late, broken off or garbled: it says nothing about what happens.
    return watch(options, payment, sending)
  }
  if (!said.success) return afterFailure(options, payment, { said, sending })
  return afterSuccess(options, payment, { said, sending })
}

interface Answered {
  readonly said: Settlement
  readonly sending: Sending
}

async function afterSuccess(
  options: FacilitatorSettlerOptions,
  payment: ExactPayment,
  { said, sending }: Answered,
): Promise<Outcome> {
  const { transaction } = said
  if (options.trust === 'facilitator') return { kind: 'settled', transaction: transaction as Hex }
  const found = await watch(options, payment, sending, hashIn(said))
  if (found.kind !== 'settled') {
    const { from, nonce } = payment.authorization
    options.onLie({ from, nonce, said: 'settled', transaction, chain: found.kind })
  }
  return found
}

/** What he calls failed may have been sent all the same: only an expired authorization is certainly unused. */
async function afterFailure(
  options: FacilitatorSettlerOptions,
  payment: ExactPayment,
  { said, sending }: Answered,
): Promise<Outcome> {
  if (said.errorReason === 'settlement_pending')
    return watch(options, payment, sending, hashIn(said))
  if (options.trust === 'facilitator') return refused(said.errorReason ?? null)
  const found = await look(options, payment, sending).catch(() => undefined)
  if (found === undefined) return refused(said.errorReason ?? null)
  if (found.kind === 'settled') {
    const { from, nonce } = payment.authorization
    options.onLie({ from, nonce, said: 'failed', transaction: found.transaction, chain: 'settled' })
  }
  return found
}

function hashIn({ transaction }: Settlement): Hex | undefined {
  return isHex(transaction) && transaction.length === 66 ? transaction : undefined
}

/** His words are somebody else's. */
function refused(reason: unknown): Outcome {
  const words = typeof reason === 'string' ? plainLine(reason, 120) : 'without a reason'
  return {
    kind: 'failed',
    reason: 'invalid_exact_evm_transaction_failed',
    detail: `The facilitator refuses it: ${words}.`,
  }
}

/** Until the chain says something, or patience ends. */
async function watch(
  options: FacilitatorSettlerOptions,
  payment: ExactPayment,
  sending: Sending,
  transaction?: Hex,
): Promise<Outcome> {
  const { pollInterval, patience, gone } = options
  const until = performance.now() + patience
  for (;;) {
    const found = await look(options, payment, sending, transaction).catch(() => undefined)
    if (found !== undefined) return found
    if (performance.now() >= until || gone.aborted) return { kind: 'unknown' }
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

/** Undefined while nothing is certain. */
async function look(
  { chain, asset, confirmations }: FacilitatorSettlerOptions,
  { authorization }: ExactPayment,
  { since }: Sending,
  transaction?: Hex,
): Promise<Outcome | undefined> {
  const looked = { authorization, confirmations }
  // What he names is there before nodes have the log in their index.
  const named = transaction && (await fateBy(chain, asset, { ...looked, transaction }))
  const fate = named?.kind === 'paid' ? named : await fateOf(chain, asset, { ...looked, since })
  if (fate.kind === 'paid') return { kind: 'settled', transaction: fate.transaction }
  return fate.kind === 'elsewhere' ? { kind: 'spent' } : undefined
}

/** An authorization moves its value once, whoever is asked how often: asking again is no second payment. */
async function resume(
  options: FacilitatorSettlerOptions,
  payment: ExactPayment,
  sending: Sending,
): Promise<Outcome> {
  try {
    const found = await look(options, payment, sending)
    if (found !== undefined) return found
  } catch {
    return { kind: 'unknown' }
  }
  return settle(options, payment, sending)
}

/** @throws UraidenError `x402_facilitator_silent`, `malformed_x402` */
async function ask(
  { url, timeout, gone }: FacilitatorSettlerOptions,
  what: 'verify' | 'settle',
  { sent, requirements }: ExactPayment,
): Promise<JsonObject> {
  const body = {
    x402Version: 2,
    paymentPayload: { x402Version: 2, ...sent },
    paymentRequirements: requirements,
  }
  const silent = (why: string, cause?: unknown) =>
    receiverError({
      code: 'x402_facilitator_silent',
      message: `The facilitator at ${new URL(url).host} does not answer /${what}: ${why}.`,
      cause,
    })
  const signal = AbortSignal.any([AbortSignal.timeout(timeout), gone])
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(body), redirect: 'error', signal }
  let text: string
  try {
    const answer = await fetch(`${url}/${what}`, init as RequestInit)
    const body = await readAtMost(answer.body ?? [], mostBody)
    if (body === undefined) throw new Error(`it sent more than ${mostBody} bytes`)
    text = body.toString('utf8')
    // A stock facilitator says why in JSON, with 400 too.
    if (answer.status >= 500) throw new Error(`HTTP status ${answer.status}`)
  } catch (error) {
    throw silent(error instanceof Error ? error.message : String(error), error)
  }
  return readObject('the answer of the facilitator', text)
}
