// The scheme `uraiden` for stock clients of x402: what they buy is paid from an agent's channels, under its policy
// and budget, and counted in its ledger. The client asks and sends; only the payment is made here.
import { type HeaderFields, headerName, isUraidenError, type Terms } from '../protocol/index.ts'
import {
  channelsScheme,
  formatChannelsPayload,
  parseChannelsOffer,
} from '../protocol/x402/channels.ts'
import { type JsonObject, networkOf, type Requirements } from '../protocol/x402/index.ts'
import { openAgent } from './agent.ts'
import { agentError } from './errors/index.ts'
import type { Agent, AgentOptions } from './options.ts'
import { paymentHeaders } from './purchase/delivery.ts'
import type { PartsFor, PurchaseParts } from './purchase/states.ts'
import type { Attempt, PaidRequest } from './purchase/types.ts'
import type { OpenAnswer } from './transport/transport.ts'

/** Of an agent: payments go unbound, because a stock client signs no requests. */
export type ChannelsSchemeOptions = Omit<AgentOptions, 'bound' | 'x402' | 'hooks'> & {
  /** Longest wait for an answer to a payment, in milliseconds: then it stays counted. Default 60 000. */
  readonly longestAnswer?: number
}

/** For `register` of an `x402Client`; its types are these in structure. */
export interface ChannelsScheme {
  readonly scheme: typeof channelsScheme
  /** The chain of the channels, to be registered under. */
  readonly network: `eip155:${string}`
  readonly createPaymentPayload: (
    version: number,
    requirements: object,
  ) => Promise<{ readonly x402Version: number; readonly payload: Record<string, unknown> }>
  readonly schemeHooks: {
    readonly onBeforePaymentCreation: (context: BeforePayment) => Promise<void>
    readonly onPaymentResponse: (
      context: AfterPayment,
    ) => Promise<{ readonly recovered: true } | undefined>
  }
  /** Its channels, budget and history; to be stopped in the end. */
  readonly agent: Agent
}

interface BeforePayment {
  readonly paymentRequired: { readonly resource?: { readonly url?: string } | undefined }
  readonly selectedRequirements: object
}

interface AfterPayment {
  readonly paymentPayload: { readonly payload?: unknown }
  readonly settleResponse?:
    | { readonly success: boolean; readonly amount?: string | undefined }
    | undefined
  readonly paymentRequired?: { readonly accepts: readonly object[] } | undefined
}

/** A payment that was handed to the client; nothing else is paid to its receiver meanwhile. */
interface UnderWay {
  readonly parts: PurchaseParts
  readonly request: PaidRequest
  readonly attempt: Attempt
  readonly release: () => void
}

interface Paying {
  readonly chainId: bigint
  readonly longestAnswer: number
  readonly partsFor: PartsFor
  /** Where what is asked for is bought. */
  readonly places: WeakMap<object, string>
  /** By what was signed. */
  readonly underWay: Map<string, UnderWay>
}

/**
 * Opens the agent that pays.
 * @throws UraidenError those of `createAgent`
 * @example
 * const channels = await createChannelsScheme({ signer, rpcUrl, chainId, contract, store, budget })
 * client.register(channels.network, channels).setSpendControls({ allowedAssets: true })
 * const answer = await wrapFetchWithPayment(fetch, client)(url)
 */
export async function createChannelsScheme({
  longestAnswer = 60_000,
  ...options
}: ChannelsSchemeOptions): Promise<ChannelsScheme> {
  const { agent, partsFor } = await openAgent({ ...options, bound: 'off' })
  const { chainId } = options
  const paying: Paying = {
    ...{ chainId, longestAnswer, partsFor },
    ...{ places: new WeakMap(), underWay: new Map() },
  }
  return {
    scheme: channelsScheme,
    network: networkOf(chainId) as `eip155:${string}`,
    createPaymentPayload: async (x402Version, requirements) => ({
      x402Version,
      payload: { ...(await pay(paying, requirements as Requirements)) },
    }),
    schemeHooks: {
      onBeforePaymentCreation: async ({ paymentRequired, selectedRequirements }) => {
        paying.places.set(selectedRequirements, paymentRequired.resource?.url ?? '')
      },
      onPaymentResponse: (context) => answered(paying, context),
    },
    agent,
  }
}

/** terms → policy → channel → ledger → sign. @throws UraidenError of policy, budget and funding, `terms_unreadable` */
async function pay(paying: Paying, offer: Requirements): Promise<JsonObject> {
  const url = placeOf(paying, offer)
  const terms = termsOf(paying, offer, url)
  const request: PaidRequest = { method: 'GET', url, headers: {}, read: 'body' }
  const parts = await paying.partsFor(request)
  parts.policy.check(request, terms)
  return new Promise((resolve, reject) => {
    const alone = parts.locks.alone(terms.receiver, async () => {
      const attempt = await parts.attempts.make(request, terms, 'anyChannel')
      if (attempt === undefined) throw new Error('a channel was promised')
      await untilSeen(parts, { request, attempt })
      const { 'Idempotency-Key': _, ...fields } = paymentHeaders(attempt)
      const over = new Promise<void>((release) => {
        paying.underWay.set(nameOf(fields), { parts, request, attempt, release })
      })
      resolve(formatChannelsPayload(fields))
      await inTime(paying, fields, over)
    })
    alone.catch(reject)
  })
}

function nameOf(fields: HeaderFields): string {
  return fields[headerName.signature] ?? ''
}

/** Whose answer the client never told us of was lost: what was signed stays counted. */
async function inTime(
  { underWay, longestAnswer }: Paying,
  fields: HeaderFields,
  over: Promise<void>,
): Promise<void> {
  const timer = setTimeout(() => {
    const lost = underWay.get(nameOf(fields))
    underWay.delete(nameOf(fields))
    lost?.parts.attempts.leaveInDoubt(lost.attempt)
    lost?.release()
  }, longestAnswer)
  await over
  clearTimeout(timer)
}

/** The receiver has to see a deposit of ours, too: its API says when. */
async function untilSeen(
  { attempts, delivery }: PurchaseParts,
  { request, attempt }: Pick<UnderWay, 'request' | 'attempt'>,
): Promise<void> {
  if (!attempts.isAhead(attempt)) return
  const { sender, openBlock, balance } = attempt.payment
  const api = new URL(`${attempt.terms.gatewayPath}/channels/${sender}/${openBlock}`, request.url)
  const patience = delivery.patience(undefined)
  try {
    for (;;) {
      const answer = await delivery.send({ ...request, url: api })
      const text = new TextDecoder().decode(await answer.body())
      if (answer.status === 200 && depositIn(text) >= balance) return
      if (!(await patience.pauseAfter(answer))) return
    }
  } catch (error) {
    attempts.takeBack(attempt)
    throw error
  }
}

/** What cannot be read is no deposit. */
function depositIn(text: string): bigint {
  try {
    const { deposit } = JSON.parse(text)
    return BigInt(`${deposit}`)
  } catch {
    return 0n
  }
}

/** @throws UraidenError `terms_unreadable` */
function placeOf({ places }: Paying, offer: Requirements): URL {
  const text = places.get(offer) ?? ''
  if (URL.canParse(text)) return new URL(text)
  throw unreadable('the seller does not say of which URL its offer is')
}

function termsOf({ chainId }: Paying, offer: Requirements, url: URL): Terms {
  try {
    const { chainId: named, ...terms } = parseChannelsOffer(offer)
    if (named === chainId) return terms
  } catch (error) {
    if (isUraidenError(error)) throw unreadable(error.message)
    throw error
  }
  throw unreadable(`${url.origin} offers channels on another chain than ${chainId}`)
}

function unreadable(why: string) {
  return agentError({
    code: 'terms_unreadable',
    message: `The offer of channels cannot be read: ${why}.`,
    hint: 'Nothing was signed.',
  })
}

/** settle, or judge and correct. The client pays anew where that may help. */
async function answered(
  { underWay }: Paying,
  { paymentPayload, settleResponse, paymentRequired }: AfterPayment,
): Promise<{ readonly recovered: true } | undefined> {
  const name = nameOf((paymentPayload.payload ?? {}) as HeaderFields)
  const paid = underWay.get(name)
  if (paid === undefined) return undefined
  underWay.delete(name)
  const { parts, attempt, release } = paid
  try {
    if (settleResponse?.success === true) {
      settle(paid, settleResponse.amount)
      return undefined
    }
    const offer = paymentRequired?.accepts.find(
      (each) => (each as Requirements).scheme === channelsScheme,
    )
    if (offer === undefined) {
      parts.attempts.leaveInDoubt(attempt)
      return undefined
    }
    const { chainId: _, ...answer } = parseChannelsOffer(offer as Requirements)
    const verdict = await parts.verdicts.judge(attempt, answer)
    await parts.verdicts.follow(attempt, answer, verdict)
    return { recovered: true }
  } finally {
    release()
  }
}

/** As an answer of a receiver that has charged so much. */
function settle({ parts, request, attempt }: UnderWay, amount: string | undefined): void {
  const header = (name: string) =>
    name.toLowerCase() === headerName.cost.toLowerCase() ? amount : undefined
  const { payment } = parts.attempts.settle(attempt, { status: 200, header } as OpenAnswer)
  const { cost, channel, balance, price, authentic } = payment
  parts.terms.paid(request.method, request.url, price)
  parts.history.add({
    ...{ time: Date.now(), method: request.method, status: 200, authentic },
    url: `${request.url.origin}${request.url.pathname}`,
    ...{ cost, channel, balance },
  })
}
