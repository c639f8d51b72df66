// The parts `assets` and `x402` of agent.yaml, and what is wrong with them only when seen with others.
import { z } from 'zod'
import { address, count, duration, httpUrl, parsed } from '../../../platform/config/index.ts'
import { shorten, type TokenUnit } from '../../../protocol/index.ts'
import { assetNamed } from '../../budget/assets.ts'
import { windows } from '../../budget/caps.ts'
import { agentError } from '../../errors/index.ts'
import { type CapTexts, textsOf } from './assets.ts'

const symbolText = parsed((text) => {
  if (/^[A-Za-z][A-Za-z0-9-]{0,31}$/.test(text) && text !== 'units') return text
  throw agentError({
    code: 'not_an_asset_name',
    message: `"${shorten(text)}" is no name of an asset.`,
  })
})

const assetSchema = z
  .strictObject({
    address: address.describe('of the token'),
    chainId: count.positive().describe('of its chain'),
    decimals: count.min(0).max(36).describe('USDC has 6'),
    rpc: z
      .union([httpUrl, z.array(httpUrl).min(1)])
      .optional()
      .describe('nodes of its chain; default: rpc, where chainId is the same'),
    name: z.string().min(1).max(128).optional().describe('what is signed for it calls it so'),
    version: z.string().min(1).max(128).optional(),
    confirmations: count.min(1).max(1000).default(12).describe('blocks; default 12'),
  })
  .refine(({ name, version }) => (name === undefined) === (version === undefined), {
    error: 'give "name" and "version", or neither.',
  })

export const assetsSchema = z
  .record(symbolText, assetSchema)
  .default({})
  .describe('tokens that may be paid with by x402, the preferred one first')

export const x402Schema = z
  .strictObject({
    validFor: duration
      .refine((time) => time >= 30_000 && time <= 86_400_000, {
        error: 'this should be from 30s to 24h.',
      })
      .default(600_000)
      .describe('the longest that an authorization may be good for'),
  })
  .prefault({})

export type AssetsConfig = z.output<typeof assetsSchema>

/** What of the configuration is looked at together. */
interface Checked {
  readonly assets: AssetsConfig
  readonly chainId?: number | undefined
  readonly budget: CapTexts
  readonly receivers: { readonly [name: string]: { readonly pay?: readonly string[] | undefined } }
}

export interface Problem {
  readonly path: readonly string[]
  readonly message: string
  readonly hint: string
}

export function problemsOfAssets({
  assets,
  chainId,
  budget,
  receivers,
}: Checked): readonly Problem[] {
  const units = unitsOf(assets)
  const paysByX402 = Object.entries(receivers).filter(([, { pay }]) => pay?.includes('x402'))
  const without = Object.keys(assets).length === 0
  return [
    ...Object.entries(assets).flatMap(([name, { rpc, chainId: own }]): readonly Problem[] => [
      ...(rpc === undefined && own !== chainId ? [noNode(name)] : []),
      ...(isCapped(name, units, budget) ? [] : [noCap(name)]),
    ]),
    ...(without ? paysByX402.map(([name]) => noAssets(name)) : []),
  ]
}

/** Channels lock what they can cost; an authorization takes from all that the account has. */
function isCapped(name: string, units: readonly TokenUnit[], budget: CapTexts): boolean {
  return windows.some((window) =>
    textsOf(budget[window]).some((text) => assetNamed(text, units)?.symbol === name),
  )
}

function noNode(name: string): Problem {
  return {
    path: ['assets', name, 'rpc'],
    message: 'its chain is not that of "rpc", as far as "chainId" says.',
    hint: 'Name a node of its chain, or write chainId at the top of the file.',
  }
}

function noCap(name: string): Problem {
  return {
    path: ['assets', name, 'address'],
    message: 'this asset has no cap.',
    hint: `Write one beside the others, such as day: [1 TKN, 1 ${name}].`,
  }
}

function noAssets(name: string): Problem {
  return {
    path: ['receivers', name, 'pay'],
    message: 'there is no asset to pay with by x402.',
    hint: 'Name the token under assets, by its address and chain.',
  }
}

function unitsOf(assets: AssetsConfig): readonly TokenUnit[] {
  return Object.entries(assets).map(([symbol, { decimals }]) => ({ symbol, decimals }))
}
