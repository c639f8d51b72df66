// What a call costs: its gas, the least that it can cost, and its data.
import { Transaction, type TransactionReceipt, type Wallet } from 'ethers'
import { fromHex, type Hex } from '../../protocol/index.ts'
import { opDataBytes } from './op-data.ts'

export interface CallCost {
  readonly gas: number
  /** Without all that the contract itself computes: no contract that does the same costs less. */
  readonly floor: number
  /** Bytes of calldata. */
  readonly data: number
  /** Of them. */
  readonly zeros: number
  /** Bytes for which a chain of the OP stack charges. */
  readonly opBytes: number
}

interface Step {
  readonly op: string
  readonly depth: number
  readonly gasCost: number
}

/** What is no computation: storage, logs, code and calls of others, and what the EVM asks of the chain. */
const notOurs =
  /^(SLOAD|SSTORE|TLOAD|TSTORE|LOG\d|CALL|STATICCALL|DELEGATECALL|CREATE2?|BALANCE|EXTCODE\w+)$/

interface Traced {
  readonly send: (method: string, params: readonly unknown[]) => Promise<unknown>
  readonly receipt: Pick<TransactionReceipt, 'hash' | 'gasUsed' | 'to'>
  /** The token's address: a call of it comes back to us one call deeper. */
  readonly token: string
}

/**
 * The transaction's gas less that of every instruction of ours: intrinsic gas with the calldata, storage, logs,
 * signature recovery, the token, and for a deployment the code remain. The token and we call nobody else: from one
 * depth of calls to the next they take turns.
 */
export async function floorOf({ send, receipt, token }: Traced): Promise<number> {
  const small = { disableMemory: true, disableStack: true, disableStorage: true }
  const answer = (await send('debug_traceTransaction', [receipt.hash, small])) as {
    readonly structLogs: readonly Step[]
  }
  const ours = receipt.to?.toLowerCase() === token.toLowerCase() ? 0 : 1
  const computed = answer.structLogs
    .filter(({ op, depth }) => depth % 2 === ours && !notOurs.test(op))
    .reduce((sum, { gasCost }) => sum + gasCost, 0)
  return Number(receipt.gasUsed) - computed
}

/** As on a chain of the OP stack: fees of a usual day, a nonce and a limit of two or three bytes. */
const usual = {
  type: 2,
  chainId: 8453,
  nonce: 1000,
  maxFeePerGas: 20_000_000n,
  maxPriorityFeePerGas: 1_000_000n,
  gasLimit: 300_000,
} as const

/** Of the transaction with this calldata, signed by the wallet. */
export async function dataOf(
  wallet: Wallet,
  { to, data }: { readonly to: string | null; readonly data: string },
): Promise<Pick<CallCost, 'data' | 'zeros' | 'opBytes'>> {
  const bytes = fromHex(data as Hex)
  const unsigned = Transaction.from({ ...usual, to, data })
  unsigned.signature = wallet.signingKey.sign(unsigned.unsignedHash)
  return {
    data: bytes.length,
    zeros: bytes.filter((each) => each === 0).length,
    opBytes: opDataBytes(fromHex(unsigned.serialized as Hex)),
  }
}

/** Of several transactions that do one thing. */
export function sumOf(costs: readonly CallCost[]): CallCost {
  return mapCosts((key) => costs.reduce((sum, cost) => sum + cost[key], 0))
}

/** Of one in a batch. */
export function shareOf(cost: CallCost, count: number): CallCost {
  return mapCosts((key) => Math.ceil(cost[key] / count))
}

function mapCosts(of: (key: keyof CallCost) => number): CallCost {
  const [gas, floor] = [of('gas'), of('floor')]
  return { gas, floor, data: of('data'), zeros: of('zeros'), opBytes: of('opBytes') }
}
