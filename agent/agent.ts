// The agent: ledger, chain, transport, channels and purchases, put together.

import { createLocks } from '../platform/async/locks.ts'
import { once } from '../platform/async/once.ts'
import { challengeTime } from '../platform/chain/index.ts'
import { machineClock } from '../platform/time/machine-clock.ts'
import type { Address } from '../protocol/index.ts'
import { createProofMaker, defined } from '../protocol/index.ts'
import { type Budget, type BudgetScope, capsOf, defaultTransactionCaps } from './budget/caps.ts'
import { createBindings, defaultBound } from './channels/binding.ts'
import { defaultDeposits } from './channels/choose.ts'
import { type ClosingWork, finishCloses } from './channels/closing-together.ts'
import { type ChainConnection, createConnection } from './channels/connection.ts'
import { createFunding } from './channels/funding.ts'
import { openLedger } from './channels/ledger.ts'
import type { Ledger } from './channels/ledger-types.ts'
import { createManagement } from './channels/management.ts'
import { afterSearch } from './channels/search.ts'
import { createTransactionBudget, type TransactionBudget } from './channels/transaction-budget.ts'
import type { Agent, AgentOptions, BudgetView } from './options.ts'
import { createAttempts } from './purchase/attempt.ts'
import { createBehaviours } from './purchase/behaviour.ts'
import { createDelivery } from './purchase/delivery.ts'
import { createPurchaseHistory } from './purchase/history.ts'
import { createLostPayments } from './purchase/lost.ts'
import { createPolicyCheck, type Policy } from './purchase/policy.ts'
import { probe } from './purchase/probe.ts'
import { createPurchases, type PurchaseParts } from './purchase/states.ts'
import { createSellers, createTermsMemory } from './purchase/terms.ts'
import { createVerdicts } from './purchase/verdict.ts'
import { createTransport } from './transport/transport.ts'

/**
 * An agent on its store, which no other process may have open. It asks the chain when it has to, not before.
 * @throws UraidenError those of `openState`, `ledger_damaged`
 * @example
 * const agent = await createAgent({
 *   signer: createKeySigner(fromHex(process.env.SENDER_KEY)),
 *   rpcUrl: 'http://192.168.1.10:8545',
 *   chainId: 1337n,
 *   contract: parseAddress(process.env.CONTRACT),
 *   store: '/var/lib/my-program/ledger',
 *   budget: { day: 1000n },
 * })
 * const answer = await agent.get('http://192.168.1.10:8080/reading')
 * console.log(answer.json(), answer.payment?.cost)
 * await agent.stop()
 */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { signer, contract, chainId, store, reservation = 16, timeZone } = options
  const budget = withDefaults(options.budget)
  const ledger = await openLedger({
    folder: store,
    owner: { chainId, contract, account: signer.address },
    reservation,
    budget,
    readClock: machineClock(options.clock ?? 'auto'),
    ...(timeZone !== undefined && { timeZone }),
  })
  const { mostFeePerGas = mostFeePerGasByDefault } = options
  return assemble({ ...options, mostFeePerGas, budget }, ledger)
}

/** What is not said of transactions is limited all the same: their price is others' word. */
function withDefaults({ ether, openings, openingsPerReceiver, ...tokens }: Budget = {}): Budget {
  const usual = defaultTransactionCaps
  return {
    ...tokens,
    ether: { ...usual.ether, ...ether },
    openings: { ...usual.openings, ...openings },
    openingsPerReceiver: { ...usual.openingsPerReceiver, ...openingsPerReceiver },
  }
}

/** In wei: 500 gwei, as in the worst hours of the main chain. What costs more was made up by a node. */
const mostFeePerGasByDefault = 500_000_000_000n

function assemble(options: AgentOptions, ledger: Ledger): Agent {
  const { signer, mostFeePerGas, history: remembered = 500 } = options
  const transactions = createTransactionBudget({ ledger, mostFeePerGas })
  const connection = connectionOf(options, { ledger, transactions })
  const work = closingWork(options, ledger, connection)
  const { deposit } = options
  const behaviours = createBehaviours(ledger.notes)
  const searchedChain = afterSearch(work, options.startBlock)
  const funding = createFunding({
    ...work,
    chain: searchedChain,
    deposits: { ...defaultDeposits, ...deposit },
    total: options.budget?.total,
    leastChallengePeriod: options.leastChallengePeriod,
    transactions,
    mayDeposit: (receiver) => behaviours.mayDeposit(receiver),
    finishCloses: (receiver) => finishCloses(work, receiver),
  })
  const locks = createLocks()
  const history = createPurchaseHistory(ledger.notes, remembered)
  const paying = { funding, locks, history, behaviours }
  const ready = once(() => purchaseParts(options, work, { ...paying, connection }))
  return {
    address: signer.address,
    ...createPurchases(ready),
    ...createManagement({
      ...{ work, funding, locks, mostFeePerGas, searchedChain },
      startBlock: options.startBlock,
    }),
    channels: () => ledger.channels(),
    budget: () => budgetView(options, ledger),
    perDay: (receiver) => ledger.perDay(receiver),
    history: history.all,
    behaviour: () => behaviours.all(),
    probe: async (url) => {
      const { bindings, relaying } = work
      return probe({ ledger, bindings, locks, transport: relaying.transport }, new URL(url))
    },
    challengeTime: async () => challengeTime((await connection.chain()).client),
    payoutCredit: async () => (await connection.chain()).client.payoutCredit(signer.address),
    token: async () => {
      const { symbol, decimals } = (await connection.facts()).token
      return { symbol, decimals }
    },
    stop: async () => {
      await ledger.close()
      await connection.stop()
    },
  }
}

function connectionOf(
  options: AgentOptions,
  { ledger, transactions }: ConnectedParts,
): ChainConnection {
  const { onChannelChange = () => undefined } = options
  return createConnection(options, {
    ledger,
    onChange: onChannelChange,
    onPaid: (receipt) => transactions.paid(receipt),
  })
}

interface ConnectedParts {
  readonly ledger: Ledger
  readonly transactions: TransactionBudget
}

/** In milliseconds. A receiver may want 12 blocks, which can take 12 seconds each, and begins with the next one. */
function waitsOf({ confirmTimeout = 240_000, retryInterval = 500 }: AgentOptions) {
  return { confirmTimeout, retryInterval }
}

function closingWork(
  options: AgentOptions,
  ledger: Ledger,
  { chain, facts }: ChainConnection,
): ClosingWork {
  const { signer, contract, chainId, funding: method = 'auto', confirmations = 1 } = options
  const { retryInterval, confirmTimeout } = waitsOf(options)
  const { bound } = options
  const domain = { contract, chainId }
  const transport = createTransport(options)
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

interface Paying extends Pick<PurchaseParts, 'history' | 'locks' | 'behaviours'> {
  readonly connection: ChainConnection
  readonly funding: ReturnType<typeof createFunding>
}

/** Token and contract version are the chain's, so the first purchase may have to wait for it. */
async function purchaseParts(
  options: AgentOptions,
  { ledger, proofs, relaying, bindings }: ClosingWork,
  { connection, funding, history, locks, behaviours }: Paying,
): Promise<PurchaseParts> {
  const { confirmTimeout, retryInterval } = waitsOf(options)
  const { repeats = 1 } = options
  const { receiverAt, hooks } = options
  const { token, contractVersion } = await connection.facts()
  const terms = createTermsMemory(ledger.notes)
  const lost = createLostPayments(ledger.notes)
  const paying = { ledger, funding, proofs, token }
  const { lastPrice } = terms
  return {
    ...{ terms, lost, history, locks, hooks, bindings, behaviours },
    policy: createPolicyCheck({
      policy: policyOf(options, token.address),
      token,
      receiverAt,
      lastPrice,
      sellers: createSellers(ledger.notes),
      behaviours,
    }),
    attempts: createAttempts({
      ...{ ...paying, contractVersion, lost, bindings },
      ...{ lastPrice, behaviours },
    }),
    delivery: createDelivery({
      transport: relaying.transport,
      repeats,
      confirmTimeout,
      retryInterval,
    }),
    verdicts: createVerdicts(paying),
  }
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

function budgetView({ budget = {} }: AgentOptions, ledger: Ledger): BudgetView {
  const scopes: readonly BudgetScope[] = [
    'all',
    ...Object.keys(budget.receivers ?? {}).map(
      (name): BudgetScope => `receiver/${name as Address}`,
    ),
    ...Object.keys(budget.jobs ?? {}).map((name): BudgetScope => `job/${name}`),
  ]
  return {
    reserved: ledger.reserved(),
    total: capsOf(budget, 'all').total,
    limits: ledger.limits(scopes),
    transactions: ledger.limits(['ether', 'openings', ...openingsOf(ledger)]),
  }
}

/** Of receivers that we have channels to. */
function openingsOf(ledger: Ledger): readonly BudgetScope[] {
  const open = ledger.channels().filter(({ state }) => state !== 'closed')
  return [...new Set(open.map(({ receiver }): BudgetScope => `openings/${receiver}`))]
}
