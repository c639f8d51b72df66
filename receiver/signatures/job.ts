// A signature to check as 113 bytes, so that a whole batch goes to a worker as one array.
//
//   open block (4) ‖ balance (24) ‖ r ‖ s ‖ v (65) ‖ sender (20)
import type { Payment } from '../../protocol/index.ts'

/** What of a payment its signature is about. */
export type SignedPayment = Pick<Payment, 'openBlock' | 'balance' | 'signature' | 'sender'>

/** The bytes of one job. */
const jobLength = 113

export interface Job {
  readonly openBlock: number
  readonly balance: bigint
  readonly signature: Uint8Array
  readonly sender: Uint8Array
}

export function packJobs(payments: readonly SignedPayment[]): Uint8Array {
  return Buffer.from(payments.map(hexOf).join(''), 'hex')
}

function hexOf({ openBlock, balance, signature, sender }: SignedPayment): string {
  const block = openBlock.toString(16).padStart(8, '0')
  return block + balance.toString(16).padStart(48, '0') + signature.slice(2) + sender.slice(2)
}

export function unpackJobs(packed: Uint8Array): readonly Job[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  return Array.from({ length: packed.length / jobLength }, (_, index) => {
    const at = index * jobLength
    return {
      openBlock: bytes.readUInt32BE(at),
      balance: BigInt(`0x${bytes.toString('hex', at + 4, at + 28)}`),
      signature: packed.subarray(at + 28, at + 93),
      sender: packed.subarray(at + 93, at + 113),
    }
  })
}
