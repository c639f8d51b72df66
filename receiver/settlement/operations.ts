// Transactions that have to happen, driven by what the chain says: whoever finds one necessary names
// it, round after round, until the chain shows that it is done. So nothing is forgotten over a kill,
// and a reorganisation that takes one back brings it up again.
import type { Call, Receipt, TransactionSender } from '../../platform/chain/index.ts'
import {
  type ChainBlock,
  type ContractBlock,
  type Hex,
  isUraidenError,
} from '../../protocol/index.ts'

export interface Operation {
  /** The same in every round and after a restart. */
  readonly name: string
  readonly call: () => Promise<Call>
}

export type OperationState =
  /** The node has it. */
  | { readonly kind: 'sent'; readonly transaction: Hex }
  /** Mined, in a block that is not read and confirmed yet. */
  | { readonly kind: 'mined'; readonly transaction: Hex; readonly block: ChainBlock }
  /** Not possible now; it is tried again: when a node has failed in the next round, else in a later block. */
  | { readonly kind: 'waiting'; readonly code: string; readonly why: string }

export interface OperationsOptions {
  readonly transactions: TransactionSender
  /** The newest block that was seen, as the contract counts. */
  readonly head: () => ContractBlock
  /** The chain was read and confirmed up to this block. */
  readonly position: () => ChainBlock
  /** Of the account that pays, in wei. */
  readonly ether: () => bigint | undefined
  readonly onMined: (name: string, receipt: Receipt) => void
  /** A state that lasts is told once. */
  readonly onWaiting: (name: string, error: unknown) => void
}

export interface Operations {
  /** Sends what is new, in this order; resolves without waiting for blocks. Never rejects. */
  readonly pursue: (wanted: readonly Operation[]) => Promise<void>
  /** Undefined before the first try. */
  readonly state: (name: string) => OperationState | undefined
  /** Resolves when none waits for its block any more: after the connection was closed, at once. */
  readonly idle: () => Promise<void>
}

interface Failure {
  readonly head: ContractBlock
  readonly ether: bigint | undefined
  /** Blocks to wait; 0: it is tried again in the next round. */
  readonly pause: number
}

/** What the chain has said, and will say until it has another block. All else is a node's failure. */
const verdicts = new Set([
  ...['transaction_reverts', 'ether_missing', 'fee_over_cap'],
  ...['transaction_refused', 'transaction_reverted', 'transaction_unconfirmed'],
])

interface Pursued extends OperationsOptions {
  readonly states: Map<string, OperationState>
  readonly failures: Map<string, Failure>
  readonly running: Map<string, Promise<void>>
}

export function createOperations(options: OperationsOptions): Operations {
  const pursued: Pursued = {
    ...options,
    states: new Map(),
    failures: new Map(),
    running: new Map(),
  }
  return {
    pursue: (wanted) => pursue(pursued, wanted),
    state: (name) => pursued.states.get(name),
    idle: async () => {
      const { running } = pursued
      while (running.size > 0) await Promise.all(running.values())
    },
  }
}

async function pursue(pursued: Pursued, wanted: readonly Operation[]): Promise<void> {
  const { states, failures, running } = pursued
  const names = new Set(wanted.map(({ name }) => name))
  for (const name of states.keys()) {
    if (names.has(name) || running.has(name)) continue
    states.delete(name)
    failures.delete(name)
  }
  for (const operation of wanted) {
    if (isDue(pursued, operation.name)) await start(pursued, operation)
  }
}

function isDue({ states, failures, position, ether, head }: Pursued, name: string): boolean {
  const state = states.get(name)
  if (state?.kind === 'sent') return false
  // Read again and still wanted: the block was replaced.
  if (state?.kind === 'mined') return position() >= state.block
  const failed = failures.get(name)
  if (failed === undefined) return true
  const isFunded = (ether() ?? 0n) > (failed.ether ?? 0n)
  return isFunded || head() >= failed.head + failed.pause
}

async function start(pursued: Pursued, { name, call }: Operation): Promise<void> {
  const { transactions, states, failures, running, onMined } = pursued
  try {
    const { transaction, mined } = await transactions.start(await call(), name)
    states.set(name, { kind: 'sent', transaction })
    const done = mined().then(
      (receipt) => {
        const { transaction, block } = receipt
        failures.delete(name)
        states.set(name, { kind: 'mined', transaction, block })
        onMined(name, receipt)
      },
      (error) => failed(pursued, name, error),
    )
    running.set(
      name,
      done.finally(() => running.delete(name)),
    )
  } catch (error) {
    failed(pursued, name, error)
  }
}

function failed(pursued: Pursued, name: string, error: unknown): void {
  const { states, failures, head, ether, onWaiting } = pursued
  const code = isUraidenError(error) ? error.code : 'unexpected'
  const before = states.get(name)
  const why = error instanceof Error ? error.message : String(error)
  states.set(name, { kind: 'waiting', code, why })
  // What failed on the chain has cost its fee: not again in every block.
  const last = Math.max(failures.get(name)?.pause ?? 1, 1)
  const pause =
    code === 'transaction_reverted' ? Math.min(last * 2, 32) : verdicts.has(code) ? 1 : 0
  failures.set(name, { head: head(), ether: ether(), pause })
  // The program is stopping.
  if (code === 'chain_closed') return
  if (before?.kind !== 'waiting' || before.code !== code) onWaiting(name, error)
}
