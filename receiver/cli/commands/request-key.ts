// uraiden-receiver key request: has the receiver's request key signed where the account's key is.
import { connectChain } from '../../../platform/chain/index.ts'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import type { ReceiverKey } from '../../../protocol/bound/index.ts'
import {
  channelsDomain,
  parseAddress,
  parseSignature,
  type SignatureDomain,
} from '../../../protocol/index.ts'
import { acceptSignature, nextRequestKey } from '../../core/request-key.ts'
import { openSigner, type ReceiverSettings } from '../../program/settings.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface RequestKeyOptions extends GlobalOptions {
  /** The receiver's; the configured key's when left out. */
  readonly address?: string
  /** Of what was printed before. */
  readonly signature?: string
}

/**
 * Prints what is to be signed, or takes the signature.
 * @throws UraidenError those of `nextRequestKey` and `acceptSignature`, `chain_unavailable`
 */
export async function requestKey(options: RequestKeyOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const settings = await openSettings(options)
  const chain = await connectChain(settings.connection)
  try {
    const { contract } = settings.connection
    const domain = { contract, chainId: chain.chainId }
    const places = { state: settings.state, credentials: process.env.CREDENTIALS_DIRECTORY }
    if (options.signature === undefined) {
      const message = await nextRequestKey(places, async () => (await chain.head()).contractBlock)
      output.print(toJson(typedKey(domain, message)))
      output.say('Sign this with the receiver’s account (eth_signTypedData_v4), then run')
      output.say('uraiden-receiver key request --signature 0x…')
      return exitCode.ok
    }
    const receiver = await addressOf(options, settings)
    const signature = parseSignature(options.signature)
    const { number } = await acceptSignature(places, signature, { domain, receiver })
    output.print(
      output.json
        ? toJson({ number: `${number}`, receiver })
        : `The request key with number ${number} is in ${settings.state}. A receiver that runs takes it when it is started again.`,
    )
    return exitCode.ok
  } finally {
    chain.close()
  }
}

async function addressOf({ address }: RequestKeyOptions, { key }: ReceiverSettings) {
  return address === undefined ? (await openSigner(key)).address : parseAddress(address)
}

/** For `eth_signTypedData_v4` (EIP-712). */
function typedKey({ contract, chainId }: SignatureDomain, message: ReceiverKey) {
  const { key, number, until } = message
  return {
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      ReceiverKey: [
        { name: 'key', type: 'bytes' },
        { name: 'number', type: 'uint64' },
        { name: 'until', type: 'uint64' },
      ],
    },
    primaryType: 'ReceiverKey',
    domain: { ...channelsDomain, chainId: `${chainId}`, verifyingContract: contract },
    message: { key, number: `${number}`, until: `${until}` },
  }
}
