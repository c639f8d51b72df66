// What to do about the custom errors of the channels contract and of its token (contract.md).

/** By the error's name. */
export const revertHints: Readonly<Record<string, string>> = {
  BalanceNotHigher: 'The contract has an equal or higher balance already.',
  BalanceOverDeposit: 'The balance is higher than the channel’s deposit: top it up first.',
  BalanceUnderWithdrawn: 'The receiver has withdrawn more than this balance already.',
  ChallengePeriodNotOver: 'Wait until the challenge period is over, then settle.',
  ChallengePeriodOver: 'The challenge period is over: the channel can only be settled.',
  ChannelExists:
    'A channel to this receiver was opened in this very block: try again in the next. On Arbitrum that is the next of the chain below, in a quarter of a minute.',
  ChannelNotFound: 'The channel was closed already, or its receiver or open block is wrong.',
  CloseNotRequested: 'Request the close first, then settle after the challenge period.',
  CloseRequested: 'A close was requested already: settle it after the challenge period.',
  DepositTooLarge:
    'Our contract holds less than 2^72 of the smallest unit in a channel, about 4722 tokens of 18 decimals: use a smaller deposit.',
  InsufficientAllowance: 'The contract may not take that many tokens: approve them first.',
  InsufficientBalance: 'The account has fewer tokens than that.',
  InvalidClosingSignature: 'The closing agreement is not the receiver’s over this balance.',
  InvalidSenderSignature: 'The balance proof is not the sender’s over this balance.',
  OpenedInThisBlock:
    'Try again in the next block. On Arbitrum that is the next of the chain below, in a quarter of a minute.',
  TransferFailed: 'The token refuses the transfer: it may be paused, or block an account.',
  TransferFromFailed:
    'The token refuses the transfer: check balance and allowance; it may be paused, or block an account.',
  ZeroAmount: 'Use an amount above zero.',
}

/** For a person; the general one when the error is not known. */
export function revertHint(reason: string | undefined): string {
  const known = reason === undefined ? undefined : revertHints[reason]
  const why = known ?? 'The reason is the contract’s, or the account lacks tokens.'
  return `Nothing was sent. ${why}`
}
