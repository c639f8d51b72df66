// Settles payments in this process: its account, or the relay's, pays the gas.
import { type ChainClient, revertOf, type TransactionSender } from '../../platform/chain/index.ts'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { authorizationName } from './book.ts'
import type { ExactPayment } from './check.ts'
import { fateOf } from './proof.ts'
import { type Outcome, type Sending, type Settler, unable } from './settler.ts'
import { type Asset, balanceOf, isUsed, transferCall } from './token.ts'

export interface OwnSettlerOptions {
  readonly chain: Pick<ChainClient, 'request' | 'head' | 'revertReason'>
  readonly asset: Asset
  /** With a journal: what was sent is found again after a crash. */
  readonly transactions: Pick<TransactionSender, 'send' | 'resume'>
  /** Asked before each transaction. @throws UraidenError when there is too little ether */
  readonly checkEther: () => Promise<void>
  /** The most for a unit of gas, in wei; undefined: whatever it costs. */
  readonly mostFeePerGas: bigint | undefined
  /** Depth of the block, itself included. */
  readonly confirmations: number
  /** Gas was spent for nothing. */
  readonly onFailed: () => void
}

/** Accounts may have code that a token asks, and that burns whatever gas there is. */
const mostGas = 200_000n

export function createOwnSettler(options: OwnSettlerOptions): Settler {
  return {
    settle: (payment, sending) => settle(options, payment, sending),
    resume: (payment, sending) => resume(options, payment, sending),
  }
}

async function settle(
  options: OwnSettlerOptions,
  payment: ExactPayment,
  sending: Sending,
): Promise<Outcome> {
  const { asset, transactions, confirmations, checkEther, mostFeePerGas } = options
  let hasLeft = false
  try {
    await checkEther()
    const call = {
      ...transferCall(asset.address, payment.authorization, payment.signature),
      ...{ mostGas, feeCap: () => mostFeePerGas },
      onSigned: async () => {
        await sending.onSent()
        hasLeft = true
      },
    }
    const { transaction } = await transactions.send(call, confirmations, nameOf(payment))
    return { kind: 'settled', transaction }
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return hasLeft
      ? afterSending(options, payment, { error, sending })
      : beforeSending(options, payment, error)
  }
}

/** In the journal. */
function nameOf({ authorization }: ExactPayment): string {
  return `x402/${authorizationName(authorization)}`
}

/** It did not pass its trial, or could not be sent. */
async function beforeSending(
  options: OwnSettlerOptions,
  payment: ExactPayment,
  error: UraidenError,
): Promise<Outcome> {
  if (error.code === 'gas_over_cap') return refusedByToken(`it wants more than ${mostGas} gas`)
  if (error.code !== 'transaction_reverts') return unable(error)
  try {
    return await reasonOf(options, payment, error)
  } catch (second) {
    return unable(second)
  }
}

/** What the token has against it, asked only where its trial failed. */
async function reasonOf(
  { chain, asset }: OwnSettlerOptions,
  { authorization }: ExactPayment,
  error: UraidenError,
): Promise<Outcome> {
  const { from, value } = authorization
  const [used, balance] = await Promise.all([
    isUsed(chain, asset.address, authorization),
    balanceOf(chain, asset.address, from),
  ])
  if (used) return { kind: 'spent' }
  if (balance >= value) return refusedByToken(revertOf(chain, error) ?? 'without a reason')
  return {
    kind: 'failed',
    reason: 'invalid_exact_evm_insufficient_balance',
    detail: `${from} has ${balance} of ${value}.`,
  }
}

function refusedByToken(why: string): Outcome {
  return {
    kind: 'failed',
    reason: 'invalid_exact_evm_transaction_simulation_failed',
    detail: `The token refuses it: ${why}.`,
  }
}

interface Left {
  readonly error: UraidenError
  readonly sending: Sending
}

/** Another one may have sent the same authorization, or the token refuses now what it did not before. */
async function afterSending(
  options: OwnSettlerOptions,
  payment: ExactPayment,
  { error, sending }: Left,
): Promise<Outcome> {
  const { code } = error
  if (code === 'transaction_reverted') options.onFailed()
  else if (code !== 'transaction_refused') return { kind: 'unknown' }
  try {
    return (await look(options, payment, sending)) ?? failedOnChain
  } catch {
    return { kind: 'unknown' }
  }
}

const failedOnChain: Outcome = {
  kind: 'failed',
  reason: 'invalid_exact_evm_transaction_failed',
  detail: 'Its transaction has failed on the chain.',
}

/** Undefined while it is unused. */
async function look(
  { chain, asset, confirmations }: OwnSettlerOptions,
  { authorization }: ExactPayment,
  { since }: Sending,
): Promise<Outcome | undefined> {
  const fate = await fateOf(chain, asset, { authorization, since, confirmations })
  switch (fate.kind) {
    case 'unused':
      return undefined
    case 'paid':
      return { kind: 'settled', transaction: fate.transaction }
    case 'waiting':
      return { kind: 'unknown' }
    case 'elsewhere':
      return { kind: 'spent' }
  }
}

async function resume(
  options: OwnSettlerOptions,
  payment: ExactPayment,
  sending: Sending,
): Promise<Outcome> {
  const { transactions, confirmations, mostFeePerGas } = options
  try {
    const receipt = await transactions.resume(nameOf(payment), confirmations, () => mostFeePerGas)
    if (receipt !== undefined) return { kind: 'settled', transaction: receipt.transaction }
    const found = await look(options, payment, sending)
    if (found !== undefined) return found
  } catch (error) {
    if (!isUraidenError(error)) throw error
    if (error.code !== 'transaction_reverted') return { kind: 'unknown' }
    return afterSending(options, payment, { error, sending })
  }
  // It never left, or never can any more.
  return settle(options, payment, sending)
}
