// What the deposits of channels were before blocks that may still be replaced. Pure functions on plain data.
import type { ChainBlock, TokenAmount } from '../../protocol/index.ts'
import type { History } from './history.ts'
import type { ChannelName } from './records.ts'

/** What a deposit was before this block: 0 before the channel was opened. */
export interface EarlierDeposit {
  readonly block: ChainBlock
  readonly deposit: TokenAmount
}

/** In the order of the chain; of channels whose deposit has changed in a block of the history. */
export type EarlierDeposits = ReadonlyMap<ChannelName, readonly EarlierDeposit[]>

/** `current` is what the deposits are now. */
export function earlierDeposits(
  history: History,
  current: (name: ChannelName) => TokenAmount,
): EarlierDeposits {
  const found = new Map<ChannelName, EarlierDeposit[]>()
  const later = new Map<ChannelName, TokenAmount>()
  for (const { block, before } of [...history].reverse()) {
    for (const [name, facts] of before) {
      const deposit = facts?.deposit ?? 0n
      if (deposit !== (later.get(name) ?? current(name))) {
        found.set(name, [{ block, deposit }, ...(found.get(name) ?? [])])
      }
      later.set(name, deposit)
    }
  }
  return found
}

/** What a deposit was right after `block`, when it is `current` now. */
export function depositAfter(
  earlier: readonly EarlierDeposit[],
  block: ChainBlock,
  current: TokenAmount,
): TokenAmount {
  return earlier.find((each) => each.block > block)?.deposit ?? current
}
