// What the chain of an asset says: how the token calls itself in what is signed for it, and what became of an
// authorization. By JSON-RPC, without a library.
import { ifFits, object, text as textShape } from '../../platform/shapes/shape.ts'
import { printedUrl } from '../../platform/text/printed.ts'
import {
  type Address,
  addressToBytes,
  fromHex,
  type Hex,
  isHex,
  isUraidenError,
  type TokenAmount,
  toHex,
  toQuantity,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { Transport } from '../transport/transport.ts'
import type { Asset, Authorised } from './types.ts'

/**
 * used     it has moved tokens
 * unused   it never will: it has expired, and the chain is past that by all confirmations
 * open     it may still be used, or nobody knows
 */
export type Fate = 'used' | 'unused' | 'open'

export interface AssetChain {
  /** @throws UraidenError `asset_unknown_to_chain`, `asset_chain_unavailable` */
  readonly token: (asset: Asset) => Promise<TokenFacts>
  /** What the account has. @throws UraidenError those of `token` */
  readonly balance: (asset: Asset) => Promise<TokenAmount>
  /** Never throws: what cannot be asked is open. */
  readonly fate: (asset: Asset, authorised: Authorised) => Promise<Fate>
}

/** What a token says of itself, and does not change. */
export interface TokenFacts {
  /** `DOMAIN_SEPARATOR()` */
  readonly separator: Hex
  /** Null where it says nothing, as ERC-20 allows. */
  readonly decimals: number | null
}

/** Selectors (Solidity ABI): of EIP-2612, EIP-3009 with account and nonce, and ERC-20. */
const domainSeparator = '0x3644e515'
const authorizationState = '0xe94a0102'
const decimalsOf = '0x313ce567'
const balanceOf = '0x70a08231'

type Ask = (url: string, method: string, params: readonly unknown[]) => Promise<unknown>

async function tokenAt(ask: Ask, url: string, asset: Asset): Promise<TokenFacts> {
  const to = asset.address
  const separator = await readWord(ask, { url, to, data: domainSeparator })
  if (separator === undefined) throw unknownToChain(asset)
  // A call of a function that is not there fails.
  const decimals = await readWord(ask, { url, to, data: decimalsOf }).catch(() => undefined)
  return { separator, decimals: decimals === undefined ? null : Number(BigInt(decimals)) }
}

/** Undefined where the contract answers anything but one word. */
async function readWord(
  ask: Ask,
  { url, to, data }: { readonly url: string; readonly to: Address; readonly data: string },
): Promise<Hex | undefined> {
  const said = await ask(url, 'eth_call', [{ to, data }, 'latest'])
  return isHex(said) && fromHex(said).length === 32 ? said : undefined
}

export function createAssetChain(transport: Transport, own: Authorised['payTo']): AssetChain {
  const ask: Ask = (url, method, params) => askNode(transport, { url, method, params })
  const checked = new Set<string>()
  const account = toHex(addressToBytes(own)).slice(2).padStart(64, '0')

  /** A node of another chain would say of every authorization that it was never used. */
  async function checkChain(url: string, { chainId }: Asset): Promise<void> {
    const key = `${chainId} ${url}`
    if (checked.has(key)) return
    const found = quantity(await ask(url, 'eth_chainId', []))
    if (found !== chainId) throw silent(url, `it is of the chain ${found}, not ${chainId}`)
    checked.add(key)
  }

  async function isUsed(url: string, { address, nonce }: Authorised, block: string) {
    const call = { to: address, data: `${authorizationState}${account}${nonce.slice(2)}` }
    const answer = await ask(url, 'eth_call', [call, block])
    if (answer === `0x${'0'.repeat(63)}1`) return true
    if (answer === `0x${'0'.repeat(64)}`) return false
    throw silent(url, 'it does not say whether an authorization was used')
  }

  async function timeOf(url: string, block: string) {
    const said = ifFits(header, await ask(url, 'eth_getBlockByNumber', [block, false]))
    if (said === undefined) throw silent(url, `it has no block ${block}`)
    return { number: quantity(said.number), timestamp: quantity(said.timestamp) }
  }

  async function fateAt(url: string, asset: Asset, authorised: Authorised): Promise<Fate> {
    await checkChain(url, asset)
    const { number } = await timeOf(url, 'latest')
    const deep = number - BigInt(asset.confirmations) + 1n
    const block = toQuantity(deep > 0n ? deep : 0n)
    if (await isUsed(url, authorised, block)) return 'used'
    // EIP-3009 takes it in blocks before its time only, and no later block has an earlier one.
    const { timestamp } = await timeOf(url, block)
    return timestamp >= BigInt(authorised.validBefore) ? 'unused' : 'open'
  }

  return {
    token: (asset) =>
      firstOf(asset, async (url) => {
        await checkChain(url, asset)
        return tokenAt(ask, url, asset)
      }),
    balance: (asset) =>
      firstOf(asset, async (url) => {
        await checkChain(url, asset)
        const said = await readWord(ask, { url, to: asset.address, data: `${balanceOf}${account}` })
        if (said === undefined) throw unknownToChain(asset)
        return BigInt(said)
      }),
    fate: async (asset, authorised) => {
      const said = await Promise.allSettled(
        asset.rpcUrl.map((url) => fateAt(url, asset, authorised)),
      )
      const fates = said.map((each) => (each.status === 'fulfilled' ? each.value : 'open'))
      if (fates.includes('used')) return 'used'
      return fates.every((each) => each === 'unused') ? 'unused' : 'open'
    },
  }
}

async function firstOf<Value>(
  { rpcUrl }: Asset,
  ask: (url: string) => Promise<Value>,
): Promise<Value> {
  let failure: unknown
  for (const url of rpcUrl) {
    try {
      return await ask(url)
    } catch (error) {
      if (!isUraidenError(error, 'asset_chain_unavailable')) throw error
      failure ??= error
    }
  }
  throw failure
}

const header = object({
  number: textShape(/^0x[0-9a-f]+$/i),
  timestamp: textShape(/^0x[0-9a-f]+$/i),
})

function quantity(said: unknown): bigint {
  return typeof said === 'string' && /^0x[0-9a-f]{1,64}$/i.test(said) ? BigInt(said) : -1n
}

interface Question {
  readonly url: string
  readonly method: string
  readonly params: readonly unknown[]
}

/** JSON-RPC 2.0 over HTTP. A node that says no and one that says nothing are the same here: nothing is known. */
async function askNode(transport: Transport, { url, method, params }: Question): Promise<unknown> {
  try {
    const answer = await transport.send({
      ...{ method: 'POST', url: new URL(url), read: 'body' },
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = JSON.parse(new TextDecoder().decode(await answer.body()))
    if (answer.status === 200 && error === undefined) return result
    throw silent(url, `it refuses ${method}`)
  } catch (error) {
    if (isUraidenError(error, 'asset_chain_unavailable')) throw error
    throw silent(url, `it does not answer ${method}`, error)
  }
}

function silent(url: string, why: string, cause?: unknown): UraidenError {
  return agentError({
    code: 'asset_chain_unavailable',
    message: `The node ${printedUrl(url)} of an asset says nothing that can be used: ${why}.`,
    ...(cause !== undefined && { cause }),
  })
}

function unknownToChain({ name, address, chainId }: Asset): UraidenError {
  return agentError({
    code: 'asset_unknown_to_chain',
    message: `What is at ${address} on the chain ${chainId} does not say for what it takes signatures, so it is not paid with as ${name}.`,
  })
}
