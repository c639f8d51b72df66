// EIP-712: the domain of the channels contract, and the digest of a struct in it.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Address, addressToBytes } from './address.ts'
import { writeUint } from './bytes.ts'

const domainType =
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'

/** Name and version that the channels contract answers with `eip712Domain()` (ERC-5267). */
export const channelsDomain = { name: 'RaidenMicroTransferChannels', version: '1' } as const

/**
 * EIP-712, definition of `domainSeparator`.
 * @example
 * domainSeparator(contract, 1n).length // 32
 */
export function domainSeparator(
  contract: Address,
  chainId: bigint,
  named: { readonly name: string; readonly version: string } = channelsDomain,
): Uint8Array {
  const words = new Uint8Array(5 * 32)
  words.set(hashText(domainType), 0)
  words.set(hashText(named.name), 32)
  words.set(hashText(named.version), 64)
  writeUint(words, chainId, 96, 32)
  words.set(addressToBytes(contract), 128 + 12)
  return keccak_256(words)
}

/**
 * EIP-712: keccak256(0x19 0x01 ‖ domain separator ‖ struct hash)
 * @example
 * const hash = hashStruct('Vote(address by,uint256 count)', [receiver, 3n])
 * const signature = await signer.sign(typedDigest(separator, hash))
 */
export function typedDigest(
  separator: Uint8Array,
  structHash: Uint8Array,
  keccak: (bytes: Uint8Array) => Uint8Array = keccak_256,
): Uint8Array {
  return keccak(concatBytes(Uint8Array.of(0x19, 0x01), separator, structHash))
}

/**
 * EIP-712 `hashStruct` of a type whose members take one word each: an address, an integer, or the hash
 * of a member of type `bytes`.
 * @example
 * hashStruct('Vote(address by,uint256 count)', [receiver, 3n]).length // 32
 */
export function hashStruct(
  type: string,
  values: readonly (Address | bigint | Uint8Array)[],
): Uint8Array {
  const words = new Uint8Array(32 * (values.length + 1))
  words.set(hashText(type), 0)
  values.forEach((value, at) => {
    const offset = 32 * (at + 1)
    if (typeof value === 'bigint') writeUint(words, value, offset, 32)
    else if (typeof value === 'string') words.set(addressToBytes(value), offset + 12)
    else words.set(value, offset)
  })
  return keccak_256(words)
}

function hashText(text: string): Uint8Array {
  return keccak_256(utf8ToBytes(text))
}
