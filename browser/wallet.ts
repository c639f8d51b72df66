// A wallet as pages meet it: EIP-1193, found by EIP-6963.

import {
  type Address,
  isHex,
  parseAddress,
  parseSignature,
  type Signature,
  toQuantity,
  type UraidenError,
} from '../protocol/index.ts'
import { browserError } from './error-codes.ts'
import { walletError } from './errors.ts'

/** EIP-1193. */
export interface Eip1193Provider {
  readonly request: (call: {
    readonly method: string
    readonly params?: readonly unknown[]
  }) => Promise<unknown>
  readonly on?: (event: string, listener: (value: unknown) => void) => unknown
  readonly removeListener?: (event: string, listener: (value: unknown) => void) => unknown
}

/** How a wallet presents itself (EIP-6963). */
export interface AnnouncedWallet {
  /** Unique while the page lives. */
  readonly id: string
  readonly name: string
  /** A data: address of an image, or empty. */
  readonly icon: string
  readonly provider: Eip1193Provider
}

interface Announcement {
  readonly info?: { readonly uuid?: unknown; readonly name?: unknown; readonly icon?: unknown }
  readonly provider?: Eip1193Provider
}

/**
 * Tells of each wallet as it announces itself, and of `window.ethereum` when none has done so by
 * the end of the call: announcements are answered at once. Returns how to stop.
 * @example
 * const stop = discoverWallets(({ name, provider }) => offer(name, provider))
 */
export function discoverWallets(
  found: (wallet: AnnouncedWallet) => void,
  target: EventTarget = globalThis as unknown as EventTarget,
): () => void {
  const seen = new Set<string>()
  const listener = (event: Event) => {
    const wallet = announced((event as Event & { readonly detail?: Announcement }).detail)
    if (wallet === undefined || seen.has(wallet.id)) return
    seen.add(wallet.id)
    found(wallet)
  }
  target.addEventListener('eip6963:announceProvider', listener)
  target.dispatchEvent(new Event('eip6963:requestProvider'))
  const { ethereum } = target as EventTarget & { readonly ethereum?: Eip1193Provider }
  if (seen.size === 0 && typeof ethereum?.request === 'function') {
    found({ id: 'window.ethereum', name: 'Browser wallet', icon: '', provider: ethereum })
  }
  return () => target.removeEventListener('eip6963:announceProvider', listener)
}

function announced(detail: Announcement | undefined): AnnouncedWallet | undefined {
  const { uuid, name, icon } = detail?.info ?? {}
  if (typeof uuid !== 'string' || typeof name !== 'string') return undefined
  if (typeof detail?.provider?.request !== 'function') return undefined
  const image = typeof icon === 'string' && icon.startsWith('data:image/') ? icon : ''
  return { id: uuid, name, icon: image, provider: detail.provider }
}

/**
 * One request to the wallet.
 * @throws UraidenError `wallet_refused`, `wallet_locked`, `wallet_disconnected`, `wallet_busy`,
 * `wallet_unsupported`, `wallet_chain_unknown`, `would_revert`, `wallet_failed`
 */
export async function ask(
  wallet: Eip1193Provider,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  try {
    return await wallet.request({ method, params })
  } catch (error) {
    throw walletError(error, method)
  }
}

/**
 * Accounts that this page may use already; asks the person nothing.
 * @example
 * const [account] = await listAccounts(wallet)
 * if (account === undefined) console.log('this page may not see the accounts yet')
 */
export async function listAccounts(wallet: Eip1193Provider): Promise<readonly Address[]> {
  return addresses(await ask(wallet, 'eth_accounts'))
}

/**
 * Asks the person to connect the wallet.
 * @example
 * const [account] = await requestAccounts(wallet)
 */
export async function requestAccounts(wallet: Eip1193Provider): Promise<readonly Address[]> {
  return addresses(await ask(wallet, 'eth_requestAccounts'))
}

function addresses(answer: unknown): readonly Address[] {
  return Array.isArray(answer) ? answer.map((each) => parseAddress(String(each))) : []
}

/**
 * The chain that the wallet is on (EIP-155).
 * @example
 * if ((await chainIdOf(wallet)) !== 1n) await switchChain(wallet, 1n)
 */
export async function chainIdOf(wallet: Eip1193Provider): Promise<bigint> {
  return quantity(await ask(wallet, 'eth_chainId'), 'eth_chainId')
}

/**
 * Asks the wallet to go to another chain (EIP-3326).
 * @example
 * await switchChain(wallet, 11155111n)
 */
export async function switchChain(wallet: Eip1193Provider, chainId: bigint): Promise<void> {
  await ask(wallet, 'wallet_switchEthereumChain', [{ chainId: toQuantity(chainId) }])
}

/** A hexadecimal quantity as JSON-RPC writes it. */
export function quantity(value: unknown, method: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value)
  throw wrongAnswer(method)
}

export function wrongAnswer(method: string): UraidenError {
  return browserError({
    code: 'wallet_failed',
    message: `The wallet's answer to ${method} is not what it should be.`,
    hint: 'Use another wallet, or another network in it.',
  })
}

/** A signature as the wallet made it. */
export function signatureFrom(answer: unknown, method: string): Signature {
  if (!isHex(answer)) throw wrongAnswer(method)
  return parseSignature(answer)
}
