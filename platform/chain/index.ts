export { readBlock, readQuantity } from './answers.ts'
export { authorizationSeparator } from './authorizations.ts'
export { isPeriodOver } from './block-numbers.ts'
export {
  type ChallengeTime,
  challengeTime,
  challengeTimeText,
  checkChallengePeriod,
  readBlockClock,
  shortPeriodWarning,
} from './challenge-time.ts'
export * from './connect.ts'
export { type DataFee, dataFeeOf } from './data-fee.ts'
export { deploymentBlock } from './deployment-block.ts'
export { estimateGas, gasPrice, revertOf } from './estimate.ts'
export { isChannelOver } from './existence.ts'
export { waitForTransaction } from './receipt.ts'
export * from './send.ts'
export type { JournalEntry, TransactionJournal } from './signed.ts'
export * from './types.ts'
