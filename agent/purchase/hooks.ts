// What a program can watch, and stop, while a request is paid: the events of the original's Session.

import type { Terms, TokenAmount } from '../../protocol/index.ts'
import type { ChannelName } from '../channels/records.ts'
import { agentError } from '../errors/index.ts'
import type { PaidAnswer } from './types.ts'

/** The request that an event is about. */
export interface HookedRequest {
  readonly method: string
  readonly url: URL
}

export interface HookEvents {
  /** Before anything is sent. */
  readonly init: object
  /** A receiver wants money; its terms have not been checked yet. */
  readonly paymentRequested: { readonly terms: Terms }
  /** The receiver waits for the chain. */
  readonly insufficientConfirmations: { readonly terms: Terms; readonly channel: ChannelName }
  readonly nonexistingChannel: { readonly terms: Terms; readonly channel: ChannelName }
  readonly invalidAmount: { readonly terms: Terms; readonly channel: ChannelName }
  readonly invalidProof: { readonly terms: Terms; readonly channel: ChannelName }
  /** The receiver uses another contract than ours; nothing is paid. */
  readonly wrongContract: { readonly terms: Terms }
  /** An answer of status 400 or above that is not 402. */
  readonly httpError: { readonly status: number }
  /** An answer below 400. */
  readonly success: { readonly status: number; readonly cost: TokenAmount }
  /** At the end, whatever came of it. */
  readonly exit: { readonly error: unknown }
}

export type HookName = keyof HookEvents

/** What is about to be paid. It has passed every cap that needs no ledger. By x402, contract and token are the asset. */
export interface BeforePayment {
  readonly terms: Pick<Terms, 'receiver' | 'contract' | 'token' | 'price'>
  /** Undefined: it is a transfer. */
  readonly request: HookedRequest | undefined
}

/**
 * Either ends the request with the error `stopped_by_hook`; nothing more is signed for it. The reason becomes the
 * error's message.
 */
export type HookDecision = 'stop' | { readonly refuse: string } | undefined

type Decided = HookDecision | Promise<HookDecision>

type WatchingHooks = {
  readonly [Name in HookName]?: (
    event: HookEvents[Name] & { readonly request: HookedRequest },
  ) => Decided
}

export type AgentHooks = WatchingHooks & {
  /**
   * Before anything is signed, on the terms that will be signed for: of each payment, so once more when the
   * receiver corrects its price.
   */
  readonly beforePayment?: (payment: BeforePayment) => Decided
}

type Announce = <Name extends HookName>(name: Name, event: HookEvents[Name]) => Promise<void>

/**
 * Runs the hooks of one request.
 * @throws UraidenError `stopped_by_hook`, and whatever the hook throws
 */
export function announcer(hooks: WatchingHooks, request: HookedRequest): Announce {
  return async (name, event) => {
    const decision = await hooks[name]?.({ ...event, request })
    obey(decision, name, `the request to ${request.url.origin}`)
  }
}

/**
 * Asks the hook that decides on each payment.
 * @throws UraidenError `stopped_by_hook`, and whatever the hook throws
 */
export async function askBeforePayment(
  hooks: AgentHooks | undefined,
  payment: BeforePayment,
): Promise<void> {
  const decision = await hooks?.beforePayment?.(payment)
  const { terms, request } = payment
  const stopped = request
    ? `the request to ${request.url.origin}`
    : `the transfer to ${terms.receiver}`
  obey(decision, 'beforePayment', stopped)
}

function obey(decision: HookDecision, hook: string, what: string): void {
  if (decision === undefined) return
  throw agentError({
    code: 'stopped_by_hook',
    message:
      decision === 'stop'
        ? `The hook ${hook} has stopped ${what}.`
        : `The hook ${hook} has refused ${what}: ${decision.refuse}`,
  })
}

/** The hooks around a whole request. */
export async function watched(
  hooks: AgentHooks,
  request: HookedRequest,
  run: () => Promise<PaidAnswer>,
): Promise<PaidAnswer> {
  const announce = announcer(hooks, request)
  let error: unknown
  try {
    await announce('init', {})
    const result = await run()
    const { status } = result.answer
    const cost = result.payment?.cost ?? 0n
    if (status >= 400) await announce('httpError', { status })
    else await announce('success', { status, cost })
    return result
  } catch (thrown) {
    error = thrown
    throw thrown
  } finally {
    await announce('exit', { error })
  }
}

/** The hook for a payment that was refused for this reason. */
export function refusalHook({
  reason,
}: Terms): 'invalidAmount' | 'invalidProof' | 'nonexistingChannel' | undefined {
  switch (reason) {
    case 'invalid_amount':
      return 'invalidAmount'
    case 'invalid_balance_proof':
      return 'invalidProof'
    case 'nonexisting_channel':
      return 'nonexistingChannel'
    default:
      return undefined
  }
}
