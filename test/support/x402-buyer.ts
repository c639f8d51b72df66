// What buys by x402, on a ledger, a disk and a clock of the test, and a chain that the test moves.
import type { ExecutionContext } from 'ava'
import type { Budget } from '../../agent/budget/caps.ts'
import { createLedger } from '../../agent/channels/ledger.ts'
import type { Ledger } from '../../agent/channels/ledger-types.ts'
import { createBehaviours } from '../../agent/purchase/behaviour.ts'
import type { InRdn, PaymentPlan } from '../../agent/purchase/dialect.ts'
import { createPurchaseHistory, type PurchaseHistory } from '../../agent/purchase/history.ts'
import type { AgentHooks } from '../../agent/purchase/hooks.ts'
import type { PaidAnswer, RequestOptions } from '../../agent/purchase/types.ts'
import { createTransport } from '../../agent/transport/transport.ts'
import { createX402 } from '../../agent/x402/index.ts'
import type { Asset } from '../../agent/x402/types.ts'
import type { Signer } from '../../protocol/index.ts'
import type { Dollar } from './dollar.ts'
import type { TestDisk, testClock } from './ledger.ts'

export interface BuyerOptions {
  readonly signer: Signer
  readonly disk: TestDisk
  readonly clock: ReturnType<typeof testClock>
  readonly assets: readonly Asset[]
  readonly caps?: Omit<NonNullable<Budget['assets']>[string], 'unit'>
  readonly validFor?: number
  readonly repeats?: number
  readonly priceJump?: number
  readonly receivers?: readonly Asset['address'][]
  readonly hooks?: AgentHooks
}

export interface Buyer {
  readonly ledger: Ledger
  readonly history: PurchaseHistory
  readonly buy: (
    url: URL,
    options?: RequestOptions & { readonly plan?: PaymentPlan; readonly rdn?: Partial<InRdn> },
  ) => Promise<PaidAnswer>
  readonly repeat: (
    url: URL,
    payment: Parameters<ReturnType<typeof createX402>['repeat']>[1],
  ) => Promise<PaidAnswer>
  /** Of the asset's whole budget, in all. */
  readonly spent: () => bigint
}

export function assetOf(dollar: Dollar, rpcUrl: string, changes: Partial<Asset> = {}): Asset {
  return {
    ...{ name: 'USD', address: dollar.address, chainId: 31_337n, decimals: 6 },
    ...{ rpcUrl: [rpcUrl], confirmations: 1 },
    ...changes,
  }
}

const alone: PaymentPlan = { dialects: ['x402'] }

export async function x402Buyer(_: ExecutionContext, options: BuyerOptions): Promise<Buyer> {
  const { signer, disk, clock, assets, caps = {}, validFor = 600, repeats = 1 } = options
  const { priceJump, receivers, hooks } = options
  const unit = { symbol: 'USD', decimals: 6 }
  const budget: Budget = { assets: { USD: { total: 10n ** 12n, ...caps, unit } } }
  const readClock = clock.read
  const ledger = await createLedger({ storage: disk, reservation: 1, budget, readClock })
  const history = createPurchaseHistory(ledger.notes, 100, ledger.hours)
  const dialect = createX402({
    policy: {
      ...{ assets, validFor, budget, priceJump, receivers, hosts: undefined, dryRun: false },
    },
    ...{ signer, ledger, readClock, history, repeats, hooks },
    transport: createTransport({ timeout: 10_000 }),
    behaviours: createBehaviours(ledger.notes),
  })
  const rdnOf = (rdn: Partial<InRdn> = {}): InRdn => ({
    isKnown: async () => false,
    run: async () => {
      throw new Error('nobody asked for RDN')
    },
    ...rdn,
  })
  return {
    ...{ ledger, history },
    buy: (url, { plan = alone, rdn, method = 'GET', headers = {}, ...rest } = {}) =>
      dialect.buy({ ...rest, method, headers, url, read: 'body' }, plan, rdnOf(rdn)),
    repeat: (url, payment) =>
      dialect.repeat({ method: 'GET', headers: {}, url, read: 'body' }, payment),
    spent: () => ledger.limits(['asset/USD']).find(({ window }) => window === 'total')?.used ?? 0n,
  }
}
