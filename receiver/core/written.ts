// The options of a receiver as programs write them, and what becomes of them.
import { addressOption, type KeyChoice, signerOption } from '../../platform/written/written.ts'
import { defined } from '../../protocol/index.ts'
import type { ReceiverOptions } from './options.ts'

/** What `startReceiver` takes: `ReceiverOptions`, with the contract as text and the key by its file. */
export type StartReceiverOptions = Omit<ReceiverOptions, 'signer' | 'chainId' | 'contract'> &
  KeyChoice & {
    readonly chainId?: bigint | number
    readonly contract: string
  }

/**
 * @throws UraidenError `not_an_address` and `wrong_checksum` with the option's name, `key_not_given`, those of
 * `loadSigner`
 */
export async function readReceiverOptions(given: StartReceiverOptions): Promise<ReceiverOptions> {
  const { signer, key, chainId, contract, ...rest } = given
  return {
    ...rest,
    ...defined({ chainId: chainId === undefined ? undefined : BigInt(chainId) }),
    contract: addressOption('contract', contract),
    signer: await signerOption({ signer, key }),
  }
}
