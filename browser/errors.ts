// What a wallet's refusal means (EIP-1193, "Provider Errors"; EIP-1474 for the JSON-RPC ones).

import { keccak_256 } from '@noble/hashes/sha3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { revertHint, revertHints } from '../contracts/reverts.ts'
import { isHex, isUraidenError, shorten, toHex, type UraidenError } from '../protocol/index.ts'
import { browserError } from './error-codes.ts'

interface Meaning {
  readonly code:
    | 'wallet_busy'
    | 'wallet_chain_unknown'
    | 'wallet_disconnected'
    | 'wallet_locked'
    | 'wallet_refused'
  readonly message: string
  readonly hint: string
}

const meanings: { readonly [code: number]: Meaning } = {
  4001: {
    code: 'wallet_refused',
    message: 'The wallet was told not to go on.',
    hint: 'Nothing was signed or sent. Start again when you want to.',
  },
  4100: {
    code: 'wallet_locked',
    message: 'The wallet does not let this page use the account.',
    hint: 'Unlock the wallet and connect it to this page.',
  },
  4900: {
    code: 'wallet_disconnected',
    message: 'The wallet has no connection to any chain.',
    hint: 'Check the wallet’s network, then try again.',
  },
  4901: {
    code: 'wallet_disconnected',
    message: 'The wallet has no connection to this chain.',
    hint: 'Check the wallet’s network, then try again.',
  },
  4902: {
    code: 'wallet_chain_unknown',
    message: 'The wallet does not know this chain.',
    hint: 'Add the network to the wallet, then try again.',
  },
  [-32002]: {
    code: 'wallet_busy',
    message: 'The wallet already waits for an answer from you.',
    hint: 'Open the wallet and answer it.',
  },
}

const unsupported = new Set([4200, -32601, -32004])

interface RpcError {
  readonly code?: unknown
  readonly message?: unknown
}

/** Makes one of our errors of whatever a wallet threw. */
export function walletError(error: unknown, method: string): UraidenError {
  if (isUraidenError(error)) return error
  const { code, message } = (error ?? {}) as RpcError
  const known = typeof code === 'number' ? meanings[code] : undefined
  if (known !== undefined) return browserError({ ...known, cause: error })
  if (typeof code === 'number' && unsupported.has(code)) {
    return browserError({
      code: 'wallet_unsupported',
      message: `The wallet does not know ${method}.`,
      cause: error,
    })
  }
  const data = revertData(error)
  if (data !== undefined) return wouldRevert(errorNames.get(data.slice(0, 10)), error)
  return browserError({
    code: 'wallet_failed',
    message: `The wallet failed at ${method}: ${shorten(String(message ?? error), 200)}`,
    hint: 'Check the wallet’s network and try again.',
    cause: error,
  })
}

/** They hold in the block that a call is tried on, and no longer in the next. */
const passing: ReadonlySet<string | undefined> = new Set(['OpenedInThisBlock', 'ChannelExists'])

/** The contract would refuse the transaction; `reason` is the name of its custom error, if known. */
function wouldRevert(reason: string | undefined, cause: unknown): UraidenError {
  return browserError({
    code: passing.has(reason) ? 'would_revert_now' : 'would_revert',
    message: `The contract refuses this${reason === undefined ? '' : `: ${reason}`}.`,
    hint: revertHint(reason),
    cause,
  })
}

/** Selectors of the contract's custom errors, which take no arguments. */
const errorNames: ReadonlyMap<string, string> = new Map(
  Object.keys(revertHints).map((name) => [
    toHex(keccak_256(utf8ToBytes(`${name}()`)).subarray(0, 4)),
    name,
  ]),
)

/** Wallets and nodes wrap the data of a revert differently deep. */
function revertData(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined
  for (const [name, value] of Object.entries(error)) {
    if (name === 'data' && isHex(value)) return value
    const within = revertData(value, depth + 1)
    if (within !== undefined) return within
  }
  const { code, message } = error as RpcError
  const reverted = code === 3 || /revert/i.test(String(message ?? ''))
  return reverted && depth === 0 ? '0x' : undefined
}
