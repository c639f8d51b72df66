// A token that takes authorizations (EIP-3009): what it calls itself in signatures, and the calls to it that matter
// here, encoded by hand.
import { tokenAbi } from '../../contracts/abi/token.ts'
import type { Call, ChainClient } from '../../platform/chain/index.ts'
import { isRevert, type NodeError } from '../../platform/chain/node.ts'
import { readToken } from '../../platform/chain/token.ts'
import {
  type Address,
  type Hex,
  isUraidenError,
  type Signature,
  type TokenUnit,
  toHex,
  type UraidenError,
} from '../../protocol/index.ts'
import {
  type TokenDomain,
  type TransferAuthorization,
  tokenSeparator,
} from '../../protocol/x402/index.ts'
import { receiverError } from '../errors/index.ts'

/** What payments are in. */
export interface Asset extends TokenUnit {
  readonly address: Address
  readonly domain: TokenDomain
  /** EIP-712, of that domain. */
  readonly separator: Uint8Array
}

/** As a person says it; what is left out is read from the chain. */
export interface NamedDomain {
  readonly name?: string | undefined
  readonly version?: string | undefined
}

/** Solidity ABI. */
const selector = {
  version: '0x54fd4d50',
  separator: '0x3644e515',
  state: '0xe94a0102',
  balance: '0x70a08231',
  /** With v, r and s: every version of the token has it. */
  transfer: '0xe3ee160e',
} as const

/**
 * Reads it from the chain. `named` stands above what the token says of itself; what is signed has to be right in
 * either case.
 * @throws UraidenError `x402_asset_unusable`, and those of the chain
 */
export async function readAsset(
  chain: Pick<ChainClient, 'request' | 'chainId'>,
  address: Address,
  named: NamedDomain = {},
): Promise<Asset> {
  const { Interface } = await import('ethers')
  const own = new Interface(tokenAbi)
  const facts = await readToken(chain.request, address, own)
  const [version, separator, state] = await Promise.all([
    named.version ?? said(chain, address, selector.version).then(textOf),
    said(chain, address, selector.separator),
    said(chain, address, `${selector.state}${'0'.repeat(128)}`),
  ])
  if (separator === undefined || state === undefined) {
    throw unusable(address, 'takes no authorizations (EIP-3009)')
  }
  const domain = { name: named.name ?? facts.name, version: version ?? '1' }
  const { chainId } = chain
  const computed = tokenSeparator({ chainId, asset: address }, domain)
  if (toHex(computed) !== separator.toLowerCase()) {
    throw unusable(
      address,
      `does not call itself “${domain.name}”, version ${domain.version}, in what is signed for it`,
    )
  }
  const { symbol, decimals } = facts
  return { ...{ address, symbol, decimals, domain }, separator: computed }
}

function unusable(address: Address, why: string): UraidenError {
  return receiverError({
    code: 'x402_asset_unusable',
    message: `accept.x402.asset: the token ${address} ${why}.`,
  })
}

/** A word or more; undefined of a contract that does not have it. */
async function said(
  { request }: Pick<ChainClient, 'request'>,
  to: Address,
  data: string,
): Promise<string | undefined> {
  try {
    const answer = String(await request('eth_call', [{ to, data }, 'latest']))
    return /^0x[0-9a-f]{64,}$/i.test(answer) ? answer : undefined
  } catch (error) {
    if (isUraidenError(error, 'rpc_error') && isRevert(error.cause as NodeError)) return undefined
    throw error
  }
}

/** Of one string: its place, its length, its bytes. */
function textOf(answer: string | undefined): string | undefined {
  if (answer === undefined) return undefined
  const bytes = Buffer.from(answer.slice(2), 'hex')
  const length = bytes.length < 64 ? 0 : Number(BigInt(`0x${bytes.toString('hex', 32, 64)}`))
  return length > 0 && length <= 64 ? bytes.toString('utf8', 64, 64 + length) : undefined
}

/** Whether the authorization has been used or cancelled. @throws UraidenError those of the chain */
export async function isUsed(
  chain: Pick<ChainClient, 'request'>,
  asset: Address,
  { from, nonce }: Pick<TransferAuthorization, 'from' | 'nonce'>,
): Promise<boolean> {
  const data = `${selector.state}${word(from)}${nonce.slice(2)}`
  const answer = await said(chain, asset, data)
  if (answer === undefined) throw unusable(asset, 'does not say whether an authorization was used')
  return BigInt(answer) !== 0n
}

/** In the asset's smallest unit. @throws UraidenError those of the chain */
export async function balanceOf(
  chain: Pick<ChainClient, 'request'>,
  asset: Address,
  account: Address,
): Promise<bigint> {
  return BigInt((await said(chain, asset, `${selector.balance}${word(account)}`)) ?? 0n)
}

/** Moves what was authorized; anybody may send it. */
export function transferCall(
  asset: Address,
  { from, to, value, validAfter, validBefore, nonce }: TransferAuthorization,
  signature: Signature,
): Call {
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)]
  const words = [
    ...[word(from), word(to), word(value), word(validAfter), word(validBefore)],
    ...[nonce.slice(2), v.padStart(64, '0'), r, s],
  ]
  const data: Hex = `0x${selector.transfer.slice(2)}${words.join('')}`
  return { purpose: 'settle a payment of x402', to: asset, data }
}

export function word(value: bigint | Address): string {
  const digits = typeof value === 'bigint' ? value.toString(16) : value.slice(2).toLowerCase()
  return digits.padStart(64, '0')
}
