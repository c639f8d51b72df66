// Transactions that the wallet signs and sends: tried first, then waited for.

import {
  type Address,
  type Hex,
  isHex,
  isUraidenError,
  toQuantity,
  type UraidenError,
} from '../protocol/index.ts'
import type { ContractBlocks, MinedBlock } from './contract-blocks.ts'
import { browserError } from './error-codes.ts'
import { ask, type Eip1193Provider, quantity, wrongAnswer } from './wallet.ts'

export interface Sending {
  readonly wallet: Eip1193Provider
  readonly sender: Address
  readonly chain: Pick<ContractBlocks, 'clock'>
  readonly patience: Patience
}

export interface Call {
  readonly to: Address
  readonly data: Hex
  /** In wei. */
  readonly value?: bigint
}

/** How to wait; a test passes its own. */
export interface Patience {
  /** Between two looks, in milliseconds. */
  readonly interval: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Resolves with the hash when the wallet has sent it. Nothing is sent that the contract would refuse. What it would
 * take in the next block only is sent now; where contracts count with the chain below, once that has its next block.
 * @throws UraidenError `would_revert`, `waiting_stopped`, and those of `ask`
 */
export async function send(
  { wallet, sender: from, chain, patience }: Sending,
  call: Call,
): Promise<Hex> {
  while ((await tryOut(wallet, from, call)) === 'later' && (await chain.clock()) === 'parent') {
    await pause(patience)
  }
  const hash = await ask(wallet, 'eth_sendTransaction', [written(from, call)])
  if (!isHex(hash) || hash.length !== 66) throw wrongAnswer('eth_sendTransaction')
  return hash
}

function written(from: Address, { to, data, value = 0n }: Call) {
  return { from, to, data, value: toQuantity(value) }
}

/**
 * Has the node run it without sending it: whether it would be done now, or only in a later block.
 * @throws UraidenError `would_revert`, and those of `ask`
 */
export async function tryOut(
  wallet: Eip1193Provider,
  from: Address,
  call: Call,
): Promise<'now' | 'later'> {
  try {
    await ask(wallet, 'eth_call', [written(from, call), 'latest'])
    return 'now'
  } catch (error) {
    if (!isUraidenError(error, 'would_revert_now')) throw error
    return 'later'
  }
}

/**
 * Waits until a transaction is in a block; that block.
 * @throws UraidenError `transaction_failed`, `transaction_gone`, `waiting_stopped`, those of `ask`
 */
export async function mined(
  wallet: Eip1193Provider,
  transaction: Hex,
  patience: Patience,
): Promise<MinedBlock> {
  let missing = 0
  for (;;) {
    const receipt = await ask(wallet, 'eth_getTransactionReceipt', [transaction])
    if (receipt !== null && typeof receipt === 'object') return blockOf(transaction, receipt)
    const known = await ask(wallet, 'eth_getTransactionByHash', [transaction])
    // A node may learn of it late; a wallet that sped it up has replaced it for good.
    missing = known === null || known === undefined ? missing + 1 : 0
    if (missing >= mostMissing) throw gone(transaction)
    await pause(patience)
  }
}

const mostMissing = 30

interface Receipt {
  readonly status?: unknown
  readonly blockNumber?: unknown
  readonly blockHash?: unknown
  readonly l1BlockNumber?: unknown
}

function blockOf(transaction: Hex, receipt: Receipt): MinedBlock {
  const { status, blockNumber, blockHash: hash, l1BlockNumber } = receipt
  if (status !== '0x1') {
    throw browserError({
      code: 'transaction_failed',
      message: `The transaction ${transaction} is in a block, but the contract refused it.`,
    })
  }
  return {
    block: Number(quantity(blockNumber, 'eth_getTransactionReceipt')),
    ...{ hash, l1BlockNumber },
  }
}

function gone(transaction: Hex): UraidenError {
  return browserError({
    code: 'transaction_gone',
    message: `The chain does not know the transaction ${transaction}.`,
  })
}

/** @throws UraidenError `waiting_stopped` */
export function pause({ interval, signal }: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, interval)
    const stop = () => {
      clearTimeout(timer)
      reject(
        browserError({
          code: 'waiting_stopped',
          message: 'Waiting was stopped.',
        }),
      )
    }
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
