// Guards one receiver's channels from another machine: keeps copies of its best balance proofs, follows
// the chain, and answers a dishonest close with the contract's `challenge` when the receiver does not.
// Needs no key of the receiver, only one with some ether for the fee.

import {
  type ChainClient,
  checkChallengePeriod,
  connectChain,
  createTransactionSender,
} from '../../../platform/chain/index.ts'
import { compareKeys } from '../../../protocol/bound/index.ts'
import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  contractAbilities,
  isTickForm,
  parseAmount,
  type Signer,
  shortProof,
  type TokenAmount,
  type UraidenError,
} from '../../../protocol/index.ts'
import { firstBlock } from '../../chain/first-block.ts'
import { type GasPriceWatch, watchGasPrice } from '../../chain/gas-price.ts'
import { type ChainWatch, watchChain } from '../../chain/watch.ts'
import { type ChannelBook, openBook } from '../../channels/book.ts'
import { usualKept } from '../../channels/forgetting.ts'
import { historyDepth } from '../../channels/history.ts'
import { bestProofOf, fallbacksUnder, provenOf } from '../../channels/proofs.ts'
import { type BestProof, type Channel, emptyLedger } from '../../channels/records.ts'
import { type ChannelStore, openStore } from '../../channels/store.ts'
import type {
  ProofOwner,
  PushedProof,
  PushedRecord,
  Verdict,
} from '../../core/watchtower/messages.ts'
import { receiverError } from '../../errors/index.ts'
import { unsignedBackup } from '../../server/backup/backup.ts'
import {
  type Answers,
  createAnswers,
  type PendingAnswer,
  type SettlementLog,
} from '../../settlement/answers.ts'
import { type Exposure, exposureOf } from '../../settlement/exposure.ts'
import type { AnswerFees } from '../../settlement/fees.ts'
import type { ReserveTerms } from '../../settlement/reserve.ts'
import { isShownTick } from '../../signatures/commitments.ts'
import { startVerifier, type Verifier } from '../../signatures/index.ts'

export interface WatchtowerOptions {
  /** Pays for the answers. Not the receiver's: a stolen watchtower must not be worth anything. */
  readonly signer: Signer
  /** Whose channels are guarded. */
  readonly receiver: Address
  readonly rpcUrl: string | readonly string[]
  /** Nodes that must agree where money depends on it. */
  readonly quorum?: number
  readonly chainId?: bigint
  readonly contract: Address
  /** Folder for the proofs; made if missing, for its owner only. */
  readonly state: string
  /** Refuse a contract whose challenge period is shorter, in seconds as the chain's blocks take. Default: any. */
  readonly leastChallengePeriod?: number
  /** Part of the challenge period that is left to the receiver to answer itself, 0 to 0.9. Default 0.5. */
  readonly patience?: number
  /** How deep a block must be to count, itself included. Default 2; disputes are answered when seen. */
  readonly confirmations?: number
  readonly startBlock?: ChainBlock
  /** Between two looks at the chain, in milliseconds. Default 2000. */
  readonly pollInterval?: number
  /** What answers may cost. */
  readonly fees?: AnswerFees
  /** What one ether is worth: closes over less than their answer costs at the moment are left alone. */
  readonly etherPrice?: TokenAmount | string | undefined
  /** Without `etherPrice`: closes over no more than this are left alone. Default 0: every one is answered. */
  readonly least?: TokenAmount | string | undefined
  /** Channels whose proofs are kept at the same time. Default 100 000. */
  readonly mostChannels?: number
  /** How often to look whether a transaction was mined, in milliseconds. Default 500. */
  readonly transactionPoll?: number
  readonly log?: SettlementLog
}

export interface WatchtowerStatus extends Exposure {
  /** Channels with a proof. */
  readonly proofs: number
  readonly answers: readonly PendingAnswer[]
  readonly block: ChainBlock | undefined
  /** Milliseconds since the chain was read up to its head; Infinity before the first time. */
  readonly chainAge: number
  /** Of the account that pays, in wei. */
  readonly ether: bigint | undefined
}

export interface Watchtower {
  readonly guarded: ProofOwner
  readonly account: Address
  /**
   * Checks a copy of a proof and keeps it when it is the best one; resolves when it is on disk.
   * A higher balance never gives way to a lower one.
   */
  readonly keep: (proof: PushedProof) => Promise<Verdict>
  /** Keeps a key, when its number is the higher one, and an agreement, when it is the first; on disk when it resolves. */
  readonly keepRecord: (record: PushedRecord) => Promise<void>
  /** What is kept, as a backup that the receiver can be restored from; not signed by it. */
  readonly backup: () => Promise<string>
  readonly status: () => WatchtowerStatus
  /** What is kept for a channel; 0 when there is none. */
  readonly balance: (sender: Address, openBlock: ContractBlock) => TokenAmount
  readonly synced: Promise<void>
  readonly refresh: () => Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * @throws UraidenError `chain_unavailable`, `contract_missing`, `contract_version_unsupported`,
 * `challenge_period_short`, and those of `openStore`
 */
export async function startWatchtower(options: WatchtowerOptions): Promise<Watchtower> {
  const { contract, receiver, state } = options
  const chain = await connectChain(options)
  try {
    const { version } = await chain.contractFacts()
    const short = await checkChallengePeriod(chain, options.leastChallengePeriod)
    if (short !== undefined) options.log?.warn({}, short)
    if (!contractAbilities(version).hasChallenge) throw needsChallenge(contract, version)
    const owner = { chainId: chain.chainId, contract, account: receiver }
    const store = await openStore(state, owner, { program: 'watchtower' })
    return await assemble(options, { connection: chain, store, version })
  } catch (error) {
    chain.close()
    throw error
  }
}

async function assemble(
  options: WatchtowerOptions,
  {
    connection,
    store,
    version,
  }: {
    readonly connection: ChainClient
    readonly store: ChannelStore
    /** Of the contract. */
    readonly version: string
  },
): Promise<Watchtower> {
  const { signer, receiver, contract, log, mostChannels = 100_000 } = options
  const book = await openBook(store, { keepSettled: usualKept })
  const startBlock = options.startBlock ?? (await firstBlock(connection, store.firstBlock))
  const domain = { contract, chainId: connection.chainId }
  const { forms, hasTicks: takesTicks } = contractAbilities(version)
  // Copies come coalesced: one thread has time for all of them.
  const verifier = await startVerifier({ domain, receiver, forms }, { verifierThreads: 0 }, log)
  let ether: bigint | undefined
  const { answers, gas } = await answersOf(options, {
    ...{ connection, store, book },
    head: () => watch.look.contractHead,
    ether: () => ether,
  })
  const watch = startWatch({ ...options, startBlock }, { chain: connection, book }, async () => {
    ether = await connection.etherBalance(signer.address)
    await gas?.refresh(watch.look.head ?? 0)
    await forgetSettled(book)
    await answers.round()
  })
  return {
    guarded: { ...domain, receiver },
    account: signer.address,
    keep: (proof) => keep({ book, checker: verifier, takesTicks, mostChannels }, proof),
    keepRecord: (record) => keepRecord({ book, mostChannels }, record),
    backup: async () => unsignedBackup({ ...domain, receiver }, await store.readLedgers()),
    balance: (sender, openBlock) => book.ledger(sender, openBlock).claims.highest,
    status: () => ({
      ...exposureOf(book),
      proofs: book.ledgerCount(),
      answers: answers.pending(),
      block: book.position()?.block,
      chainAge: watch.age(),
      ether,
    }),
    synced: watch.synced,
    refresh: watch.refresh,
    stop: async () => {
      await watch.stop()
      await verifier.close()
      connection.close()
      await answers.idle()
      await store.close()
    },
  }
}

interface Keeper {
  readonly book: ChannelBook
  readonly checker: Pick<Verifier, 'formOf' | 'commitments'>
  readonly takesTicks: boolean
  readonly mostChannels: number
}

async function keep(keeper: Keeper, pushed: PushedProof): Promise<Verdict> {
  const { book, mostChannels } = keeper
  const { sender, openBlock, balance } = pushed
  const known = () => book.ledger(sender, openBlock).claims.highest
  if (balance <= known()) return 'outdated'
  const isNew = book.ledger(sender, openBlock) === emptyLedger
  if (isNew && book.ledgerCount() >= mostChannels) return 'full'
  const proof = await checkedProof(keeper, pushed)
  if (proof === undefined) return 'invalid'
  // While the signature was checked a higher one may have come.
  if (balance <= known()) return 'outdated'
  const before = book.ledger(sender, openBlock)
  const claims = { highest: balance, unclaimed: [] }
  const fallbacks = fallbacksUnder(
    before,
    { claims, proof },
    book.earlierDeposits(sender, openBlock),
  )
  try {
    const { fallbacks: _, ...kept } = before
    const ledger = {
      ...{ ...kept, claims, proof },
      ...(fallbacks.length > 0 && { fallbacks }),
    }
    await book.putLedger(pushed, ledger)
  } catch (error) {
    // Not on disk, so not kept: it has to be sent again.
    if (known() === balance) book.putLedger(pushed, before).catch(() => undefined)
    throw error
  }
  return 'stored'
}

async function checkedProof(
  { checker, takesTicks }: Keeper,
  pushed: PushedProof,
): Promise<BestProof | undefined> {
  const { signature } = pushed
  if (!isTickForm(signature)) {
    const form = await checker.formOf({ ...pushed, signature })
    return form && { signature, form }
  }
  const isGood = takesTicks && isShownTick(checker.commitments, { ...pushed, signature })
  return isGood ? bestProofOf({ ...pushed, signature, form: 'eip712' }) : undefined
}

async function keepRecord(
  { book, mostChannels }: Omit<Keeper, 'checker' | 'takesTicks'>,
  { sender, openBlock, requestKey, agreedBalance }: PushedRecord,
): Promise<void> {
  const before = book.ledger(sender, openBlock)
  if (before === emptyLedger && book.ledgerCount() >= mostChannels) return
  const isNewer = requestKey && compareKeys(before.requestKey, requestKey) === 'newer'
  const isAgreed = agreedBalance !== undefined && before.agreedBalance === undefined
  if (!isNewer && !isAgreed) return
  await book.putLedger(
    { sender, openBlock },
    {
      ...before,
      ...(isNewer && { requestKey }),
      ...(isAgreed && { agreedToClose: true, agreedBalance }),
    },
  )
}

interface AnswerParts {
  readonly connection: ChainClient
  readonly store: ChannelStore
  readonly book: ChannelBook
  readonly head: () => ContractBlock | undefined
  readonly ether: () => bigint | undefined
}

async function answersOf(
  options: WatchtowerOptions,
  { connection, store, book, head, ether }: AnswerParts,
): Promise<{ readonly answers: Answers; readonly gas: GasPriceWatch | undefined }> {
  const { signer, receiver, patience = 0.5, fees = {}, transactionPoll, log } = options
  const { challengePeriod } = await connection.contractFacts()
  const transactions = createTransactionSender({
    chain: connection,
    signer,
    journal: store.journal,
    ...(transactionPoll !== undefined && { pollInterval: transactionPoll }),
  })
  const worth = await worthOf(options, connection)
  const gas = worth && watchGasPrice(transactions.gasPrice)
  const answers = createAnswers({
    book,
    transactions,
    challengePeriod,
    head: () => head() ?? 0,
    ether,
    fees,
    terms: () => {
      const now = gas?.now()
      return worth && now !== undefined ? { ...worth, fee: now, now } : undefined
    },
    delay: Math.floor(challengePeriod * Math.min(Math.max(patience, 0), 0.9)),
    answer: async (closing: Channel) => {
      const proven = provenOf(closing)
      if (proven === undefined) throw new Error('an answer without a proof')
      const channel = { sender: closing.sender, receiver, openBlock: closing.openBlock }
      return connection.calls.challenge(channel, proven.balance, shortProof(proven.signature))
    },
    log,
  })
  return { answers, gas }
}

/**
 * What is worth an answer; undefined: everything. It challenges channel by channel.
 * @throws UraidenError `wrong_token`, `too_many_decimals`
 */
async function worthOf(
  { etherPrice, least }: Pick<WatchtowerOptions, 'etherPrice' | 'least'>,
  connection: ChainClient,
): Promise<Omit<ReserveTerms, 'fee'> | undefined> {
  if (etherPrice === undefined && least === undefined) return undefined
  const token = await connection.tokenFacts()
  const amount = (value: TokenAmount | string | undefined) =>
    typeof value === 'string' ? parseAmount(value, token) : value
  return { hasBatches: false, etherPrice: amount(etherPrice), least: amount(least) }
}

type StartedOptions = WatchtowerOptions & Required<Pick<WatchtowerOptions, 'startBlock'>>

function startWatch(
  { receiver, confirmations = 2, startBlock, pollInterval = 2000, log }: StartedOptions,
  { chain, book }: { readonly chain: ChainClient; readonly book: ChannelBook },
  afterSync: () => Promise<void>,
): ChainWatch {
  return watchChain({
    chain,
    book,
    receiver,
    startBlock,
    confirmations,
    interval: pollInterval,
    afterSync,
    onOutcome: (outcome) => {
      if (outcome.kind !== 'synced') log?.warn(outcome, 'the chain went back; it is read again')
    },
    onError: (err) => log?.warn({ err }, 'the chain could not be read'),
  })
}

/** A settled channel needs no proof any more, once no reorganisation can bring it back. */
async function forgetSettled(book: ChannelBook): Promise<void> {
  const final = (book.position()?.block ?? 0) - historyDepth
  for (const { sender, openBlock, proof, requestKey, end } of book.inState('settled')) {
    const isKept = proof !== undefined || requestKey !== undefined
    const isOver = isKept && (end?.block ?? 0) < final
    if (isOver) await book.dropLedger(sender, openBlock)
  }
}

function needsChallenge(contract: Address, version: string): UraidenError {
  return receiverError({
    code: 'contract_version_unsupported',
    message: `The contract ${contract} has version ${version}; only from 0.3 on can somebody else than the receiver answer a close.`,
    hint: 'Use a contract of version 0.3 or later, or keep the receiver itself running.',
  })
}
