// Balance proofs and closing agreements: what exactly is signed, in both forms.
//
// seed    the typed-data hash of the EIP-712 draft of 2017, without domain or chain id
//         (wire-protocol.md section 4); the only form of 0.2 contracts
// eip712  EIP-712 as it became final, with the domain of contract.md section 2, row 4; binds the
//         chain id, so a proof is good on one chain only
import { keccak_256 } from '@noble/hashes/sha3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { type Address, addressToBytes } from './address.ts'
import type { TokenAmount } from './amount.ts'
import { writeUint } from './bytes.ts'
import type { ChannelId, ContractBlock } from './channel.ts'
import { isUraidenError } from './errors.ts'
import { type Digest, parseSignature, recoverSigner, type Signature } from './signature.ts'
import { domainSeparator, typedDigest } from './typed-data.ts'

export type SignatureForm = 'seed' | 'eip712'

/** All of them. */
export const signatureForms: readonly SignatureForm[] = ['eip712', 'seed']

/** The contract a signature is for. The seed form leaves the chain id out. */
export interface SignatureDomain {
  readonly contract: Address
  readonly chainId: bigint
}

/** keccak-256; a server passes a faster one than the default. */
export type Keccak256 = (bytes: Uint8Array) => Uint8Array

/** The digest of one kind of message between two fixed parties, for any block and balance. */
export type DigestOf = (openBlock: ContractBlock, balance: TokenAmount) => Digest

/** One layout serves both messages: they differ in names and in whose address they hold. */
interface MessageKind {
  readonly seedSchema: string
  readonly seedMessageId: string
  readonly eip712Type: string
}

const balanceProof: MessageKind = {
  seedSchema:
    'string message_idaddress receiveruint32 block_createduint192 balanceaddress contract',
  seedMessageId: 'Sender balance proof signature',
  eip712Type: 'BalanceProof(address receiver,uint32 block_created,uint192 balance)',
}

const closingAgreement: MessageKind = {
  seedSchema: 'string message_idaddress senderuint32 block_createduint192 balanceaddress contract',
  seedMessageId: 'Receiver closing signature',
  eip712Type: 'ClosingAgreement(address sender,uint32 block_created,uint192 balance)',
}

/**
 * What the sender signs for each payment: the receiver may have `balance` of this channel.
 * @example
 * const digest = balanceProofDigest('eip712', domain, receiver)(channel.openBlock, 5n)
 * const signature = await signer.sign(digest)
 */
export function balanceProofDigest(
  form: SignatureForm,
  domain: SignatureDomain,
  receiver: Address,
  keccak: Keccak256 = keccak_256,
): DigestOf {
  return digestOf(balanceProof, form, domain, receiver, keccak)
}

/**
 * What the receiver signs to end a channel at once: it is content with `balance`.
 * @example
 * const digest = closingAgreementDigest('eip712', domain, channel.sender)(channel.openBlock, 5n)
 * const agreement = await signer.sign(digest)
 */
export function closingAgreementDigest(
  form: SignatureForm,
  domain: SignatureDomain,
  sender: Address,
  keccak: Keccak256 = keccak_256,
): DigestOf {
  return digestOf(closingAgreement, form, domain, sender, keccak)
}

/** A balance of a channel, and what is said to be a signature over it. */
export interface SignedBalance {
  readonly domain: SignatureDomain
  readonly channel: ChannelId
  readonly balance: TokenAmount
  readonly signature: Signature
}

/**
 * True when the channel's sender made the signature as a balance proof, in either form.
 * @example
 * isBalanceProof({ domain, channel, balance: 5n, signature }) // true
 * isBalanceProof({ domain, channel, balance: 6n, signature }) // false
 */
export function isBalanceProof(signed: SignedBalance): boolean {
  const { domain, channel } = signed
  return signatureForms.some((form) =>
    isSignedBy(channel.sender, balanceProofDigest(form, domain, channel.receiver), signed),
  )
}

/**
 * True when the channel's receiver made the signature as a closing agreement, in either form.
 * @example
 * isClosingAgreement({ domain, channel, balance: 5n, signature }) // false
 */
export function isClosingAgreement(signed: SignedBalance): boolean {
  const { domain, channel } = signed
  return signatureForms.some((form) =>
    isSignedBy(channel.receiver, closingAgreementDigest(form, domain, channel.sender), signed),
  )
}

/**
 * The receiver's agreement to close at just this balance; undefined when the text is none.
 * @example
 * parseClosingAgreement('0x', { domain, channel, balance: 5n }) // undefined
 */
export function parseClosingAgreement(
  text: string,
  agreed: Omit<SignedBalance, 'signature'>,
): Signature | undefined {
  try {
    const signature = parseSignature(text)
    return isClosingAgreement({ ...agreed, signature }) ? signature : undefined
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}

function isSignedBy(
  signer: Address,
  digest: DigestOf,
  { channel, balance, signature }: SignedBalance,
): boolean {
  try {
    return recoverSigner(digest(channel.openBlock, balance), signature) === signer
  } catch (error) {
    if (isUraidenError(error, 'unrecoverable_signature')) return false
    throw error
  }
}

function digestOf(
  kind: MessageKind,
  form: SignatureForm,
  domain: SignatureDomain,
  party: Address,
  keccak: Keccak256,
): DigestOf {
  return form === 'seed'
    ? seedDigest(kind, domain.contract, party, keccak)
    : eip712Digest(kind, domain, party, keccak)
}

/** keccak256(keccak256(schema) ‖ keccak256(values tightly packed)) */
function seedDigest(
  kind: MessageKind,
  contract: Address,
  party: Address,
  keccak: Keccak256,
): DigestOf {
  const id = utf8ToBytes(kind.seedMessageId)
  const blockAt = id.length + 20
  const values = new Uint8Array(id.length + 20 + 4 + 24 + 20)
  values.set(id, 0)
  values.set(addressToBytes(party), id.length)
  values.set(addressToBytes(contract), blockAt + 28)
  const hashes = new Uint8Array(64)
  hashes.set(keccak(utf8ToBytes(kind.seedSchema)), 0)
  return (openBlock, balance) => {
    writeUint(values, BigInt(openBlock), blockAt, 4)
    writeUint(values, balance, blockAt + 4, 24)
    hashes.set(keccak(values), 32)
    return keccak(hashes)
  }
}

function eip712Digest(
  kind: MessageKind,
  domain: SignatureDomain,
  party: Address,
  keccak: Keccak256,
): DigestOf {
  const separator = domainSeparator(domain.contract, domain.chainId)
  const struct = new Uint8Array(4 * 32)
  struct.set(keccak(utf8ToBytes(kind.eip712Type)), 0)
  struct.set(addressToBytes(party), 32 + 12)
  return (openBlock, balance) => {
    writeUint(struct, BigInt(openBlock), 64, 32)
    writeUint(struct, boundUint192(balance), 96, 32)
    return typedDigest(separator, keccak(struct), keccak)
  }
}

/** The struct's word has room for 256 bits; the message's field has not. */
function boundUint192(balance: TokenAmount): TokenAmount {
  if (balance >> 192n !== 0n) throw new RangeError(`${balance} does not fit uint192`)
  return balance
}
