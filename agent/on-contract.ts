// What an agent has on one contract: its connection, its channels there, and how requests are paid through it.
import { once } from '../platform/async/once.ts'
import type { Receipt, TransactionLane } from '../platform/chain/index.ts'
import {
  type Address,
  createProofMaker,
  defined,
  headerName,
  mostTicks,
  type UraidenError,
} from '../protocol/index.ts'
import { createBindings, defaultBound } from './channels/binding.ts'
import { defaultDeposits } from './channels/choose.ts'
import { type ClosingWork, finishCloses } from './channels/closing-together.ts'
import { type ChainConnection, createConnection } from './channels/connection.ts'
import { createFunding } from './channels/funding.ts'
import type { Ledger } from './channels/ledger-types.ts'
import { type ChannelManagement, createManagement } from './channels/management.ts'
import { afterSearch } from './channels/search.ts'
import type { TransactionBudget } from './channels/transaction-budget.ts'
import { agentError } from './errors/index.ts'
import type { AgentOptions } from './options.ts'
import { createAttempts } from './purchase/attempt.ts'
import type { Behaviours } from './purchase/behaviour.ts'
import { createDelivery } from './purchase/delivery.ts'
import { createLostPayments, type LostPayments } from './purchase/lost.ts'
import { createPolicyCheck, type Policy } from './purchase/policy.ts'
import type { PurchaseParts } from './purchase/states.ts'
import { createTermsMemory, type Prices, type Sellers } from './purchase/terms.ts'
import { createTicks } from './purchase/ticks.ts'
import { createTransfers, type Transfers } from './purchase/transfer.ts'
import { createVerdicts } from './purchase/verdict.ts'
import type { Transport } from './transport/transport.ts'

/** What all contracts of an agent have in common. */
export interface Common extends Pick<PurchaseParts, 'history' | 'locks' | 'elsewhere'> {
  readonly behaviours: Behaviours
  readonly sellers: Sellers
  readonly prices: Prices
  readonly transactions: TransactionBudget
  /** Told of each own transaction before it is booked. */
  readonly paid: (receipt: Receipt) => void
  readonly lane: TransactionLane
  readonly transport: Transport
  /** That of the budgets, where this contract's must be the same. */
  readonly token?: () => Promise<Address>
}

export interface OnContract {
  readonly contract: Address
  /** Its own channels and notes, and the budget of all. */
  readonly ledger: Ledger
  readonly work: ClosingWork
  readonly connection: ChainConnection
  readonly management: ChannelManagement
  readonly lost: LostPayments
  readonly transfers: () => Promise<Transfers>
  /** Token and contract version are the chain's, so the first purchase may have to wait for it. */
  readonly parts: () => Promise<PurchaseParts>
}

export function workOn(options: AgentOptions, ledger: Ledger, common: Common): OnContract {
  const { contract, deposit, budget, leastChallengePeriod, startBlock, mostFeePerGas } = options
  const { transactions, behaviours, locks } = common
  const connection = connectionOf(options, ledger, common)
  const transport = naming(contract, common.transport)
  const work = closingWork(options, { ledger, connection, transport })
  const searchedChain = afterSearch(work, startBlock)
  const funding = createFunding({
    ...work,
    chain: searchedChain,
    deposits: { ...defaultDeposits, ...deposit },
    total: budget?.total,
    leastChallengePeriod,
    ...{ transactions, mostFeePerGas },
    mayDeposit: (receiver) => behaviours.mayDeposit(receiver),
    finishCloses: (receiver) => finishCloses(work, receiver),
  })
  const lost = createLostPayments(ledger.notes)
  return {
    ...{ contract, ledger, work, connection, lost },
    management: createManagement({
      ...{ work, funding, locks, mostFeePerGas, searchedChain },
      startBlock,
    }),
    parts: once(() => purchaseParts(options, work, { ...common, connection, funding, lost })),
    transfers: once(async () =>
      createTransfers({
        ...{ ...work, funding, behaviours, locks },
        ...{ chainId: options.chainId, hooks: options.hooks, facts: await connection.facts() },
        policy: policyOf(options, (await connection.facts()).token.address),
      }),
    ),
  }
}

function connectionOf(
  options: AgentOptions,
  ledger: Ledger,
  { paid, lane }: Common,
): ChainConnection {
  const { onChannelChange = () => undefined } = options
  return createConnection({ ...options, lane }, { ledger, onChange: onChannelChange, onPaid: paid })
}

/** In milliseconds. A receiver may want 12 blocks, which can take 12 seconds each, and begins with the next one. */
function waitsOf({ confirmTimeout = 240_000, retryInterval = 500 }: AgentOptions) {
  return { confirmTimeout, retryInterval }
}

interface Connected extends Pick<Common, 'transport'> {
  readonly ledger: Ledger
  readonly connection: ChainConnection
}

function closingWork(
  options: AgentOptions,
  { ledger, connection: { chain, facts }, transport }: Connected,
): ClosingWork {
  const { signer, contract, chainId, funding: method = 'auto', confirmations = 1 } = options
  const { retryInterval, confirmTimeout } = waitsOf(options)
  const { bound } = options
  const domain = { contract, chainId }
  const work = { ledger, chain, own: signer.address, confirmations }
  return {
    ...{ ...work, method, domain },
    proofs: createProofMaker(signer, domain),
    contractVersion: async () => (await facts()).contractVersion,
    relaying: { transport, pollInterval: retryInterval },
    bindings: createBindings({
      ...{ work, signer, domain, transport, retryInterval, confirmTimeout },
      policy: ({ url, receiver }) =>
        (typeof bound === 'function' ? bound(url, receiver) : bound) ??
        defaultBound(ledger.facts()?.contractVersion),
    }),
  }
}

interface Paying extends Common {
  readonly connection: ChainConnection
  readonly funding: ReturnType<typeof createFunding>
  readonly lost: LostPayments
}

/** @throws UraidenError `contract_token_differs` */
async function purchaseParts(
  options: AgentOptions,
  { ledger, proofs, bindings, own }: ClosingWork,
  { connection, funding, lost, prices, sellers, ...common }: Paying,
): Promise<PurchaseParts> {
  const { history, locks, behaviours, elsewhere, transport } = common
  const { confirmTimeout, retryInterval } = waitsOf(options)
  const { repeats = 1, receiverAt, hooks, ticks: most = mostTicks } = options
  const { token, contractVersion } = await connection.facts()
  const wanted = await common.token?.()
  if (wanted !== undefined && wanted !== token.address) throw otherToken(options, token, wanted)
  const terms = createTermsMemory(prices)
  const paying = { ledger, funding, proofs, token }
  const { lastPrice } = terms
  return {
    ...{ terms, lost, history, locks, hooks, bindings, behaviours },
    ...defined({ elsewhere }),
    policy: createPolicyCheck({
      policy: policyOf(options, token.address),
      ...{ token, receiverAt, lastPrice, sellers, behaviours },
    }),
    attempts: createAttempts({
      ...{ ...paying, own, contractVersion, lost, bindings },
      ticks: createTicks({ ledger, proofs, contractVersion, most }),
      ...{ lastPrice, behaviours },
    }),
    delivery: createDelivery({
      transport,
      repeats,
      confirmTimeout,
      retryInterval,
    }),
    verdicts: createVerdicts(paying),
  }
}

function otherToken(
  { contract }: AgentOptions,
  { address }: { readonly address: Address },
  wanted: Address,
): UraidenError {
  return agentError({
    code: 'contract_token_differs',
    message: `The former contract ${contract} has the token ${address}, not ${wanted}.`,
  })
}

function policyOf(
  { contract, budget, receivers, hosts, priceJump, dryRun }: AgentOptions,
  token: Address,
): Policy {
  return {
    ...{ contract, token },
    ...(budget?.request !== undefined && { request: budget.request }),
    ...(receivers && { receivers }),
    ...(hosts && { hosts }),
    ...defined({ priceJump, dryRun }),
  }
}

/** What is asked of a channel API is about channels of this contract: a receiver may have several. */
function naming(contract: Address, transport: Transport): Transport {
  return {
    send: (request) =>
      transport.send({
        ...request,
        headers: { [headerName.contract]: contract, ...request.headers },
      }),
  }
}
