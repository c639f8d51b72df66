// May this be paid? A pure function on plain data, asked before anything is reserved or signed.

import { amountOption } from '../../platform/written/written.ts'
import {
  type Address,
  formatAmount,
  type Terms,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { Behaviours } from './behaviour.ts'
import type { Sellers } from './terms.ts'
import type { PaidRequest } from './types.ts'

/** Amounts in the token's smallest unit. What is not given is not limited. */
export interface Policy {
  readonly contract: Address
  /** The token of that contract. */
  readonly token: Address
  /** Most for a single request. */
  readonly request?: TokenAmount
  /** The receivers that may be paid; all when not given. */
  readonly receivers?: readonly Address[]
  /** Where may be bought: `host`, or `host:port`; anywhere when not given. */
  readonly hosts?: readonly string[]
  /** Most that a price may be, as a multiple of what the same resource cost last. */
  readonly priceJump?: number
  /** Pay nothing; say what would have been paid. */
  readonly dryRun?: boolean
}

/** The policy on its own, for a request. */
export interface PolicyCheck {
  readonly contract: Address
  /** @throws UraidenError those of `checkProposal`, `receiver_left_alone`, of a `mostPrice` those of `parseAmount` */
  readonly check: (request: PaidRequest, terms: Terms) => void
}

export interface PolicyCheckOptions {
  readonly policy: Policy
  readonly token: TokenUnit
  /** The only receiver that may be paid at this URL; undefined when nothing is known about it. */
  readonly receiverAt: ((url: URL) => Address | undefined) | undefined
  readonly lastPrice: (method: string, url: URL) => TokenAmount | undefined
  readonly sellers: Sellers
  readonly behaviours: Pick<Behaviours, 'troubled' | 'mayPay'>
}

export function createPolicyCheck(options: PolicyCheckOptions): PolicyCheck {
  const { policy, token, receiverAt, sellers, behaviours } = options
  return {
    contract: policy.contract,
    check: ({ method, url, mostPrice, dryRun }, terms) => {
      const lastPrice = options.lastPrice(method, url)
      const expected = receiverAt?.(url)
      const before = sellers.at(url)
      const proposal: Proposal = {
        url,
        terms,
        ...(mostPrice !== undefined && {
          mostPrice: amountOption('mostPrice', mostPrice, token),
        }),
        ...(lastPrice !== undefined && { lastPrice }),
        ...(expected !== undefined && { expected }),
        ...(before !== undefined && { before }),
      }
      checkProposal(dryRun ? { ...policy, dryRun } : policy, proposal, token)
      if (behaviours.troubled.size > 0) behaviours.mayPay(terms.receiver)
      sellers.remember(url, terms.receiver)
    },
  }
}

/** What was asked for: the receiver's terms, and a cap of the caller's own for this request. */
export interface Proposal {
  readonly url: URL
  readonly terms: Pick<Terms, 'contract' | 'receiver' | 'price' | 'token'>
  readonly mostPrice?: TokenAmount
  /** Of the same resource; undefined for the first time. */
  readonly lastPrice?: TokenAmount
  /** The only receiver that may be paid there, when that is known. */
  readonly expected?: Address
  /** Who was paid there until now. */
  readonly before?: Address
}

/**
 * Checks receiver, place and the caps for one request.
 * @throws UraidenError `host_not_allowed`, `wrong_contract`, `wrong_token`, `receiver_not_allowed`,
 * `receiver_changed`, `price_over_cap`, `price_jump`, `dry_run`
 */
export function checkProposal(policy: Policy, proposal: Proposal, token: TokenUnit): void {
  checkHost(policy, proposal.url)
  checkParties(policy, proposal)
  checkPrice(policy, { ...proposal, price: proposal.terms.price }, token)
  if (policy.dryRun) {
    const { price, receiver } = proposal.terms
    throw agentError({
      code: 'dry_run',
      message: `This would cost ${formatAmount(price, token)}.`,
      details: { price: `${price}`, receiver },
    })
  }
}

/** @throws UraidenError `host_not_allowed` */
export function checkHost({ hosts }: Pick<Policy, 'hosts'>, url: URL): void {
  if (hosts === undefined || hosts.includes(url.host) || hosts.includes(url.hostname)) return
  throw agentError({
    code: 'host_not_allowed',
    message: `Nothing may be bought at ${url.host}.`,
  })
}

function checkParties(policy: Policy, proposal: Proposal): void {
  const { url, terms, expected, before } = proposal
  if (terms.contract !== policy.contract) {
    throw agentError({
      code: 'wrong_contract',
      message: `The receiver asks for payment through the contract ${terms.contract}, not ${policy.contract}.`,
    })
  }
  if (terms.token !== policy.token) {
    throw agentError({
      code: 'wrong_token',
      message: `The receiver asks for the token ${terms.token}, but the contract’s token is ${policy.token}.`,
      hint: 'Nothing was signed. The receiver contradicts its own contract.',
    })
  }
  if (expected !== undefined) {
    if (terms.receiver === expected) return
    throw agentError({
      code: 'receiver_changed',
      message: `${url.origin} wants payment to ${terms.receiver}; the receiver that was found there is ${expected}.`,
      hint: 'Nothing was signed. See who is there with: uraiden-agent discover',
    })
  }
  checkReceiver(policy, { url, receiver: terms.receiver, before })
}

/** Who wants to be paid at a place, and who was paid there until now. */
export interface Payee {
  readonly url: URL
  readonly receiver: Address
  readonly before: Address | undefined
}

/**
 * Who is listed by address was chosen by a person, who may have exchanged the receiver.
 * @throws UraidenError `receiver_not_allowed`, `receiver_changed`
 */
export function checkReceiver(
  { receivers }: Pick<Policy, 'receivers'>,
  { url, receiver, before }: Payee,
): void {
  if (receivers !== undefined && !receivers.includes(receiver)) {
    throw agentError({
      code: 'receiver_not_allowed',
      message: `The receiver ${receiver} is not among those that may be paid.`,
    })
  }
  if (before === undefined || before === receiver || receivers !== undefined) return
  throw agentError({
    code: 'receiver_changed',
    message: `${url.origin} wants payment to ${receiver} now; until now it was ${before}.`,
    hint: 'Nothing was signed. If its owner says that this is right, list the new address under receivers.',
  })
}

interface AskedPrice extends Pick<Proposal, 'mostPrice' | 'lastPrice'> {
  readonly price: TokenAmount
}

/** @throws UraidenError `price_over_cap`, `price_jump` */
export function checkPrice(
  policy: Pick<Policy, 'request' | 'priceJump'>,
  { price, mostPrice, lastPrice }: AskedPrice,
  token: TokenUnit,
): void {
  if (mostPrice !== undefined && price > mostPrice) {
    const cap = {
      amount: mostPrice,
      what: 'you allow for this request',
      setting: 'the price limit',
    }
    throw overCap(price, cap, token)
  }
  if (policy.request !== undefined && price > policy.request) {
    const cap = { amount: policy.request, what: 'you allow a request', setting: 'budget.request' }
    throw overCap(price, cap, token)
  }
  if (policy.priceJump === undefined || lastPrice === undefined) return
  if (price <= times(lastPrice, policy.priceJump)) return
  throw agentError({
    code: 'price_jump',
    message: `This costs ${formatAmount(price, token)} now, more than ${policy.priceJump} times the ${formatAmount(lastPrice, token)} of last time.`,
  })
}

/** Factors are a person's decimals: a millionth is fine enough. */
function times(amount: TokenAmount, factor: number): TokenAmount {
  return (amount * BigInt(Math.round(factor * 1e6))) / 1_000_000n
}

interface Cap {
  readonly amount: TokenAmount
  readonly what: string
  /** Where it is in the configuration. */
  readonly setting: string
}

function overCap(
  price: TokenAmount,
  { amount, what, setting }: Cap,
  token: TokenUnit,
): UraidenError {
  return agentError({
    code: 'price_over_cap',
    message: `This costs ${formatAmount(price, token)}, more than the ${formatAmount(amount, token)} ${what}.`,
    hint: `Nothing was signed. Raise ${setting} if the price is right.`,
  })
}
