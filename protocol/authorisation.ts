// What a sender signs so that a deposit needs no earlier `approve`, and so that somebody else can send
// the transaction: an EIP-2612 permit, and the contract's `OpenChannel` and `TopUp` messages
// (contract.md section 2, row 9); or, for an opening, one EIP-3009 authorization.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes } from '@noble/hashes/utils.js'
import { type Address, addressToBytes } from './address.ts'
import type { TokenAmount } from './amount.ts'
import { fromHex, type Hex } from './bytes.ts'
import type { ContractBlock } from './channel.ts'
import type { SignatureDomain } from './proof.ts'
import type { Digest } from './signature.ts'
import { domainSeparator, hashStruct, typedDigest } from './typed-data.ts'

interface Authorisation {
  /** Of the signer, at the token or at the channels contract. */
  readonly nonce: bigint
  /** Unix seconds. */
  readonly deadline: bigint
}

export interface Permit extends Authorisation {
  readonly owner: Address
  readonly spender: Address
  readonly value: TokenAmount
}

export interface OpenChannelMessage extends Authorisation {
  readonly sender: Address
  readonly receiver: Address
  readonly deposit: TokenAmount
}

export interface TopUpMessage extends Authorisation {
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: ContractBlock
  readonly added: TokenAmount
}

/** An EIP-3009 authorization that opens one channel to one receiver. */
export interface OpeningAuthorization {
  readonly sender: Address
  readonly receiver: Address
  readonly deposit: TokenAmount
  /** Unix seconds; good between the two, neither included. */
  readonly validAfter: bigint
  readonly validBefore: bigint
  /** 32 bytes, of the sender's choice: two with the same salt open one channel, not two. */
  readonly salt: Hex
}

const receiveType =
  'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)'
const permitType =
  'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'
const openChannelType =
  'OpenChannel(address sender,address receiver,uint192 deposit,uint256 nonce,uint256 deadline)'
const topUpType =
  'TopUp(address sender,address receiver,uint32 block_created,uint192 added_deposit,uint256 nonce,uint256 deadline)'

/**
 * EIP-2612; tokens name and number their domain as they like, so its separator comes from the token.
 * @example
 * const owner = signer.address
 * const permit = { owner, spender: contract, value: 50n, nonce: 0n, deadline: 1800000000n }
 * const signature = await signer.sign(permitDigest(separator, permit))
 */
export function permitDigest(separator: Uint8Array, permit: Permit): Digest {
  const { owner, spender, value, nonce, deadline } = permit
  return typedDigest(separator, hashStruct(permitType, [owner, spender, value, nonce, deadline]))
}

/**
 * The nonce that the contract gives to the token: it binds the receiver, whom EIP-3009 does not know.
 * @example
 * const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
 * openingNonce({ receiver, salt }).length // 32
 */
export function openingNonce({
  receiver,
  salt,
}: Pick<OpeningAuthorization, 'receiver' | 'salt'>): Uint8Array {
  return keccak_256(concatBytes(addressToBytes(receiver), fromHex(salt)))
}

/**
 * EIP-3009 `ReceiveWithAuthorization` to the channels contract; the separator is the token's.
 * @example
 * const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
 * const time = { validAfter: 0n, validBefore: 1800000000n }
 * const authorization = { sender: signer.address, receiver, deposit: 50n, ...time, salt }
 * const signature = await signer.sign(authorizationDigest(separator, contract, authorization))
 */
export function authorizationDigest(
  separator: Uint8Array,
  contract: Address,
  authorization: OpeningAuthorization,
): Digest {
  const { sender, deposit, validAfter, validBefore } = authorization
  const values = [
    ...[sender, contract, deposit, validAfter, validBefore],
    openingNonce(authorization),
  ]
  return typedDigest(separator, hashStruct(receiveType, values))
}

/**
 * What a sender signs so that somebody else can open its channel (EIP-712).
 * @example
 * const message = { sender: signer.address, receiver, deposit: 50n, nonce: 0n, deadline: 1800000000n }
 * const signature = await signer.sign(openChannelDigest(domain, message))
 */
export function openChannelDigest(domain: SignatureDomain, message: OpenChannelMessage): Digest {
  const { sender, receiver, deposit, nonce, deadline } = message
  const hash = hashStruct(openChannelType, [sender, receiver, deposit, nonce, deadline])
  return typedDigest(domainSeparator(domain.contract, domain.chainId), hash)
}

/**
 * What a sender signs so that somebody else can top its channel up (EIP-712).
 * @example
 * const message = { ...channel, added: 50n, nonce: 1n, deadline: 1800000000n }
 * const signature = await signer.sign(topUpDigest(domain, message))
 */
export function topUpDigest(domain: SignatureDomain, message: TopUpMessage): Digest {
  const { sender, receiver, openBlock, added, nonce, deadline } = message
  const values = [sender, receiver, BigInt(openBlock), added, nonce, deadline]
  return typedDigest(
    domainSeparator(domain.contract, domain.chainId),
    hashStruct(topUpType, values),
  )
}
