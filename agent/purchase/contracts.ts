// Through which of several contracts a receiver is paid: a pure function.
import type { Address, Terms, UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

interface OnContract {
  readonly contract: Address
}

/** What of the ledger decides. */
export interface Uses<Choice> {
  /** A channel to the receiver has room for the price. */
  readonly hasRoom: (choice: Choice) => boolean
  /** The receiver was paid through it. */
  readonly wasUsed: (choice: Choice) => boolean
}

/**
 * What is on a former contract is used up first; where nothing has room, the first that the owner allows and the
 * receiver takes gets the deposit. `allowed` is in the owner's order. Undefined when they agree on none.
 * @throws UraidenError `contract_older`: whoever answers must not lead back to a contract that was left behind
 */
export function chooseContract<Choice extends OnContract>(
  allowed: readonly Choice[],
  terms: Pick<Terms, 'contract' | 'otherContracts' | 'receiver'>,
  { hasRoom, wasUsed }: Uses<Choice>,
): Choice | undefined {
  const { contract, otherContracts = [] } = terms
  const taken = new Set([contract, ...otherContracts])
  const common = allowed.filter((choice) => taken.has(choice.contract))
  const full = common.findLast(hasRoom)
  const [best] = common
  if (full !== undefined || best === undefined) return full ?? best
  const newest = allowed.find(wasUsed)
  if (newest === undefined || allowed.indexOf(best) <= allowed.indexOf(newest)) return best
  throw older(terms.receiver, best, newest)
}

function older(receiver: Address, asked: OnContract, used: OnContract): UraidenError {
  return agentError({
    code: 'contract_older',
    message: `${receiver} asks for a deposit in the contract ${asked.contract}; it was paid through the newer ${used.contract} before.`,
  })
}
