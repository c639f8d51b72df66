// The scheme `exact` on EVM chains, by EIP-3009: what is asked, what is signed, and whose signature it is.
import { type Address, parseAddress } from '../address.ts'
import { maxTokenAmount, type TokenAmount } from '../amount.ts'
import { type Hex, isHex } from '../bytes.ts'
import { isUraidenError } from '../errors.ts'
import { type Digest, parseSignature, recoverSigner, type Signer } from '../signature.ts'
import { domainSeparator, hashStruct, typedDigest } from '../typed-data.ts'
import { type JsonObject, malformed, objectIn, textIn } from './json.ts'
import type { Requirements } from './messages.ts'

/** What one entry of `accepts` asks for, where it can be paid by EIP-3009. */
export interface ExactTerms {
  readonly chainId: bigint
  readonly asset: Address
  readonly payTo: Address
  readonly amount: TokenAmount
  /** Seconds that the seller wants an authorization to be good for. */
  readonly timeout: number
  /** What the seller says of the token's domain; undefined where it says nothing. */
  readonly named: TokenDomain | undefined
}

/** EIP-712: how a token calls itself in what is signed for it. */
export interface TokenDomain {
  readonly name: string
  readonly version: string
}

/** EIP-3009. Times are Unix seconds; it is good between the two, neither included. */
export interface TransferAuthorization {
  readonly from: Address
  readonly to: Address
  readonly value: bigint
  readonly validAfter: bigint
  readonly validBefore: bigint
  /** 32 bytes, lower case. */
  readonly nonce: Hex
}

export interface ExactPayload {
  readonly authorization: TransferAuthorization
  /** 65 bytes of an account; those of a smart wallet are longer. */
  readonly signature: Hex
}

const transferType =
  'TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)'

/** CAIP-2 of an EVM chain. */
export function networkOf(chainId: bigint): string {
  return `eip155:${chainId}`
}

/** Undefined for other chains than EVM ones. */
export function chainIdOf(network: string): bigint | undefined {
  const [, digits] = /^eip155:([1-9][0-9]{0,19})$/.exec(network) ?? []
  return digits === undefined ? undefined : BigInt(digits)
}

/** Whether an entry is of this scheme and method. */
export function isExact({ scheme, network, extra }: Requirements): boolean {
  const method = extra?.assetTransferMethod ?? 'eip3009'
  return scheme === 'exact' && chainIdOf(network) !== undefined && method === 'eip3009'
}

/**
 * What an entry of this scheme asks for. `where` is for the error.
 * @throws UraidenError `malformed_x402`
 */
export function exactTerms(offer: Requirements, where: string): ExactTerms {
  const chainId = chainIdOf(offer.network)
  if (chainId === undefined) throw malformed(`${where}.network`, 'is no EVM chain')
  const timeout = offer.maxTimeoutSeconds
  // Above it is a hundred years, and a fraction of a second no stock client can sign.
  if (!Number.isInteger(timeout) || timeout > 0xffff_ffff) {
    throw malformed(`${where}.maxTimeoutSeconds`, 'is no number of seconds')
  }
  return {
    ...{ chainId, timeout },
    asset: addressIn(offer, 'asset', where),
    payTo: addressIn(offer, 'payTo', where),
    amount: uintIn(offer, 'amount', where, maxTokenAmount),
    named: tokenDomainIn(offer, where),
  }
}

function tokenDomainIn(offer: Requirements, where: string): TokenDomain | undefined {
  const { extra } = offer
  if (extra?.name === undefined || extra.version === undefined) return undefined
  const text = (name: string) => textIn(extra, name, `${where}.extra`, { most: 128 })
  return { name: text('name'), version: text('version') }
}

/** @throws UraidenError `malformed_x402` */
export function parseExactPayload(payload: JsonObject, where: string): ExactPayload {
  const authorization = objectIn(payload, 'authorization', where)
  const place = `${where}.authorization`
  const uint = (name: string) => uintIn(authorization, name, place, maxUint256)
  const nonce = textIn(authorization, 'nonce', place, { most: 66 }).toLowerCase()
  if (!isHex(nonce) || nonce.length !== 66) throw malformed(`${place}.nonce`, 'is not 32 bytes')
  const signature = textIn(payload, 'signature', where, { most: mostSignature })
  if (!isHex(signature)) throw malformed(`${where}.signature`, 'is not bytes in hex')
  return {
    authorization: {
      from: addressIn(authorization, 'from', place),
      to: addressIn(authorization, 'to', place),
      ...{ value: uint('value'), validAfter: uint('validAfter') },
      ...{ validBefore: uint('validBefore'), nonce },
    },
    signature,
  }
}

/** Characters; a smart wallet that is not there yet brings the code that makes it (EIP-6492). */
const mostSignature = 8192

export function formatExactPayload({ authorization, signature }: ExactPayload): JsonObject {
  const { from, to, value, validAfter, validBefore, nonce } = authorization
  return {
    signature,
    authorization: {
      ...{ from, to, value: `${value}`, validAfter: `${validAfter}` },
      ...{ validBefore: `${validBefore}`, nonce },
    },
  }
}

/** EIP-712: the separator of the token's domain. */
export function tokenSeparator(
  { chainId, asset }: Pick<ExactTerms, 'chainId' | 'asset'>,
  named: TokenDomain,
): Uint8Array {
  return domainSeparator(asset, chainId, named)
}

/** EIP-3009 `TransferWithAuthorization`; the separator is the token's. */
export function transferDigest(
  separator: Uint8Array,
  authorization: TransferAuthorization,
): Digest {
  const { from, to, value, validAfter, validBefore, nonce } = authorization
  const values = [from, to, value, validAfter, validBefore, BigInt(nonce)]
  return typedDigest(separator, hashStruct(transferType, values))
}

/** Signs for a token whose separator is known to be right. The authorization's `from` is the signer. */
export async function signTransfer(
  signer: Signer,
  separator: Uint8Array,
  authorization: TransferAuthorization,
): Promise<ExactPayload> {
  const signature = await signer.sign(transferDigest(separator, authorization))
  return { authorization, signature }
}

/** Whether the account itself has signed: false for the longer signatures of smart wallets, which the chain checks. */
export function isSignedByAccount(
  separator: Uint8Array,
  { authorization, signature }: ExactPayload,
): boolean {
  try {
    const digest = transferDigest(separator, authorization)
    return recoverSigner(digest, parseSignature(signature)) === authorization.from
  } catch (error) {
    if (isUraidenError(error)) return false
    throw error
  }
}

export const maxUint256 = 2n ** 256n - 1n

/** A decimal integer without superfluous zeros, so that it has one text. @throws UraidenError `malformed_x402` */
function uintIn(object: JsonObject, name: string, where: string, most: bigint): bigint {
  const text = textIn(object, name, where, { most: 128 })
  const value = /^(?:0|[1-9][0-9]{0,77})$/.test(text) ? BigInt(text) : undefined
  if (value === undefined) throw malformed(`${where}.${name}`, 'is not a decimal integer')
  if (value > most) throw malformed(`${where}.${name}`, 'is too large')
  return value
}

function addressIn(object: JsonObject, name: string, where: string): Address {
  const text = textIn(object, name, where, { most: 128 })
  try {
    return parseAddress(text)
  } catch {
    throw malformed(`${where}.${name}`, 'is not an address')
  }
}
