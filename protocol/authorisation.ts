// What a sender signs so that a deposit needs no earlier `approve`, and so that somebody else can send
// the transaction: an EIP-2612 permit, and the contract's `OpenChannel` and `TopUp` messages
// (contract.md section 2, row 9).
import type { Address } from './address.ts'
import type { TokenAmount } from './amount.ts'
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

const permitType =
  'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'
const openChannelType =
  'OpenChannel(address sender,address receiver,uint192 deposit,uint256 nonce,uint256 deadline)'
const topUpType =
  'TopUp(address sender,address receiver,uint32 block_created,uint192 added_deposit,uint256 nonce,uint256 deadline)'

/** EIP-2612; tokens name and number their domain as they like, so its separator comes from the token. */
export function permitDigest(separator: Uint8Array, permit: Permit): Digest {
  const { owner, spender, value, nonce, deadline } = permit
  return typedDigest(separator, hashStruct(permitType, [owner, spender, value, nonce, deadline]))
}

export function openChannelDigest(domain: SignatureDomain, message: OpenChannelMessage): Digest {
  const { sender, receiver, deposit, nonce, deadline } = message
  const hash = hashStruct(openChannelType, [sender, receiver, deposit, nonce, deadline])
  return typedDigest(domainSeparator(domain.contract, domain.chainId), hash)
}

export function topUpDigest(domain: SignatureDomain, message: TopUpMessage): Digest {
  const { sender, receiver, openBlock, added, nonce, deadline } = message
  const values = [sender, receiver, BigInt(openBlock), added, nonce, deadline]
  return typedDigest(
    domainSeparator(domain.contract, domain.chainId),
    hashStruct(topUpType, values),
  )
}
