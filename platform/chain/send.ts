// Sends transactions of one account: estimated first, one nonce after the other, found again when
// the node's answer was lost.
import {
  fromHex,
  type Hex,
  isUraidenError,
  parseAddress,
  type Signer,
  UraidenError,
} from '../../protocol/index.ts'
import type { NodeError } from './connect.ts'
import type { Call, ChainClient, RawLog, Receipt } from './types.ts'

export interface SenderOptions {
  readonly chain: ChainClient
  readonly signer: Signer
  /** Refuse to pay more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint
  /** How often to look for the receipt, in milliseconds. */
  readonly pollInterval?: number
  /** Longest wait for the receipt, in milliseconds. */
  readonly timeout?: number
}

export interface TransactionSender {
  /**
   * Sends one call and waits until it is `confirmations` blocks deep (1: in the latest block).
   * @throws UraidenError `transaction_reverts` before anything is sent, `transaction_reverted`
   * after, `fee_over_cap`, `transaction_unconfirmed` (sent, outcome unknown), `chain_unavailable`
   */
  readonly send: (call: Call, confirmations?: number) => Promise<Receipt>
}

export function createTransactionSender(options: SenderOptions): TransactionSender {
  // One after the other: two sends at once would take the same nonce.
  let last: Promise<unknown> = Promise.resolve()
  return {
    send: (call, confirmations = 1) => {
      const sent = last.then(() => submit(options, call))
      last = sent.catch(() => undefined)
      return sent.then((hash) => awaitReceipt(options, call, hash, confirmations))
    },
  }
}

async function submit(options: SenderOptions, call: Call): Promise<Hex> {
  const { chain, signer } = options
  const { Transaction } = await import('ethers')
  const from = signer.address
  const gasLimit = await estimateGas(options, call)
  const [nonce, fees] = await Promise.all([
    chain.request('eth_getTransactionCount', [from, 'pending']),
    currentFees(options),
  ])
  const transaction = Transaction.from({
    type: 2,
    chainId: chain.chainId,
    nonce: Number(nonce),
    to: call.to ?? null,
    data: call.data,
    value: call.value ?? 0n,
    gasLimit,
    ...fees,
  })
  transaction.signature = await signer.sign(fromHex(transaction.unsignedHash))
  const hash = transaction.hash as Hex
  try {
    await chain.request('eth_sendRawTransaction', [transaction.serialized])
  } catch (error) {
    // The node may have taken it and lost only the answer: unknown is not failed.
    const known = await chain.request('eth_getTransactionByHash', [hash]).catch(() => null)
    if (known === null) throw error
  }
  return hash
}

/** @throws UraidenError `transaction_reverts` with the contract's own error as the reason */
async function estimateGas({ chain, signer }: SenderOptions, call: Call): Promise<bigint> {
  const request = {
    from: signer.address,
    ...(call.to && { to: call.to }),
    data: call.data,
    value: `0x${(call.value ?? 0n).toString(16)}`,
  }
  try {
    const estimate = BigInt(String(await chain.request('eth_estimateGas', [request])))
    // State may change until the transaction runs; a fifth more covers another branch.
    return (estimate * 6n) / 5n
  } catch (error) {
    if (!isUraidenError(error, 'rpc_error')) throw error
    const { message, data } = error.cause as NodeError
    const reason = revertName(chain, data) ?? message
    throw new UraidenError({
      code: 'transaction_reverts',
      message: `To ${call.purpose} would fail: ${reason}.`,
      hint: 'Nothing was sent. The reason is the contract’s, or the account lacks ether or tokens.',
      cause: error,
    })
  }
}

function revertName(chain: ChainClient, data: unknown): string | undefined {
  const nested = typeof data === 'object' && data !== null ? (data as NodeError).data : data
  return typeof nested === 'string' ? chain.revertReason(nested) : undefined
}

/** EIP-1559: twice the base fee leaves room for six full blocks in a row. */
async function currentFees({ chain, mostFeePerGas }: SenderOptions) {
  const [block, tip] = await Promise.all([
    chain.request('eth_getBlockByNumber', ['latest', false]),
    chain.request('eth_maxPriorityFeePerGas', []).catch(() => '0x3b9aca00'),
  ])
  const baseFee = BigInt((block as { readonly baseFeePerGas?: string }).baseFeePerGas ?? '0x0')
  const maxPriorityFeePerGas = BigInt(String(tip))
  if (mostFeePerGas !== undefined && baseFee + maxPriorityFeePerGas > mostFeePerGas) {
    throw new UraidenError({
      code: 'fee_over_cap',
      message: `Gas costs ${baseFee + maxPriorityFeePerGas} wei now, more than the cap of ${mostFeePerGas} wei.`,
      hint: 'Nothing was sent. Wait for a lower price or raise the cap.',
    })
  }
  const generous = 2n * baseFee + maxPriorityFeePerGas
  const capped = mostFeePerGas !== undefined && generous > mostFeePerGas ? mostFeePerGas : generous
  return { maxFeePerGas: capped, maxPriorityFeePerGas }
}

async function awaitReceipt(
  { chain, pollInterval = 500, timeout = 600_000 }: SenderOptions,
  call: Call,
  hash: Hex,
  confirmations: number,
): Promise<Receipt> {
  const giveUp = Date.now() + timeout
  for (;;) {
    const receipt = (await chain
      .request('eth_getTransactionReceipt', [hash])
      .catch(() => null)) as RawReceipt | null
    if (receipt !== null && (await isDeepEnough(chain, receipt, confirmations))) {
      return checkedReceipt(chain, call, receipt)
    }
    if (Date.now() > giveUp) {
      throw new UraidenError({
        code: 'transaction_unconfirmed',
        message: `The transaction ${hash} to ${call.purpose} was sent but is not confirmed yet.`,
        hint: 'It may still be. Look at it again before you repeat it.',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

interface RawReceipt {
  readonly transactionHash: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly gasUsed: string
  readonly status: string
  readonly contractAddress?: string | null
  readonly logs: readonly RawLog[]
}

async function isDeepEnough(
  chain: ChainClient,
  receipt: RawReceipt,
  confirmations: number,
): Promise<boolean> {
  if (confirmations <= 1) return true
  const head = await chain.head().catch(() => undefined)
  return head !== undefined && head.number - Number(receipt.blockNumber) + 1 >= confirmations
}

function checkedReceipt(chain: ChainClient, call: Call, receipt: RawReceipt): Receipt {
  if (BigInt(receipt.status) !== 1n) {
    throw new UraidenError({
      code: 'transaction_reverted',
      message: `The transaction ${receipt.transactionHash} to ${call.purpose} failed on the chain.`,
      hint: 'Its fee is spent, nothing else happened. The state changed after it was estimated.',
    })
  }
  return {
    transaction: receipt.transactionHash as Hex,
    block: Number(receipt.blockNumber),
    blockHash: receipt.blockHash as Hex,
    gasUsed: BigInt(receipt.gasUsed),
    ...(receipt.contractAddress && { contract: parseAddress(receipt.contractAddress) }),
    events: chain.decodeLogs(receipt.logs),
  }
}
