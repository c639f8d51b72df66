// The agent: ledger, chain, transport, channels and purchases, put together.

import { once } from '../platform/async/once.ts'
import { challengeTime, readBlockClock } from '../platform/chain/index.ts'
import type { ClockReading } from '../platform/time/clock.ts'
import { machineClock } from '../platform/time/machine-clock.ts'
import type { Address, TokenAmount } from '../protocol/index.ts'
import {
  assetOf,
  type Budget,
  type BudgetLimit,
  type BudgetScope,
  cappedAssetScopes,
  capsOf,
  defaultTransactionCaps,
} from './budget/caps.ts'
import { createLedger } from './channels/ledger.ts'
import { openStorage } from './channels/ledger-storage.ts'
import type { Ledger } from './channels/ledger-types.ts'
import { lastGasPrice } from './channels/transaction-budget.ts'
import { transactionsInAll, transactionsOfWeek } from './channels/transaction-history.ts'
import type { Agent, AgentOptions, BudgetView, TransactionFacts } from './options.ts'
import type { Dialects } from './purchase/dialect.ts'
import { probe } from './purchase/probe.ts'
import { createPurchases, type PartsFor } from './purchase/states.ts'
import { type Work, workOnAll } from './several.ts'
import { type CreateAgentOptions, checkedOptions, readAmounts } from './written.ts'

/**
 * An agent on its store, which no other process may have open. Addresses and amounts may be texts, such as
 * `'0x…'` and `'0.005 TKN'`, and the key a file. The chain is asked when it has to be, not before: at once only
 * where amounts are texts, and the store does not know yet what the token is.
 * @throws UraidenError those of `openState`, `ledger_damaged`; of what is written `not_an_address`,
 * `wrong_checksum`, `key_not_given`, those of `parseAmount` and of reading a key file, with the option's name;
 * those of the chain
 * @example
 * const agent = await createAgent({
 *   key: { file: 'agent-key.json', passwordFile: 'agent-password' },
 *   rpcUrl: 'http://192.168.1.10:8545',
 *   chainId: 1337,
 *   contract: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
 *   store: '/var/lib/my-program/ledger',
 *   budget: { request: '0.01 TKN', day: '1 TKN' },
 * })
 * const answer = await agent.get('http://192.168.1.10:8080/reading')
 * console.log(answer.json(), answer.payment?.cost)
 * await agent.stop()
 */
export async function createAgent(given: CreateAgentOptions): Promise<Agent> {
  return (await openAgent(given)).agent
}

/** An agent, and what its purchases are made of: for payments that others put on their requests. */
export interface OpenedAgent {
  readonly agent: Agent
  readonly partsFor: PartsFor
}

/** @throws UraidenError those of `createAgent` */
export async function openAgent(given: CreateAgentOptions): Promise<OpenedAgent> {
  const checked = await checkedOptions(given)
  const { signer, contract, chainId, store, spool, formerContracts: others = [] } = checked
  const storage = await openStorage({
    folder: store,
    owner: { chainId, contract, others, account: signer.address },
    spool,
  })
  try {
    const written = await readAmounts(checked, async () => (await storage.load()).facts?.token)
    const { reservation = 16, timeZone, mostFeePerGas = mostFeePerGasByDefault } = written
    const options = { ...written, mostFeePerGas, budget: withDefaults(written.budget) }
    const readClock = machineClock(options.clock ?? 'auto')
    const ledger = await createLedger({
      storage,
      reservation,
      budget: options.budget,
      readClock,
      ...(timeZone !== undefined && { timeZone }),
    })
    return assemble(options, ledger, readClock)
  } catch (error) {
    await storage.close()
    throw error
  }
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

function assemble(
  options: AgentOptions,
  ledger: Ledger,
  readClock: () => ClockReading,
): OpenedAgent {
  const { signer, hooks } = options
  const work = workOnAll(options, ledger)
  const { newest, common, partsFor, management, stop } = work
  const { behaviours, history, locks } = common
  const agent: Agent = {
    address: signer.address,
    ...createPurchases({
      ...{ partsFor, hooks },
      dialects: otherDialects(options, { ledger, readClock, common }),
    }),
    transfer: async (wanted) => (await newest.transfers()).transfer(wanted),
    ...management,
    channels: () => ledger.channels(),
    budget: () => budgetView(options, ledger),
    freeAt: (limit, needed) => ledger.freeAt(limit, needed),
    hours: ledger.hours,
    perDay: (receiver) => ledger.perDay(receiver),
    spentToday: () => ledger.spentToday(),
    transactions: () => transactionFacts(ledger),
    history: history.all,
    behaviour: () => behaviours.all(),
    probe: async (url) => {
      const { bindings, relaying } = newest.work
      return probe(
        { ledger: newest.ledger, bindings, locks, transport: relaying.transport },
        new URL(url),
      )
    },
    challengeTime: async () => challengeTime((await newest.connection.chain()).client),
    blockClock: async () => readBlockClock((await newest.connection.chain()).client),
    payoutCredit: () => payoutCredit(work, signer.address),
    token: async () => {
      const { symbol, decimals } = (await newest.connection.facts()).token
      return { symbol, decimals }
    },
    flush: (beside) => ledger.flush(beside),
    beside: () => ledger.beside(),
    stop: async () => {
      await ledger.close()
      await stop()
    },
  }
  return { agent, partsFor }
}

/** On all contracts. */
async function payoutCredit({ all }: Work, account: Address): Promise<TokenAmount> {
  let sum = 0n
  for (const { connection } of all) {
    sum += await (await connection.chain()).client.payoutCredit(account)
  }
  return sum
}

export function transactionFacts({ notes }: Pick<Ledger, 'notes'>): TransactionFacts {
  return {
    lastWeek: transactionsOfWeek(notes),
    inAll: transactionsInAll(notes),
    gasPrice: lastGasPrice(notes),
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
    limits: [...ledger.limits(scopes), ...assetLimits(budget, ledger)],
    transactions: ledger.limits(['ether', 'openings', ...openingsOf(ledger)]),
  }
}

/** Each with the unit of its asset. */
function assetLimits(budget: Budget, ledger: Ledger): readonly BudgetLimit[] {
  return ledger.limits(cappedAssetScopes(budget)).map((limit) => {
    const unit = budget.assets?.[assetOf(limit.scope)?.asset ?? '']?.unit
    return unit === undefined ? limit : { ...limit, unit }
  })
}

interface BesideRdn {
  readonly ledger: Ledger
  readonly readClock: () => ClockReading
  readonly common: Work['common']
}

/** In seconds: stock sellers want 300 at most, and settle within a minute. */
const usualValidFor = 600

/** Undefined where RDN alone is spoken: then no code of another dialect is ever loaded. */
function otherDialects(options: AgentOptions, parts: BesideRdn): Dialects | undefined {
  const { x402, signer, hooks, budget = {}, receivers, hosts, priceJump, dryRun = false } = options
  if (x402 === undefined) return undefined
  const { assets, validFor = usualValidFor, planFor } = x402
  const { ledger, readClock, common } = parts
  const { transport, history, behaviours } = common
  return {
    planFor,
    x402: once(async () => {
      const { createX402 } = await import('./x402/index.ts')
      return createX402({
        policy: { assets, validFor, budget, receivers, hosts, priceJump, dryRun },
        ...{ signer, hooks, ledger, readClock, transport, history, behaviours },
        repeats: options.repeats ?? 1,
      })
    }),
  }
}

/** Of receivers that we have channels to. */
function openingsOf(ledger: Ledger): readonly BudgetScope[] {
  const open = ledger.channels().filter(({ state }) => state !== 'closed')
  return [...new Set(open.map(({ receiver }): BudgetScope => `openings/${receiver}`))]
}
