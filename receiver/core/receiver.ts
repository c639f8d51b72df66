// The receiver without any HTTP server: chain, state, channel manager and paywall, put together.
import {
  type ChainClient,
  type ContractFacts,
  connectChain,
  createTransactionSender,
  type TokenFacts,
} from '../../platform/chain/index.ts'
import {
  type Address,
  type BlockNumber,
  type Feature,
  type Payment,
  type Signer,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import { createDiskProbe, type ReceiverHealth, rememberHead } from '../chain/health.ts'
import { type ChainWatch, watchChain } from '../chain/watch.ts'
import { type ChannelBook, openBook } from '../channels/book.ts'
import { type ChannelManager, createChannelManager } from '../channels/manager.ts'
import { type ChannelName, dueOf, type PaymentLedger } from '../channels/records.ts'
import { type ChannelStore, openStore } from '../channels/store.ts'
import { builtPage } from '../paywall/built-page.ts'
import {
  type ChannelDue,
  decideOutage,
  defaultOutageLimits,
  type OutageLimits,
} from '../paywall/outage.ts'
import type { PaywallPage } from '../paywall/page.ts'
import { createPaywall, type Paywall } from '../paywall/paywall.ts'
import { rdnDialect } from '../paywall/rdn.ts'
import { defaultReplyLimits, openReplies, type ReplyLimits } from '../paywall/replies.ts'
import { createRelay, type Relay, type RelayOptions, type RelayParts } from '../settlement/relay.ts'
import {
  createSettlement,
  type Settlement,
  type SettlementOptions,
} from '../settlement/settlement.ts'
import { acceptedForms } from '../signatures/checker.ts'
import { startVerifier, type VerifierFacts, type VerifierOptions } from '../signatures/index.ts'
import { observedPaywall, type ReceiverObserver } from './observer.ts'
import type { PusherStatus, WatchtowerAddress } from './watchtower/pusher.ts'
import { startPushers } from './watchtower/pushers.ts'

export interface ReceiverLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

export interface ReceiverOptions extends VerifierOptions {
  /** Holds the receiver's key: it signs closing agreements. */
  readonly signer: Signer
  /** One node, or several in the order of preference. */
  readonly rpcUrl: string | readonly string[]
  /** How many of the nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number
  /** Refuse a node of another chain. */
  readonly chainId?: bigint
  readonly contract: Address
  /** Folder for balance proofs; made if missing, for its owner only. */
  readonly state: string
  /** How deep a block must be to count, itself included. Default 1. */
  readonly confirmations?: number
  /** No event of the contract is older. Default 0. */
  readonly startBlock?: BlockNumber
  /** Between two looks at the chain, in milliseconds. Default 2000. */
  readonly pollInterval?: number
  /** What is risked while the node does not answer. */
  readonly outage?: Partial<OutageLimits>
  /** Replies that may be asked for again, in time and bytes. */
  readonly replies?: Partial<ReplyLimits>
  /** What browsers see in place of a resource that is not paid for. */
  readonly page?: PaywallPage
  /** Send transactions for senders without ether, from this account; off when not given. */
  readonly relay?: RelayOptions
  /** When to withdraw, and what transactions may cost. Dishonest closes are always answered. */
  readonly settlement?: SettlementOptions
  /** Where copies of the best proofs go. */
  readonly watchtowers?: readonly WatchtowerAddress[]
  /** How often to look whether a transaction was mined, in milliseconds. Default 500. */
  readonly transactionPoll?: number
  readonly log?: ReceiverLog
  /** Counts what happens, for metrics. */
  readonly observer?: ReceiverObserver | undefined
  /** Milliseconds that only grow, by which an outage is measured; the process's own by default. */
  readonly now?: () => number
}

export interface Receiver {
  readonly address: Address
  readonly chainId: bigint
  readonly contract: Address
  readonly contractFacts: ContractFacts
  readonly token: TokenFacts
  /** How signatures are checked. */
  readonly verifier: VerifierFacts
  readonly paywall: Paywall
  readonly manager: ChannelManager
  readonly book: ChannelBook
  /** Undefined when it is off. */
  readonly relay: Relay | undefined
  readonly settlement: Settlement
  /** How far each of them is behind. */
  readonly watchtowers: () => readonly PusherStatus[]
  /** Resolves once the chain was read up to its head. */
  readonly synced: Promise<void>
  /** Reads the chain now instead of at the next poll. */
  readonly refresh: () => Promise<void>
  /** Tokens the receiver holds outside channels, as of the last look at the chain. */
  readonly liquidBalance: () => TokenAmount
  readonly health: ReceiverHealth
  /** What was paid, as it is on disk at one moment. */
  readonly ledgers: () => Promise<ReadonlyMap<ChannelName, PaymentLedger>>
  readonly stop: () => Promise<void>
}

export const gatewayPath = '/api/1'

const features: ReadonlySet<Feature> = new Set(['parallel', 'idempotency'])

/** What is left to say once the chain is connected. */
export type StartOptions = Omit<ReceiverOptions, 'rpcUrl' | 'quorum' | 'chainId'>

/** A connection, and what the chain says about the contract and its token. */
export interface ConnectedContract {
  readonly chain: ChainClient
  readonly contractFacts: ContractFacts
  readonly token: TokenFacts
}

/** @throws UraidenError `chain_unavailable`, `contract_missing`, `contract_version_unsupported` */
export async function connectContract(
  options: Pick<ReceiverOptions, 'rpcUrl' | 'quorum' | 'chainId' | 'contract' | 'observer'>,
): Promise<ConnectedContract> {
  const { observer } = options
  const chain = await connectChain({ ...options, ...(observer && { onRequest: observer.asked }) })
  try {
    const contractFacts = await supportedContract(chain)
    return { chain, contractFacts, token: await chain.tokenFacts() }
  } catch (error) {
    chain.close()
    throw error
  }
}

/** @throws UraidenError those of `connectContract` and `openStore` */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  return startReceiverOn(await connectContract(options), options)
}

/**
 * With a connection that is there already; it is closed with the receiver, or when this fails.
 * @throws UraidenError those of `openStore`
 */
export async function startReceiverOn(
  { chain, contractFacts, token }: ConnectedContract,
  options: StartOptions,
): Promise<Receiver> {
  const { contract, signer, state, observer } = options
  try {
    const owner = { chainId: chain.chainId, contract, account: signer.address }
    const store = await openStore(state, owner, { onCommit: observer?.committed })
    return await assemble(options, chain, contractFacts, token, store)
  } catch (error) {
    chain.close()
    throw error
  }
}

/** Major and minor version decide, as in the original. */
async function supportedContract(chain: ChainClient): Promise<ContractFacts> {
  const facts = await chain.contractFacts()
  if (!/^0\.[23]\./.test(facts.version)) {
    throw new UraidenError({
      code: 'contract_version_unsupported',
      message: `The contract ${chain.contract} has version ${facts.version}; this program knows 0.2 and 0.3.`,
      hint: 'Check the contract address, or use a newer program.',
    })
  }
  return facts
}

async function assemble(
  options: StartOptions,
  chain: ChainClient,
  contractFacts: ContractFacts,
  token: TokenFacts,
  store: ChannelStore,
): Promise<Receiver> {
  const { signer, contract, pollInterval = 2000, log, observer } = options
  const domain = { contract, chainId: chain.chainId }
  const pushers = startPushers(
    await openBook(store),
    options.watchtowers ?? [],
    { ...domain, receiver: signer.address },
    log,
  )
  const { book } = pushers
  const forms = acceptedForms(contractFacts.version)
  const verifier = await startVerifier({ domain, receiver: signer.address, forms }, options, log)
  const manager = createChannelManager({ book, checker: verifier, signer, domain })
  // One for all: two senders of one account would take the same nonces.
  const transactions = createTransactionSender({
    chain,
    signer,
    journal: store.journal,
    ...(options.transactionPoll !== undefined && { pollInterval: options.transactionPoll }),
  })
  const relay = relayOf(options, contractFacts, {
    ...{ chain, token, manager, book, transactions },
    checker: verifier,
  })
  const account = watchAccount(chain, signer.address)
  const seen = rememberHead(chain)
  const settlement = createSettlement(
    {
      ...{ chain, book, transactions, signer, domain, log },
      hasBatches: !contractFacts.version.startsWith('0.2.'),
      challengePeriod: contractFacts.challengePeriod,
      head: () => seen.head() ?? 0,
      ether: account.ether,
      refresh: () => watch.refresh(),
    },
    options.settlement ?? {},
  )
  const watch = startWatch(options, seen.chain, book, async () => {
    await account.refresh()
    await settlement.round()
  })
  const limits = { ...defaultOutageLimits, ...options.outage }
  const dialect = rdnDialect({
    gatewayPath,
    receiver: signer.address,
    contract,
    token: token.address,
    features: new Set<Feature>([
      ...features,
      ...(forms.includes('eip712') ? (['eip712'] as const) : []),
      ...(relay === undefined ? [] : (['relay'] as const)),
    ]),
  })
  const paywall = createPaywall({
    dialect,
    manager,
    replies: await openReplies(store.replies, { ...defaultReplyLimits, ...options.replies }),
    page: options.page ?? (await builtPage(log)),
    chainId: chain.chainId,
    token,
    isOurs: (payment) =>
      (payment.contract ?? contract) === contract &&
      (payment.receiver ?? signer.address) === signer.address,
    outage: (payment) =>
      decideOutage(limits, {
        nodeAnswers: watch.answers(),
        age: watch.age(),
        ether: account.ether(),
        due: book.unsettled(),
        payment: payment && !watch.answers() ? channelDue(book, payment) : undefined,
      }),
    retryAfter: Math.ceil(pollInterval / 1000),
  })
  return {
    address: signer.address,
    chainId: chain.chainId,
    contract,
    contractFacts,
    token,
    verifier,
    manager,
    book,
    relay,
    settlement,
    watchtowers: pushers.statuses,
    paywall: observer === undefined ? paywall : observedPaywall(paywall, observer),
    synced: watch.synced,
    refresh: watch.refresh,
    liquidBalance: account.tokens,
    ledgers: store.readLedgers,
    health: {
      chain: () => ({
        answers: watch.answers(),
        age: watch.age(),
        head: seen.head(),
        ether: account.ether(),
      }),
      disk: createDiskProbe({ write: store.probe, folder: options.state }),
    },
    stop: async () => {
      await watch.stop()
      await pushers.stop()
      await verifier.close()
      // Whoever waits for a block ends by this.
      chain.close()
      await settlement.stop()
      await store.close()
    },
  }
}

/** A replay owes no more than before; a channel that is not known yet owes nothing. */
function channelDue(
  book: ChannelBook,
  { sender, openBlock, balance }: Payment,
): ChannelDue | undefined {
  const channel = book.get(sender, openBlock)
  if (channel === undefined) return undefined
  const { highest } = channel.claims
  return {
    before: dueOf(channel, highest),
    after: dueOf(channel, balance > highest ? balance : highest),
  }
}

/** Contracts of version 0.2 know no deposits for others. */
function relayOf(
  { relay, signer, log }: Pick<ReceiverOptions, 'relay' | 'signer' | 'log'>,
  { version }: ContractFacts,
  parts: Pick<RelayParts, 'chain' | 'token' | 'manager' | 'book' | 'checker' | 'transactions'>,
): Relay | undefined {
  if (relay === undefined || version.startsWith('0.2.')) return undefined
  const { leastDeposit = 1n, mostFeePerGas } = relay
  return createRelay({
    ...parts,
    mostFeePerGas,
    own: signer.address,
    leastDeposit,
    onFailure: (err) => log?.warn({ err }, 'a transaction for a sender did not get through'),
  })
}

/** Ether and tokens of the receiver's account, looked at in the background. */
function watchAccount(chain: ChainClient, address: Address) {
  let ether: bigint | undefined
  let tokens = 0n
  return {
    ether: () => ether,
    tokens: () => tokens,
    refresh: async () => {
      const found = await Promise.all([chain.etherBalance(address), chain.tokenBalance(address)])
      ether = found[0]
      tokens = found[1]
    },
  }
}

function startWatch(
  options: StartOptions,
  chain: ChainClient,
  book: ChannelBook,
  afterSync: () => Promise<void>,
): ChainWatch {
  const { log, signer, confirmations = 1, startBlock = 0, pollInterval = 2000, now } = options
  return watchChain({
    ...(now !== undefined && { now }),
    chain,
    book,
    receiver: signer.address,
    startBlock,
    confirmations,
    interval: pollInterval,
    afterSync,
    onOutcome: (outcome) => {
      if (outcome.kind === 'node_behind') log?.warn({}, 'the node is behind; waiting for it')
      if (outcome.kind !== 'reorganised') return
      const { common, forgotten, channels } = outcome
      log?.warn(
        { common, forgotten, channels },
        'confirmed blocks were replaced; reading them again',
      )
    },
    onError: (error) => log?.warn({ err: error }, 'the chain could not be read'),
  })
}
