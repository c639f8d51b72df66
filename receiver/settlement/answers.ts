// Answers dishonest closes in time, the most urgent first. The receiver does it at once with its key, a
// watchtower with its own, after it has left the receiver its chance.
import type { Call, Receipt, TransactionSender } from '../../platform/chain/index.ts'
import type { Address, BlockNumber, TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { type Channel, channelName } from '../channels/records.ts'
import { type DishonestClose, dishonestCloses } from './exposure.ts'
import { type AnswerFees, answerFeeCap } from './fees.ts'
import { createOperations, type OperationState } from './operations.ts'

export interface SettlementLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

/** The chain as it was seen last, and the account that pays for transactions. */
export interface SettlementContext {
  readonly book: Pick<ChannelBook, 'inState' | 'position'>
  readonly transactions: TransactionSender
  /** Of the contract, in blocks. */
  readonly challengePeriod: number
  /** The newest block that was seen. */
  readonly head: () => BlockNumber
  /** In wei. */
  readonly ether: () => bigint | undefined
  readonly log?: SettlementLog | undefined
}

export interface AnswersOptions extends SettlementContext {
  readonly answer: (channel: Channel) => Promise<Call>
  readonly fees: AnswerFees
  /** Blocks of the challenge period that pass before anything is sent. */
  readonly delay: number
}

/** A dishonest close, and how its answer stands. */
export interface PendingAnswer {
  readonly sender: Address
  readonly openBlock: BlockNumber
  readonly stake: TokenAmount
  /** Blocks in which it can be answered for sure. */
  readonly remaining: number
  /** Undefined: it was not tried yet. */
  readonly state: OperationState | undefined
}

export interface Answers {
  /** Sends what is due; resolves without waiting for blocks. Never rejects. */
  readonly round: () => Promise<void>
  readonly pending: () => readonly PendingAnswer[]
  readonly idle: () => Promise<void>
}

export function createAnswers(options: AnswersOptions): Answers {
  const { book, challengePeriod, head, fees, delay, answer, log } = options
  const operations = createOperations({
    ...options,
    position: () => book.position()?.block ?? 0,
    onMined: (name, receipt) => log?.info(facts(name, receipt), 'a dishonest close was answered'),
    onWaiting: (name, err) =>
      log?.warn({ operation: name, err }, 'a dishonest close cannot be answered now'),
  })
  const closes = () => dishonestCloses(book.inState('closing'), { head: head(), challengePeriod })

  function remaining({ sender, openBlock }: Channel): number {
    const close = closes().find(
      ({ channel }) => channel.sender === sender && channel.openBlock === openBlock,
    )
    return close?.remaining ?? 0
  }

  const operation = ({ channel }: DishonestClose) => ({
    name: operationName(channel),
    call: async (): Promise<Call> => ({
      ...(await answer(channel)),
      isUrgent: true,
      feeCap: () => answerFeeCap(fees, remaining(channel), challengePeriod),
    }),
  })

  return {
    round: () => {
      const due = closes().filter(({ remaining }) => remaining <= challengePeriod - delay)
      return operations.pursue(due.map(operation))
    },
    pending: () =>
      closes().map(({ channel, stake, remaining }) => ({
        sender: channel.sender,
        openBlock: channel.openBlock,
        stake,
        remaining,
        state: operations.state(operationName(channel)),
      })),
    idle: operations.idle,
  }
}

function operationName({ sender, openBlock }: Channel): string {
  return `answer/${channelName(sender, openBlock)}`
}

function facts(operation: string, { transaction, block, gasUsed }: Receipt): object {
  return { operation, transaction, block, gasUsed: `${gasUsed}` }
}
