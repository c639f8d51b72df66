// May this be paid? A pure function on plain data, asked before anything is reserved or signed.
import {
  type Address,
  formatAmount,
  type Terms,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../protocol/index.ts'

/** Amounts in the token's smallest unit. What is not given is not limited. */
export interface Policy {
  readonly contract: Address
  /** Most for a single request. */
  readonly request?: TokenAmount
  /** Most for all requests together, for ever. */
  readonly total?: TokenAmount
  /** Who may be paid; anybody when not given. */
  readonly receivers?: readonly Address[]
  /** Most deposit in one channel. */
  readonly deposit?: TokenAmount
}

/** What was asked for: the receiver's terms, and a cap of the caller's own for this request. */
export interface Proposal {
  readonly terms: Pick<Terms, 'contract' | 'receiver' | 'price'>
  readonly mostPrice?: TokenAmount
}

/**
 * Caps for one request and who may be paid.
 * @throws UraidenError `wrong_contract`, `receiver_not_allowed`, `price_over_cap`
 */
export function checkProposal(policy: Policy, proposal: Proposal, token: TokenUnit): void {
  const { terms, mostPrice } = proposal
  if (terms.contract !== policy.contract) {
    throw new UraidenError({
      code: 'wrong_contract',
      message: `The receiver asks for payment through the contract ${terms.contract}, not ${policy.contract}.`,
      hint: 'Nothing was signed. Check which contract the receiver uses, and your configuration.',
    })
  }
  if (policy.receivers !== undefined && !policy.receivers.includes(terms.receiver)) {
    throw new UraidenError({
      code: 'receiver_not_allowed',
      message: `The receiver ${terms.receiver} is not among those that may be paid.`,
      hint: 'Nothing was signed. Add its address to receivers if you trust it.',
    })
  }
  if (mostPrice !== undefined && terms.price > mostPrice) {
    throw overCap(terms.price, mostPrice, token, 'you allow for this request', 'the price limit')
  }
  if (policy.request !== undefined && terms.price > policy.request) {
    throw overCap(terms.price, policy.request, token, 'you allow a request', 'budget.request')
  }
}

/**
 * How much more may be reserved in all. Counts what is reserved, not what is confirmed.
 */
export function roomInBudget(policy: Policy, reserved: TokenAmount): TokenAmount | undefined {
  if (policy.total === undefined) return undefined
  return policy.total > reserved ? policy.total - reserved : 0n
}

/** The error for a price that the total budget has no room for. */
export function budgetSpent(
  price: TokenAmount,
  total: TokenAmount,
  room: TokenAmount,
  token: TokenUnit,
): UraidenError {
  return new UraidenError({
    code: 'budget_total_spent',
    message: `This costs ${formatAmount(price, token)}, but of the budget of ${formatAmount(total, token)} in all only ${formatAmount(room, token)} are left.`,
    hint: 'Nothing was signed. Raise budget.total to go on.',
  })
}

function overCap(
  price: TokenAmount,
  cap: TokenAmount,
  token: TokenUnit,
  what: string,
  setting: string,
): UraidenError {
  return new UraidenError({
    code: 'price_over_cap',
    message: `This costs ${formatAmount(price, token)}, more than the ${formatAmount(cap, token)} ${what}.`,
    hint: `Nothing was signed. Raise ${setting} if the price is right.`,
  })
}
