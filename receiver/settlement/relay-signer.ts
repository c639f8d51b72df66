// Whether a deposit to relay is signed by the sender that it names. The signed message has a nonce of
// the sender's, which only the chain knows for sure; rubbish must not cost a question to the node, so
// likely ones are tried first, and questions are rationed by block.
import { type ChainClient, readQuantity } from '../../platform/chain/index.ts'
import {
  type Address,
  type ChainBlock,
  type Digest,
  fromHex,
  type Hex,
  type Signature,
} from '../../protocol/index.ts'
import { isSignedBy, type Recovery } from '../signatures/recovery.ts'

/** The Solidity ABI's selector of `nonces(address)`. */
const noncesSelector = '0x7ecebe00'

/** First deposits of an account; in JavaScript one recovery takes milliseconds. */
const firstNonces = { native: 4n, wasm: 4n, js: 1n } as const

/** Questions about nonces in one block, whoever asks. */
const mostLookups = 8

const mostRemembered = 1000

export interface RelaySigner {
  /** `digest` is of the message with this nonce. @throws UraidenError those of the chain client */
  readonly isSender: (
    sender: Address,
    signature: Signature,
    digest: (nonce: bigint) => Digest,
  ) => Promise<boolean>
  /**
   * Whether the account may have authorized this. Only its key makes 65 bytes over the digest; what the code of an
   * account takes (ERC-1271) only the token can tell. @throws UraidenError those of the chain client
   */
  readonly mayBeSender: (sender: Address, authorization: Hex, digest: Digest) => Promise<boolean>
}

export interface RelaySignerParts {
  readonly chain: Pick<ChainClient, 'request' | 'contract'>
  readonly by: Recovery
  readonly head: () => ChainBlock
}

export function createRelaySigner({ chain, by, head }: RelaySignerParts): RelaySigner {
  /** The nonce that comes next, as far as it is known here. */
  const next = new Map<Address, bigint>()
  let asked = { head: -1, lookups: 0 }

  function mayLookUp(): boolean {
    if (asked.head !== head()) asked = { head: head(), lookups: 0 }
    return asked.lookups++ < mostLookups
  }

  function remember(sender: Address, nonce: bigint): void {
    next.delete(sender)
    const [oldest] = next.keys()
    if (next.size >= mostRemembered && oldest !== undefined) next.delete(oldest)
    next.set(sender, nonce)
  }

  return {
    isSender: async (sender, signature, digest) => {
      const bytes = { address: fromHex(sender), signature: fromHex(signature) }
      const isSigned = (nonce: bigint): boolean => {
        const signed = { digest: digest(nonce), signature: bytes.signature }
        const isIt = isSignedBy(by, bytes.address, signed)
        if (isIt) remember(sender, nonce + 1n)
        return isIt
      }
      const known = next.get(sender)
      // The last one once more: its transaction may have failed.
      const likely = known === undefined ? [] : [known, known - 1n]
      for (let nonce = 0n; nonce < firstNonces[by.name]; nonce++) likely.push(nonce)
      if (likely.some(isSigned)) return true
      if (!mayLookUp()) return false
      const data = `${noncesSelector}${sender.slice(2).toLowerCase().padStart(64, '0')}`
      return isSigned(
        readQuantity(await chain.request('eth_call', [{ to: chain.contract, data }, 'latest'])),
      )
    },
    mayBeSender: async (sender, authorization, digest) => {
      const signature = fromHex(authorization)
      const isPlain = signature.length === 65
      if (isPlain && isSignedBy(by, fromHex(sender), { digest, signature })) return true
      if (!mayLookUp()) return false
      return (await chain.request('eth_getCode', [sender, 'latest'])) !== '0x'
    },
  }
}
