// Buying by x402, put together. Loaded with the first purchase from a receiver that may be paid so.
import type { ClockReading } from '../../platform/time/clock.ts'
import type { Signer } from '../../protocol/index.ts'
import type { Ledger } from '../channels/ledger-types.ts'
import { type Notes, notesUnder } from '../channels/notes.ts'
import type { Behaviours } from '../purchase/behaviour.ts'
import type { Dialect } from '../purchase/dialect.ts'
import type { PurchaseHistory } from '../purchase/history.ts'
import type { AgentHooks } from '../purchase/hooks.ts'
import { createPrices, createSellers } from '../purchase/terms.ts'
import { createTransport, type Transport } from '../transport/transport.ts'
import { AuthorisationBook } from './book.ts'
import { type AssetChain, createAssetChain } from './chain.ts'
import { createDomains, type X402Policy } from './parts.ts'
import { createX402Dialect } from './purchase.ts'

export interface X402Options {
  readonly policy: X402Policy
  readonly signer: Signer
  readonly ledger: Ledger
  readonly readClock: () => ClockReading
  readonly transport: Transport
  readonly history: PurchaseHistory
  readonly behaviours: Behaviours
  readonly hooks?: AgentHooks | undefined
  readonly repeats: number
}

/** Milliseconds for an answer of a node. */
const nodeTimeout = 10_000

export function createX402(options: X402Options): Dialect {
  const { ledger, signer, policy, readClock } = options
  const notes: Notes = notesUnder(ledger.notes, 'x402/')
  // Not the receivers' certificates: a node is somebody else.
  const nodes = createTransport({ timeout: nodeTimeout, mostBody: 1 << 20 })
  const chain = createAssetChain(nodes, signer.address)
  const book = new AuthorisationBook(ledger)
  return createX402Dialect({
    ...options,
    ...{ book, chain, sellers: createSellers(notes), prices: createPrices(notes) },
    domains: createDomains(notes, chain),
    lookUp: () => lookUp({ book, chain, policy, readClock }),
  })
}

interface LookUp extends Pick<X402Options, 'policy' | 'readClock'> {
  readonly book: AuthorisationBook
  readonly chain: AssetChain
}

/** At most so many of them at a time. */
const mostAtOnce = 20

/** The oldest first: what the chain proves to have expired unused is free again. */
async function lookUp({ book, chain, policy, readClock }: LookUp): Promise<void> {
  const now = readClock().wall / 1000
  const over = book.idle().filter(({ validBefore }) => validBefore <= now)
  for (const authorised of over.slice(0, mostAtOnce)) {
    const { address, chainId } = authorised
    const asset = policy.assets.find((each) => each.address === address && each.chainId === chainId)
    const fate = asset === undefined ? 'open' : await chain.fate(asset, authorised)
    if (fate === 'used') book.spent(authorised)
    if (fate === 'unused') book.unused(authorised)
  }
}
