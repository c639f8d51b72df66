// What all purchases by x402 have in common.
import type { ClockReading } from '../../platform/time/clock.ts'
import {
  type Address,
  fromHex,
  type Signer,
  toHex,
  type UraidenError,
} from '../../protocol/index.ts'
import { type TokenDomain, tokenSeparator } from '../../protocol/x402/index.ts'
import type { Budget } from '../budget/caps.ts'
import type { Notes } from '../channels/notes.ts'
import { agentError } from '../errors/index.ts'
import type { Behaviours } from '../purchase/behaviour.ts'
import type { PurchaseHistory } from '../purchase/history.ts'
import type { AgentHooks } from '../purchase/hooks.ts'
import type { Prices, Sellers } from '../purchase/terms.ts'
import type { Transport } from '../transport/transport.ts'
import type { AuthorisationBook } from './book.ts'
import type { AssetChain, TokenFacts } from './chain.ts'
import type { Offer } from './offers.ts'
import type { Asset } from './types.ts'

/** The owner's, as far as purchases by x402 go by it. */
export interface X402Policy {
  /** The preferred one first. */
  readonly assets: readonly Asset[]
  /** Seconds that an authorization may be good for, whatever a seller wants. */
  readonly validFor: number
  readonly budget: Budget
  readonly receivers: readonly Address[] | undefined
  readonly hosts: readonly string[] | undefined
  readonly priceJump: number | undefined
  readonly dryRun: boolean
}

export interface X402Parts {
  readonly policy: X402Policy
  readonly signer: Signer
  readonly book: AuthorisationBook
  readonly chain: AssetChain
  readonly domains: Domains
  readonly transport: Transport
  /** How often a request whose answer was lost is sent again with the same authorization. */
  readonly repeats: number
  readonly readClock: () => ClockReading
  readonly sellers: Sellers
  readonly prices: Prices
  readonly history: PurchaseHistory
  readonly behaviours: Behaviours
  readonly hooks?: AgentHooks | undefined
  /** Asks the chain what became of authorizations whose time is over. */
  readonly lookUp: () => Promise<void>
}

/** How tokens call themselves. */
export interface Domains {
  /**
   * The separator that is signed with.
   * @throws UraidenError `asset_domain_differs`, `asset_decimals_differ`, those of `AssetChain.token`
   */
  readonly checked: (offer: Pick<Offer, 'asset' | 'terms'>) => Promise<Uint8Array>
}

const prefix = 'domain/'

/** The token is asked once: what it answers is remembered. */
export function createDomains(notes: Pick<Notes, 'get' | 'later'>, chain: AssetChain): Domains {
  async function factsOf(asset: Asset): Promise<TokenFacts> {
    const key = `${prefix}${asset.chainId}/${asset.address}`
    const noted = notes.get(key) as TokenFacts | undefined
    // Versions before this one noted the separator alone.
    if (typeof noted?.decimals === 'number') return noted
    const facts = await chain.token(asset)
    if (facts.decimals !== null) notes.later(key, { ...facts })
    return facts
  }
  return {
    checked: async ({ asset, terms: { named } }) => {
      const { separator, decimals } = await factsOf(asset)
      checkDecimals(asset, decimals)
      const check = (whose: string, domain: TokenDomain): void => {
        if (
          toHex(tokenSeparator({ chainId: asset.chainId, asset: asset.address }, domain)) ===
          separator
        )
          return
        throw differs(asset, whose, domain)
      }
      if (asset.domain !== undefined) check('the configuration', asset.domain)
      if (named !== undefined) check('the seller', named)
      return fromHex(separator)
    },
  }
}

/**
 * Budgets are written in whole tokens: with other decimals than the token's they allow other amounts than they say.
 * @throws UraidenError `asset_decimals_differ`
 */
export function checkDecimals({ name, address, decimals }: Asset, own: number | null): void {
  if (own === null || own === decimals) return
  throw agentError({
    code: 'asset_decimals_differ',
    message: `${name} at ${address} has ${own} decimals, not ${decimals}.`,
  })
}

function differs(asset: Asset, whose: string, { name, version }: TokenDomain): UraidenError {
  return agentError({
    code: 'asset_domain_differs',
    message: `${asset.name} at ${asset.address} is not signed for as ${JSON.stringify(name)}, version ${JSON.stringify(version)}, as ${whose} says.`,
  })
}
