// Through which of several contracts a receiver is paid: a pure function.
import type { Address, Terms } from '../../protocol/index.ts'

interface OnContract {
  readonly contract: Address
}

/**
 * What is on a former contract is used up first; where nothing has room, the first that the owner allows and the
 * receiver takes gets the deposit. `allowed` is in the owner's order. Undefined when they agree on none.
 */
export function chooseContract<Choice extends OnContract>(
  allowed: readonly Choice[],
  { contract, otherContracts = [] }: Pick<Terms, 'contract' | 'otherContracts'>,
  hasRoom: (choice: Choice) => boolean,
): Choice | undefined {
  const taken = new Set([contract, ...otherContracts])
  const common = allowed.filter((choice) => taken.has(choice.contract))
  return common.findLast(hasRoom) ?? common[0]
}
