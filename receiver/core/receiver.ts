// The receiver without any HTTP server: chain, state, channel manager, settlement and paywall, put
// together part by part and stopped in the opposite order.

import {
  authorizationSeparator,
  type ChainClient,
  type ContractFacts,
  checkChallengePeriod,
  connectChain,
  createTransactionSender,
  dataFeeOf,
  readBlock,
  type TokenFacts,
  type TransactionSender,
} from '../../platform/chain/index.ts'
import {
  type Address,
  afterBlock,
  type BlockClock,
  type ChainBlock,
  type ContractBlock,
  contractAbilities,
  defined,
  type Feature,
  type SignatureDomain,
  type SignatureForm,
  type UraidenError,
} from '../../protocol/index.ts'
import { type AccountWatch, watchAccount } from '../chain/account.ts'
import { type BlockTimeWatch, watchBlockTime } from '../chain/block-time.ts'
import { firstBlock } from '../chain/first-block.ts'
import {
  type GasPrices,
  type GasPriceWatch,
  priceOfAnswers,
  watchGasPrice,
} from '../chain/gas-price.ts'
import { createDiskProbe, type ReceiverHealth } from '../chain/health.ts'
import type { SyncOutcome } from '../chain/sync.ts'
import { type ChainWatch, type WatchOptions, watchChain } from '../chain/watch.ts'
import type { ChannelBook } from '../channels/book.ts'
import {
  type ConfirmationStep,
  checkedSteps,
  confirmedAfter,
  type DepositLimits,
  firstDepth,
} from '../channels/ceiling.ts'
import { usualKept } from '../channels/forgetting.ts'
import { type ChannelManager, createChannelManager } from '../channels/manager.ts'
import {
  createRequestKeys,
  type RequestKeys,
  type RequestKeysOptions,
} from '../channels/request-keys.ts'
import {
  openFolderState,
  type ReceiverState,
  type SeenElsewhere,
  type Sharing,
  type StateOptions,
} from '../channels/state.ts'
import { receiverError } from '../errors/index.ts'
import { builtPage } from '../paywall/built-page.ts'
import { type Dialect, type RdnIdentity, rdnDialect } from '../paywall/dialect.ts'
import { createDoor } from '../paywall/door.ts'
import { createOutageCheck, defaultOutageLimits } from '../paywall/outage.ts'
import { createPaywall } from '../paywall/paywall.ts'
import {
  defaultReplyLimits,
  openReplies,
  type Replies,
  type ReplyLimits,
} from '../paywall/replies.ts'
import { openRelay, type RelayParts } from '../settlement/relay.ts'
import { createRelaySigner } from '../settlement/relay-signer.ts'
import { answerBytes, answerGas, createReserve, type Reserve } from '../settlement/reserve.ts'
import { createSettlement, type Settlement } from '../settlement/settlement.ts'
import { startVerifier, type Verifier } from '../signatures/index.ts'
import { chooseRecovery } from '../signatures/recovery.ts'
import type { X402 } from '../x402/open.ts'
import { goOnWith, ledSettlement, type SharedRelay, settlementErrands, shareRelay } from './led.ts'
import type { Receiver, ReceiverLog, ReceiverOptions } from './options.ts'
import { type StartedParts, startTogether } from './parts.ts'
import { openRequestKey, signedRequestKey } from './request-key.ts'
import { type ChainTimes, tellChannels, tellPayments } from './telling.ts'
import { startPusher } from './watchtower/pusher.ts'
import { readReceiverOptions, type StartReceiverOptions } from './written.ts'

export type { Receiver, ReceiverLog, ReceiverOptions } from './options.ts'

export const gatewayPath = '/api/1'

const features: ReadonlySet<Feature> = new Set(['parallel', 'idempotency'])

/** What is left to say once the chain is connected. */
export type StartOptions = Omit<ReceiverOptions, 'rpcUrl' | 'quorum' | 'timeout' | 'chainId'>

/** A connection, and what the chain says about the contract and its token. */
export interface ConnectedContract {
  readonly chain: ChainClient
  readonly contractFacts: ContractFacts
  readonly token: TokenFacts
}

/** @throws UraidenError `chain_unavailable`, `contract_missing`, `contract_version_unsupported` */
export async function connectContract(
  options: Pick<
    ReceiverOptions,
    'rpcUrl' | 'quorum' | 'timeout' | 'chainId' | 'contract' | 'observer'
  >,
): Promise<ConnectedContract> {
  const { observer } = options
  const chain = await connectChain({ ...options, ...(observer && { onRequest: observer.asked }) })
  try {
    const contractFacts = await chain.contractFacts()
    return { chain, contractFacts, token: await chain.tokenFacts() }
  } catch (error) {
    chain.close()
    throw error
  }
}

/**
 * Opens the state and follows the chain; resolves before it is read up to its head (`synced`). Sell
 * with one of the paywalls for node:http, fastify and express, or `createReceiverServer`.
 * @throws UraidenError `chain_unavailable`, `contract_missing`, `contract_version_unsupported`, those of
 * `readReceiverOptions`, `openStore` and `startVerifier`
 * @example
 * const receiver = await startReceiver({
 *   key: { file: 'receiver-key.json', passwordFile: 'receiver-password' },
 *   rpcUrl: 'http://127.0.0.1:8545',
 *   contract: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
 *   state: '/var/lib/my-shop',
 * })
 * await receiver.synced
 */
export async function startReceiver(given: StartReceiverOptions): Promise<Receiver> {
  const options = await readReceiverOptions(given)
  return startReceiverOn(await connectContract(options), options)
}

/**
 * With a connection that is there already; it is closed with the receiver, or when this fails.
 * @throws UraidenError `challenge_period_short`, those of `openStore` and `startVerifier`
 */
export async function startReceiverOn(
  connected: ConnectedContract,
  options: StartOptions,
): Promise<Receiver> {
  return startTogether(async (parts) => {
    parts.started(connected.chain.close)
    const short = await checkChallengePeriod(connected.chain, options.leastChallengePeriod)
    if (short !== undefined) options.log?.warn({}, short)
    return startParts(connected, options, parts)
  })
}

function startPushers(
  { watchtowers = [] }: StartOptions,
  own: Pick<Parameters<typeof startPusher>[0], 'book' | 'owner' | 'log'>,
  parts: StartedParts,
) {
  const pushers = watchtowers.map((address) => startPusher({ ...address, ...own }))
  parts.started(async () => void (await Promise.all(pushers.map(({ stop }) => stop()))))
  return pushers
}

async function startParts(
  connected: ConnectedContract,
  options: StartOptions,
  parts: StartedParts,
): Promise<Omit<Receiver, 'stop'>> {
  const { signer, contract, log } = options
  const base = await openBase(connected, options, parts)
  const { contractFacts, token, state, book, domain } = base
  const { ledgers, sharing } = state
  const gasPrices = await state.gasPrices.load()
  // When the connection is closed, which ends what waits for a block, and before the state is.
  let x402: X402 | undefined
  parts.started(async () => x402?.stop())
  const defence = createDefence(options, { ...base, gasPrices }, parts)
  const { account, settlement } = defence
  const { forms, hasTicks } = contractAbilities(contractFacts.version)
  const verifier = await startVerifier({ domain, receiver: signer.address, forms }, options, log)
  parts.started(verifier.close)
  let watch: ChainWatch | undefined
  const head = () => watch?.look.contractHead
  const keys = await openKeys(options, base, { recover: verifier.recover, head })
  const takesTicks = hasTicks && options.ticks !== 'off'
  const commitments = takesTicks ? verifier.commitments : undefined
  const silent = createChannelManager({ ledgers, checker: verifier, commitments, signer, domain })
  const manager = log === undefined ? silent : tellPayments(silent, log)
  const payer = relayPayer(options, { ...base, ...defence })
  const relay = await relayOf(options, { ...base, ...defence, manager, checker: verifier, payer })
  const owner = { ...domain, receiver: signer.address }
  const pushers = startPushers(options, { book, owner, log }, parts)
  sharing?.serve({ ...settlementErrands(settlement), ...relay?.errands })
  watch = defence.start()
  parts.started(watch.stop)
  sharing?.onElected(() => void watch?.refresh().catch(() => undefined))
  const { requestKeys, ownRequestKey } = keys
  const selling = { ...defence, manager, forms, takesTicks, relay, watch, requestKeys, payer }
  const sold = await openPaywall(options, base, selling)
  x402 = sold.x402
  return {
    address: signer.address,
    chainId: connected.chain.chainId,
    contract,
    startBlock: base.startBlock,
    contractFacts,
    token,
    ...{ takesTicks, verifier, manager },
    ...{ book, channels: ledgers },
    ...{ requestKeys, ownRequestKey },
    relay: relay?.relay,
    settlement: ledSettlement(settlement, sharing),
    watchtowers: () => pushers.map(({ status }) => status()),
    ...sold,
    take: sold.paywall.take,
    synced: watch.synced,
    refresh: watch.refresh,
    liquidBalance: () => account.funds.tokens,
    signer,
    ledgers: state.readLedgers,
    blockClock: () => clockOf(head(), base.blockTime),
    health: healthOf({ watch, account, write: state.probe, folder: options.state }),
  }
}

/** The receiver's own key for bound requests, and those of its senders. */
async function openKeys(
  { signer, state: folder }: StartOptions,
  { chain, book, domain, state }: Base,
  { recover, head }: Pick<RequestKeysOptions, 'recover' | 'head'>,
) {
  const own = await openRequestKey(
    { state: folder, credentials: process.env.CREDENTIALS_DIRECTORY },
    async () => (await chain.head()).contractBlock,
  )
  const { ledgers, askKey, seenKey } = state
  const requestKeys = createRequestKeys({
    ...{ book, ledgers, askKey, seenKey, domain, own, head, recover },
    receiver: signer.address,
  })
  const showOwn = signedRequestKey(own, { signer, domain })
  return { requestKeys, ownRequestKey: () => showOwn(head() ?? Number(own.number)) }
}

type Base = Awaited<ReturnType<typeof openBase>>

/** What all other parts stand on: the chain, and what is on disk. */
async function openBase(connected: ConnectedContract, options: StartOptions, parts: StartedParts) {
  const { contract, signer, observer } = options
  const domain: SignatureDomain = { contract, chainId: connected.chain.chainId }
  const owner = { ...domain, account: signer.address }
  const limits = depositLimits(options)
  const state = await openState(options, {
    ...{ owner, limits, keepSettled: options.keepSettled ?? usualKept },
    ...{ folder: options.state, started: parts.started, onCommit: observer?.committed },
    onWait: observer?.waited,
    head: async () => (await connected.chain.head()).contractBlock,
  })
  const blockTime = watchBlockTime(connected.chain)
  await blockTime.refresh()
  return {
    ...{ ...connected, domain, state, limits, book: state.book, blockTime },
    startBlock: options.startBlock ?? (await firstBlock(connected.chain, state.firstBlock)),
  }
}

/** What serves a shared state is loaded where one is configured, and only there. */
async function openState(options: StartOptions, given: StateOptions): Promise<ReceiverState> {
  const { database: settings, accept, outage, pollInterval = usualPoll, log } = options
  if (settings === undefined) return openFolderState(given)
  if (accept?.x402 !== undefined) throw notShared('accept.x402')
  const { longest: longestOutage, mostInAll } = { ...defaultOutageLimits, ...outage }
  const { openSharedState } = await import('../cluster/shared-state.ts')
  return openSharedState({
    ...{ ...given, settings, longestOutage, mostInAll, pollInterval },
    ...defined({ log }),
  })
}

/** Milliseconds between two looks at the chain. */
const usualPoll = 2000

function notShared(what: string): UraidenError {
  return receiverError({
    code: 'state_not_shareable',
    message: `${what}: a state that several receivers share does not keep it.`,
  })
}

/** The block after the one that opens a channel, as the original has it (wire-protocol.md section 9). */
const usualConfirmations = 2

/** It is seen early, so that whoever pays is told to wait. */
const onceFinal: readonly ConfirmationStep[] = [
  { blocks: usualConfirmations, mostOwed: 0n },
  { blocks: 'finalised' },
]

/** @throws UraidenError `confirmations_invalid` */
function depositLimits({
  confirmations = usualConfirmations,
  notFinal,
}: StartOptions): DepositLimits {
  if (typeof confirmations === 'number') return { ...confirmedAfter(confirmations), ...notFinal }
  if (confirmations === 'finalised') return { steps: onceFinal, ...notFinal }
  return { steps: checkedSteps(confirmations), ...notFinal }
}

interface Defence {
  readonly account: AccountWatch
  readonly settlement: Settlement
  /** One for all: two senders of one account would take the same nonces. */
  readonly transactions: TransactionSender
  readonly gas: GasPriceWatch
  readonly reserve: Reserve
  readonly head: () => ChainBlock
  /** Follows the chain, and answers what it sees; everything that listens must be there. */
  readonly start: () => ChainWatch
}

/** Follows the chain, and gets what there are proofs for. */
function createDefence(
  options: StartOptions,
  base: Base & { readonly gasPrices: GasPrices },
  parts: StartedParts,
): Defence {
  const { signer, log, transactionPoll, shared } = options
  const { sharing } = base.state
  const { chain, contractFacts, state, book, domain, limits, blockTime } = base
  const journal = state.journal(signer.address)
  const transactions = createTransactionSender({
    ...{ chain, signer, journal },
    onFee: options.observer?.mined,
    ...defined({ pollInterval: transactionPoll, lane: shared?.lane }),
  })
  goOnWith(sharing, journal, { transactions, onFailure: failing(log) })
  const account = watchAccount(chain, signer.address)
  const { price, gas } = watchPrices(options, base, transactions)
  const { hasBatches } = contractAbilities(contractFacts.version)
  const ether = () => account.funds.ether
  const { contract } = options
  const { fees, withdraw, leastDefended: least } = options.settlement ?? {}
  const reserve = createReserve({
    ...{ book, ether, hasBatches, least, highest: gas.highest, data: price.data },
    most: fees?.most,
    etherPrice: withdraw?.etherPrice,
    others: () => shared?.neededBeside(contract) ?? 0n,
    onShort: ({ channels, needed }) =>
      log?.warn({ channels, needed: `${needed}` }, 'too little ether to defend all channels'),
  })
  shared?.add(contract, reserve)
  let watch: ChainWatch | undefined
  const head = () => watch?.look.head ?? 0
  const contractHead = () => watch?.look.contractHead
  const settlement = createSettlement(
    {
      ...{ chain, book, transactions, signer, domain, hasBatches, ether, reserve, log },
      head: () => contractHead() ?? 0,
      gasPrice: gas.now,
      challengePeriod: contractFacts.challengePeriod,
      refresh: async () => watch?.refresh(),
    },
    options.settlement ?? {},
  )
  parts.started(async () => {
    // Whoever waits for a block ends by this.
    chain.close()
    await settlement.stop()
  })
  const afterSync = async () => {
    // What an answer may cost decides whether it is given.
    const looks = [account.refresh(), gas.refresh(head()), blockTime.refresh(contractHead())]
    if (waitsForFinality(limits)) looks.push(lookForFinality(chain, book))
    await Promise.all(looks)
    await sharing?.chainWasRead()
    // Answers first: nothing that is only looked at holds them up.
    await settlement.round()
    reserve.round()
    await sharing?.roundWentWell({ head: head(), contractHead: contractHead() ?? 0 })
  }
  const looksBeside = (seen: SeenElsewhere) => [
    ...[account.refresh(), gas.refresh(seen.head ?? 0), blockTime.refresh(seen.contractHead)],
  ]
  const seenElsewhere = sharing && elsewhere(sharing, looksBeside, reserve)
  const start = () => {
    watch = followChain(options, { ...base, afterSync, seenElsewhere })
    return watch
  }
  return { account, settlement, transactions, gas, reserve, head, start }
}

function watchPrices(
  { log }: StartOptions,
  { chain, state, gasPrices: known }: Base & { readonly gasPrices: GasPrices },
  transactions: TransactionSender,
) {
  const price = priceOfAnswers(transactions.gasPrice, dataFeeOf(chain), {
    gas: answerGas,
    bytes: answerBytes,
  })
  const keep = (prices: GasPrices) =>
    void state.gasPrices
      .save(prices)
      .catch((err) => log?.warn({ err }, 'the price of gas could not be written down'))
  return { price, gas: watchGasPrice(price.ask, { known, keep }) }
}

/** While another process reads the chain, this one looks only at what its answers tell of; its node may be away. */
function elsewhere(
  sharing: Sharing,
  looksBeside: (seen: SeenElsewhere) => readonly Promise<unknown>[],
  reserve: Reserve,
): Sharing['seenElsewhere'] {
  return async () => {
    const seen = await sharing.seenElsewhere()
    if (seen === undefined) return undefined
    await Promise.allSettled(looksBeside(seen))
    reserve.round()
    return seen
  }
}

function waitsForFinality({ steps }: DepositLimits): boolean {
  return steps.at(-1)?.blocks === 'finalised'
}

/** A node that does not say leaves it unknown: then no deposit is final. */
async function lookForFinality(chain: ChainClient, book: ChannelBook): Promise<void> {
  const asked = chain.request('eth_getBlockByNumber', ['finalized', false]).then(readBlock)
  const block = await asked.catch(() => undefined)
  book.setFinalised(block && Number(block.number))
}

function followChain(
  options: StartOptions,
  followed: Base & Pick<WatchOptions, 'afterSync' | 'seenElsewhere'>,
): ChainWatch {
  const { log, signer, pollInterval = usualPoll, now } = options
  const { chain, book, startBlock, afterSync, limits, blockTime, contractFacts } = followed
  let watch: ChainWatch | undefined
  const times: ChainTimes = {
    head: () => watch?.look.head,
    settles: (requested) =>
      afterBlock(
        requested + contractFacts.challengePeriod,
        clockOf(watch?.look.contractHead, blockTime),
      ),
  }
  watch = watchChain({
    ...{ chain, book, startBlock, afterSync, seenElsewhere: followed.seenElsewhere },
    ...(now !== undefined && { now }),
    receiver: signer.address,
    confirmations: firstDepth(limits.steps, usualConfirmations),
    interval: pollInterval,
    onEvents: log && tellChannels(log, times),
    onOutcome: (outcome) => tellOutcome(outcome, log),
    onError: (error) => log?.warn({ err: error }, 'the chain could not be read'),
  })
  return watch
}

function clockOf(
  head: ContractBlock | undefined,
  blockTime: BlockTimeWatch,
): BlockClock | undefined {
  return head === undefined ? undefined : { head, secondsPerBlock: blockTime.now() }
}

function tellOutcome(outcome: SyncOutcome, log: ReceiverLog | undefined): void {
  if (outcome.kind === 'node_behind') log?.warn({}, 'the node is behind; waiting for it')
  if (outcome.kind !== 'reorganised') return
  const { common, forgotten, channels } = outcome
  log?.warn({ common, forgotten, channels }, 'confirmed blocks were replaced; reading them again')
}

/** The account that pays for what others have done, and whether it may. */
interface RelayPayer {
  readonly transactions: TransactionSender
  /** @throws UraidenError `relay_reserve` */
  readonly checkEther: () => Promise<void>
}

/** One for all: two senders of one account would take the same nonces. */
function relayPayer(
  { relay, signer, transactionPoll, observer, log }: StartOptions,
  { chain, state, transactions, reserve }: Base & Omit<Defence, 'start'>,
): RelayPayer {
  if (relay?.signer === undefined) {
    const checkEther = async () => reserve.checkRelay(await chain.etherBalance(signer.address))
    return { transactions, checkEther }
  }
  const journal = state.journal(relay.signer.address)
  const own = createTransactionSender({
    ...{ chain, signer: relay.signer, pollInterval: transactionPoll, journal },
    onFee: observer?.mined,
  })
  goOnWith(state.sharing, journal, { transactions: own, onFailure: failing(log) })
  return { checkEther: async () => undefined, transactions: own }
}

interface RelayBase extends Base, Omit<Defence, 'start'> {
  readonly manager: ChannelManager
  readonly checker: Verifier
  readonly payer: RelayPayer
}

/** Contracts of version 0.2 know no deposits for others. */
async function relayOf(
  { relay, signer, verifier, log }: StartOptions,
  base: RelayBase,
): Promise<SharedRelay | undefined> {
  const { chain, gas, head, payer, state } = base
  if (relay === undefined || !contractAbilities(base.contractFacts.version).hasRelay)
    return undefined
  if (relay.signer?.address === signer.address) throw sameAccount(signer.address)
  const { recovery } = await chooseRecovery(verifier && [verifier])
  const parts: RelayParts = {
    ...{ ...base, ...payer, ledgers: state.ledgers },
    signed: createRelaySigner({ chain, by: recovery, head }),
    authorizations: await authorizationSeparator(chain),
    gasPrice: gas.now,
    options: relay,
    allowances: state.allowances,
    own: signer.address,
    onFailure: failing(log),
  }
  return shareRelay(() => openRelay(parts), state.sharing)
}

function failing(log: ReceiverLog | undefined) {
  return (err: unknown) => log?.warn({ err }, 'a transaction for a sender did not get through')
}

function sameAccount(account: Address): UraidenError {
  return receiverError({
    code: 'relay_key_same',
    message: `relay.key and key are both of ${account}.`,
  })
}

interface PaywallBase {
  readonly manager: ChannelManager
  readonly forms: readonly SignatureForm[]
  readonly takesTicks: boolean
  readonly relay: SharedRelay | undefined
  readonly watch: ChainWatch
  readonly account: AccountWatch
  readonly requestKeys: RequestKeys
  readonly reserve: Reserve
  readonly gas: GasPriceWatch
  readonly payer: RelayPayer
}

async function openPaywall(
  options: StartOptions,
  base: Base,
  selling: PaywallBase,
): Promise<Pick<Receiver, 'paywall'> & { readonly x402: X402 | undefined }> {
  const { chain, token, state, book } = base
  const { manager, watch, account, requestKeys, reserve } = selling
  const { contract, log, now, pollInterval = 2000 } = options
  const limits = { ...defaultOutageLimits, ...options.outage }
  const dialect = rdnDialect(identityOf(options, base, selling))
  const shared = state.sharing?.outage
  shared?.answersBy(() => watch.look.answers)
  const replies = await openReplies(state.replies, replyLimits(options, state))
  const x402 = await x402Of(options, base, { ...selling, rdn: dialect, replies })
  const paywall = createPaywall({
    door: createDoor({ ...options, find: requestKeys.find, ask: requestKeys.ask }),
    silence: state.sharing?.silence,
    bound: options.bound ?? 'offer',
    ...{ dialect, manager, replies, token, contract },
    other: x402?.dialect,
    page: options.page ?? (await builtPage(log)),
    seller: options.seller,
    chainId: chain.chainId,
    receiver: options.signer.address,
    outage: createOutageCheck({
      ...{ limits, now, book, look: watch.look, account: account.funds },
      isShortForNew: reserve.isShortForNew,
      isShareSpent: shared?.isSpent,
    }),
    retryAfter: Math.ceil(pollInterval / 1000),
    observer: options.observer,
  })
  return { paywall, x402 }
}

function identityOf(
  { contract, publicPath = '', shared, signer }: StartOptions,
  { token }: Base,
  { forms, takesTicks, relay }: PaywallBase,
): RdnIdentity {
  const offered = new Set<Feature>([
    ...features,
    ...(forms.includes('eip712') ? (['eip712'] as const) : []),
    ...(relay === undefined ? [] : (['relay'] as const)),
  ])
  return {
    gatewayPath: `${publicPath}${gatewayPath}`,
    ...{ receiver: signer.address, contract, token: token.address, features: offered },
    boundFeatures: new Set<Feature>(takesTicks ? ['ticks'] : []),
    otherContracts: shared?.contracts.filter((each) => each !== contract),
  }
}

/** What one process has answered another one repeats, however long it is. */
function replyLimits({ replies }: StartOptions, { sharing }: ReceiverState): ReplyLimits {
  const limits = { ...defaultReplyLimits, ...replies }
  return sharing === undefined ? limits : { ...limits, largestOnDisk: limits.largestBody }
}

interface X402Base extends PaywallBase {
  readonly rdn: Dialect
  readonly replies: Replies
}

/** Its code is loaded where it is configured, and only there. */
async function x402Of(
  options: StartOptions,
  { chain, token, state }: Base,
  { rdn, replies, payer, gas }: X402Base,
): Promise<X402 | undefined> {
  const { accept, signer, verifier, log, origins = [], publicPath = '' } = options
  const { authorizations: disk } = state
  if (accept?.x402 === undefined || disk === undefined) return undefined
  const { recovery } = await chooseRecovery(verifier && [verifier])
  const { openX402 } = await import('../x402/open.ts')
  return openX402(accept.x402, {
    ...{ chain, token, rdn, replies, recovery, receiver: signer.address },
    ...{ disk, gasPrice: gas.now, origins, publicPath, log },
    ...{ ...payer, pollInterval: options.transactionPoll ?? 500 },
  })
}

interface HealthSources {
  readonly watch: ChainWatch
  readonly account: AccountWatch
  /** Rejects when the disk takes no write. */
  readonly write: () => Promise<void>
  readonly folder: string
}

function healthOf({ watch, account, write, folder }: HealthSources): ReceiverHealth {
  return {
    chain: () => ({
      answers: watch.look.answers,
      age: watch.age(),
      head: watch.look.head,
      ether: account.funds.ether,
    }),
    disk: createDiskProbe({ write, folder }),
  }
}
