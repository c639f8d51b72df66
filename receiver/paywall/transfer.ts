// Takes payments that came without HTTP: proofs as plain JSON, by MQTT, a serial line or Bluetooth.
import {
  type Address,
  type ContractBlock,
  isUraidenError,
  parseTransfer,
  type RefusalCode,
  refusal,
  type TokenAmount,
  type Transfer,
} from '../../protocol/index.ts'
import type { ChannelManager, OfferedPayment } from '../channels/manager.ts'

export type TransferOutcome =
  | {
      readonly kind: 'taken'
      readonly sender: Address
      readonly openBlock: ContractBlock
      /** In the token's smallest unit. */
      readonly amount: TokenAmount
      /** All that was paid on the channel. */
      readonly balance: TokenAmount
    }
  | {
      readonly kind: 'refused'
      /** `balance_spent`: it was taken before. `insufficient_confirmations`: the same proof is good later. */
      readonly code: RefusalCode
      readonly detail: string
    }

/** What it takes of the paywall's. */
export interface TransferParts {
  readonly manager: Pick<ChannelManager, 'registerPayment'>
  readonly outage: (payment: OfferedPayment | undefined) => RefusalCode | undefined
  readonly bound: 'offer' | 'require'
  readonly chainId: bigint
  readonly contract: Address
  readonly receiver: Address
}

/** Resolves when the proof is on disk. See `Receiver.take`. */
export async function takeTransfer(parts: TransferParts, proof: unknown): Promise<TransferOutcome> {
  let transfer: Transfer
  try {
    transfer = parseTransfer(proof)
  } catch (error) {
    if (isUraidenError(error, 'transfer_malformed')) {
      return refused('malformed_payment', `${error.message} ${error.hint}`)
    }
    throw error
  }
  const { chainId, ...payment } = transfer
  if (parts.bound === 'require') return refused('payment_required', 'Only bound requests pay here.')
  const isOurs =
    chainId === parts.chainId &&
    payment.contract === parts.contract &&
    payment.receiver === parts.receiver
  if (!isOurs) {
    const { contract, receiver } = parts
    return refused(
      'wrong_contract',
      `Pay to ${receiver} through ${contract} on chain ${parts.chainId}.`,
    )
  }
  const away = parts.outage(payment)
  if (away !== undefined) return refused(away)
  const outcome = await parts.manager.registerPayment(payment, payment.amount)
  if (outcome.kind === 'refused') return refused(outcome.code)
  const { sender, openBlock, amount, balance } = payment
  return { kind: 'taken', sender, openBlock, amount, balance }
}

/** Remedies speak of headers and requests: here there are none. */
const remedies: { readonly [code in RefusalCode]?: string } = {
  balance_spent: 'This transfer was taken before.',
  insufficient_confirmations: 'Hand over the same proof again when there are more blocks.',
  invalid_amount:
    'More than the transfer says has been paid on the channel, or too many are missing.',
}

function refused(code: RefusalCode, detail?: string): TransferOutcome {
  return { kind: 'refused', code, detail: refusal(code, detail ?? remedies[code]).detail }
}
