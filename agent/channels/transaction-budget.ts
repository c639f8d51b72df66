// What purchases may cost on the chain: openings and ether have budgets as tokens have, and gas that costs far
// more than it did lately was made up by a node, or is worth a wait. What a person asks for is counted too,
// and not refused.
import type { Receipt, TransactionSender } from '../../platform/chain/index.ts'
import { largest, parseUint192, smallest, type UraidenError } from '../../protocol/index.ts'
import { type BudgetScope, left, openingScopes, transactionsSpent } from '../budget/caps.ts'
import { agentError } from '../errors/index.ts'
import type { Deposit } from './intents.ts'
import type { Ledger } from './ledger-types.ts'

type Sender = Pick<TransactionSender, 'gasPrice'>

/** In wei per gas. */
interface FeeBounds {
  readonly price: bigint
  readonly most: bigint | undefined
}

/**
 * The most for a unit of gas, in wei, undefined without a limit; asked for before anything is sent.
 * @throws UraidenError `budget_ether_spent`, `fee_jump`: a deposit is not worth what it costs now
 */
export type FeeLimit = (sender: Sender) => Promise<bigint | undefined>

export interface TransactionBudget {
  /**
   * Makes a deposit for a purchase. `work` asks for the limit only where we pay the transaction.
   * @throws UraidenError `budget_openings_spent`, and what `work` throws
   */
  readonly within: <Value>(
    deposit: Pick<Deposit, 'receiver' | 'openBlock'>,
    work: (fees: FeeLimit) => Promise<Value>,
  ) => Promise<Value>
  /** Counted with the ledger's next write: that which books what the transaction did. */
  readonly paid: (receipt: Pick<Receipt, 'gasUsed' | 'gasPrice' | 'fee'>) => void
}

export interface TransactionBudgetOptions {
  readonly ledger: Pick<Ledger, 'limits' | 'freeAt' | 'spend' | 'notes'>
  /** In wei; undefined when it is not limited. */
  readonly mostFeePerGas: bigint | undefined
}

/** Two transactions, with room to spare: approve() and createChannel(). */
const gasOfDeposit = 150_000n
/** Gas may cost so many times what it cost in any of the last transactions. */
const mostJump = 10n
/** In wei, 10 gwei: what costs no more is cheap, whatever it was before. */
const alwaysCheap = 10_000_000_000n
const mostPrices = 8
const pricesKey = 'gasPrices'

export function createTransactionBudget(options: TransactionBudgetOptions): TransactionBudget {
  return new CountedTransactions(options)
}

class CountedTransactions implements TransactionBudget {
  readonly #options: TransactionBudgetOptions
  /** What is on its way, and counted when it is booked. */
  readonly #pending = new Map<BudgetScope, bigint>()
  /** A node may show less in its receipts than it had us offer. In wei per gas. */
  #agreed = 0n

  constructor(options: TransactionBudgetOptions) {
    this.#options = options
  }

  async within<Value>(
    { receiver, openBlock }: Pick<Deposit, 'receiver' | 'openBlock'>,
    work: (fees: FeeLimit) => Promise<Value>,
  ): Promise<Value> {
    const scopes = openBlock === undefined ? openingScopes(receiver) : []
    this.#check(scopes, 1n)
    let fee = 0n
    this.#hold(scopes, 1n)
    try {
      return await work(async (sender) => {
        const { price, most } = await this.#feeLimit(sender)
        fee = price * gasOfDeposit
        this.#hold(['ether'], fee)
        this.#agreed = price
        return most
      })
    } finally {
      this.#hold(scopes, -1n)
      this.#hold(['ether'], -fee)
      if (this.#held('ether') === 0n) this.#agreed = 0n
    }
  }

  paid({ gasUsed, gasPrice, fee }: Pick<Receipt, 'gasUsed' | 'gasPrice' | 'fee'>): void {
    const { ledger } = this.#options
    ledger.spend(['ether'], largest(fee, gasUsed * this.#agreed))
    if (gasPrice === undefined) return
    const prices = [...this.#recent(), gasPrice].slice(-mostPrices)
    ledger.notes.later(pricesKey, { prices })
  }

  async #feeLimit(sender: Sender): Promise<FeeBounds> {
    const { ledger, mostFeePerGas } = this.#options
    const price = await sender.gasPrice()
    // The sender says what is wrong.
    if (mostFeePerGas !== undefined && price > mostFeePerGas) {
      return { price: mostFeePerGas, most: mostFeePerGas }
    }
    const recent = this.#recent()
    const lately = recent.reduce((a, b) => largest(a, b), 0n)
    const jump = largest(lately * mostJump, alwaysCheap)
    if (recent.length > 0 && price > jump) throw feeJump(price, lately)
    this.#check(['ether'], price * gasOfDeposit)
    const caps = ledger.limits(['ether']).map((limit) => {
      return (left(limit) - this.#held('ether')) / gasOfDeposit
    })
    if (mostFeePerGas !== undefined) caps.push(mostFeePerGas)
    if (recent.length > 0) caps.push(jump)
    const [first, ...others] = caps
    return { price, most: first && others.reduce((a, b) => smallest(a, b), first) }
  }

  #check(scopes: readonly BudgetScope[], more: bigint): void {
    const { ledger } = this.#options
    for (const limit of ledger.limits(scopes)) {
      const available = largest(left(limit) - this.#held(limit.scope), 0n)
      if (available >= more) continue
      throw transactionsSpent({ limit, available, freeAt: ledger.freeAt(limit, more) }, more)
    }
  }

  #held(scope: BudgetScope): bigint {
    return this.#pending.get(scope) ?? 0n
  }

  #hold(scopes: readonly BudgetScope[], amount: bigint): void {
    for (const scope of scopes) this.#pending.set(scope, this.#held(scope) + amount)
  }

  /** In wei per gas. */
  #recent(): readonly bigint[] {
    return pricesIn(this.#options.ledger.notes)
  }
}

/** What a unit of gas cost last, in wei. */
export function lastGasPrice(notes: Pick<Ledger['notes'], 'get'>): bigint | undefined {
  return pricesIn(notes).at(-1)
}

function pricesIn(notes: Pick<Ledger['notes'], 'get'>): readonly bigint[] {
  const noted = notes.get(pricesKey) as { readonly prices: string[] } | undefined
  return (noted?.prices ?? []).map(parseUint192)
}

function feeJump(price: bigint, lately: bigint): UraidenError {
  return agentError({
    code: 'fee_jump',
    message: `Gas costs ${gwei(price)} gwei now, more than ${mostJump} times the ${gwei(lately)} gwei of lately.`,
  })
}

/** Rounded down to a thousandth. */
function gwei(price: bigint): string {
  return (Number(price / 1_000_000n) / 1000).toString()
}
