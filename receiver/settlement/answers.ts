// Answers dishonest closes in time, from the first block in which they are seen, the most urgent first. The
// receiver does it at once with its key, a watchtower with its own, after it has left the receiver its
// chance.
import type { Call, Receipt, TransactionSender } from '../../platform/chain/index.ts'
import type { Address, ContractBlock, TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { type Channel, type ChannelName, channelName } from '../channels/records.ts'
import { type AnswerPlan, type AnswerTerms, planAnswers } from './disputes.ts'
import { type DishonestClose, dishonestCloses, lastBlock } from './exposure.ts'
import { type AnswerFees, answerFeeCap } from './fees.ts'
import {
  createOperations,
  type Operation,
  type OperationState,
  type Operations,
} from './operations.ts'

export interface SettlementLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

/** The chain as it was seen last, and the account that pays for transactions. */
export interface SettlementContext {
  readonly book: Pick<ChannelBook, 'asSeen' | 'seenTo' | 'position'>
  readonly transactions: TransactionSender
  /** Of the contract, in blocks. */
  readonly challengePeriod: number
  /** The newest block that was seen, as the contract counts. */
  readonly head: () => ContractBlock
  /** In wei. */
  readonly ether: () => bigint | undefined
  readonly log?: SettlementLog | undefined
}

export interface AnswersOptions extends SettlementContext {
  readonly answer: (channel: Channel) => Promise<Call>
  /** Undefined: each is answered by itself. */
  readonly answerTogether?: ((channels: readonly Channel[]) => Promise<Call>) | undefined
  /** What is worth an answer; undefined, or while it is not known: everything. */
  readonly terms?: (() => AnswerTerms | undefined) | undefined
  readonly fees: AnswerFees
  /** Blocks of the challenge period that pass before anything is sent. */
  readonly delay: number
}

/** A dishonest close, and how its answer stands. */
export interface PendingAnswer {
  readonly sender: Address
  readonly openBlock: ContractBlock
  readonly stake: TokenAmount
  /** Blocks in which it can be answered for sure. */
  readonly remaining: number
  /** The last of them. */
  readonly settleBlock: ContractBlock
  /** `wait`: too small for an answer of its own; `let_go`: not worth its share of a batch either. */
  readonly plan: 'answer' | 'wait' | 'let_go'
  /** Undefined: it was not tried yet. */
  readonly state: OperationState | undefined
}

export interface Answers {
  /** Sends what is due; resolves without waiting for blocks. Never rejects. */
  readonly round: () => Promise<void>
  readonly pending: () => readonly PendingAnswer[]
  readonly idle: () => Promise<void>
}

/** There is one at a time, so it needs no other name. */
const batchName = 'answers'

interface Answering extends AnswersOptions {
  readonly operations: Operations
  /** What went into the last batch. */
  inBatch: ReadonlySet<ChannelName>
  /** A batch was mined and has not ended these. */
  passedOver: ReadonlySet<ChannelName>
  waiting: ReadonlySet<ChannelName>
  letGo: ReadonlySet<ChannelName>
}

export function createAnswers(options: AnswersOptions): Answers {
  const { book, log } = options
  const operations = createOperations({
    ...options,
    position: book.seenTo,
    onMined: (name, receipt) => log?.info(facts(name, receipt), 'a dishonest close was answered'),
    onWaiting: (name, err) =>
      log?.warn({ operation: name, err }, 'a dishonest close cannot be answered now'),
  })
  const answering: Answering = {
    ...{ ...options, operations },
    ...{ inBatch: new Set(), passedOver: new Set(), waiting: new Set(), letGo: new Set() },
  }
  return {
    round: () => round(answering),
    pending: () => closesOf(answering).map((close) => pendingAnswer(answering, close)),
    idle: operations.idle,
  }
}

function closesOf({ book, head, challengePeriod }: Answering): readonly DishonestClose[] {
  return dishonestCloses(book.asSeen('closing'), { head: head(), challengePeriod })
}

async function round(answering: Answering): Promise<void> {
  const { operations, challengePeriod, delay } = answering
  const closes = closesOf(answering).filter(({ remaining }) => remaining <= challengePeriod - delay)
  lookAtBatch(answering, closes)
  const isSent = (close: DishonestClose) => isUnderWay(answering, operationName(close.channel))
  const open = closes.filter((close) => !isSent(close) && !answering.inBatch.has(nameOf(close)))
  const plan = planOf(answering, open)
  tellLetGo(answering, plan)
  answering.waiting = new Set(plan.waiting.map(nameOf))
  answering.letGo = new Set(plan.letGo.map(nameOf))
  const single = [...closes.filter(isSent), ...plan.single].map((close) => alone(answering, close))
  // While one is under way, what else there is waits for it.
  const goes = isUnderWay(answering, batchName) || plan.batch.length > 0
  await operations.pursue(goes ? [...single, batch(answering, plan.batch)] : single)
}

/** Once its block was read it is known what the last batch has ended. */
function lookAtBatch(answering: Answering, closes: readonly DishonestClose[]): void {
  const { operations, inBatch } = answering
  const names = new Set(closes.map(nameOf))
  if (!isUnderWay(answering, batchName)) {
    const isMined = operations.state(batchName)?.kind === 'mined'
    if (isMined) answering.passedOver = new Set([...answering.passedOver, ...inBatch])
    answering.inBatch = new Set()
  }
  answering.passedOver = new Set([...answering.passedOver].filter((name) => names.has(name)))
}

/** With the node, or mined in a block that was not read yet. */
function isUnderWay({ operations, book }: Answering, operation: string): boolean {
  const state = operations.state(operation)
  return state?.kind === 'sent' || (state?.kind === 'mined' && state.block > book.seenTo())
}

function planOf(answering: Answering, closes: readonly DishonestClose[]): AnswerPlan {
  const { terms, challengePeriod, passedOver, answerTogether } = answering
  const known = terms?.()
  if (known === undefined) return { single: closes, batch: [], waiting: [], letGo: [] }
  const hasBatches = known.hasBatches && answerTogether !== undefined
  return planAnswers({
    ...{ closes, challengePeriod },
    terms: { ...known, hasBatches },
    alone: (close) => passedOver.has(nameOf(close)),
  })
}

function tellLetGo({ letGo: told, log }: Answering, { letGo }: AnswerPlan): void {
  for (const close of letGo) {
    if (told.has(nameOf(close))) continue
    const { sender, openBlock } = close.channel
    const message = 'a dishonest close is let go: an answer costs more than it is worth'
    log?.warn({ sender, openBlock, stake: `${close.stake}` }, message)
  }
}

function alone(answering: Answering, { channel }: DishonestClose): Operation {
  return {
    name: operationName(channel),
    call: async () => ({
      ...(await answering.answer(channel)),
      isUrgent: true,
      feeCap: () => feeCap(answering, [channel]),
    }),
  }
}

function batch(answering: Answering, closes: readonly DishonestClose[]): Operation {
  const channels = closes.map(({ channel }) => channel)
  return {
    name: batchName,
    call: async () => {
      if (answering.answerTogether === undefined) throw new Error('a batch that nobody can make')
      const call = await answering.answerTogether(channels)
      answering.inBatch = new Set(closes.map(nameOf))
      return { ...call, isUrgent: true, feeCap: () => feeCap(answering, channels) }
    },
  }
}

/** That of the most urgent one. */
function feeCap(
  { fees, head, challengePeriod }: Answering,
  channels: readonly Channel[],
): bigint | undefined {
  const last = Math.min(...channels.map((channel) => lastBlock(channel, challengePeriod)))
  return answerFeeCap(fees, last - head(), challengePeriod)
}

function pendingAnswer(answering: Answering, close: DishonestClose): PendingAnswer {
  const { operations, inBatch, waiting, letGo, challengePeriod } = answering
  const { channel, stake, remaining } = close
  const name = nameOf(close)
  const state = operations.state(inBatch.has(name) ? batchName : operationName(channel))
  return {
    ...{ sender: channel.sender, openBlock: channel.openBlock, stake, remaining, state },
    settleBlock: lastBlock(channel, challengePeriod),
    plan: letGo.has(name) ? 'let_go' : waiting.has(name) ? 'wait' : 'answer',
  }
}

function nameOf({ channel }: DishonestClose): ChannelName {
  return channelName(channel.sender, channel.openBlock)
}

function operationName({ sender, openBlock }: Channel): string {
  return `answer/${channelName(sender, openBlock)}`
}

function facts(operation: string, { transaction, block, gasUsed }: Receipt): object {
  return { operation, transaction, block, gasUsed: `${gasUsed}` }
}
