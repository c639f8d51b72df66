// The chain of the configuration, and what has to be known of it before anything can be paid.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ChainClient,
  type ChainOptions,
  challengeTime,
  connectChain,
  shortPeriodWarning,
} from '../../../platform/chain/index.ts'
import {
  ifFits,
  integer,
  object,
  optional,
  type Shaped,
  text,
} from '../../../platform/shapes/shape.ts'
import { type Address, type ChainBlock, defined, type TokenUnit } from '../../../protocol/index.ts'
import type { AgentConfig } from './config.ts'
import { contractsOf } from './contracts.ts'

export interface ChainSettings extends Pick<ChainOptions, 'rpcUrl' | 'contract' | 'chainId'> {
  readonly quorum?: number
  /** Newest first. */
  readonly formerContracts?: readonly Address[]
  /** Own channels were opened in it or later. */
  readonly startBlock?: ChainBlock
}

export function chainSettings(config: AgentConfig): ChainSettings {
  const { rpc, quorum, contract, chainId, startBlock } = config
  const [, ...formerContracts] = contractsOf(config)
  return {
    rpcUrl: rpc,
    contract,
    ...defined({ quorum, startBlock }),
    ...(formerContracts.length > 0 && { formerContracts }),
    ...(chainId !== undefined && { chainId: BigInt(chainId) }),
  }
}

export function openChain(settings: ChainSettings): Promise<ChainClient> {
  return connectChain(settings)
}

export type ChainFacts = TokenUnit & {
  readonly chainId: bigint
  /** What is to be said of a short challenge period, nothing of another; undefined where that is not known. */
  readonly periodWarning?: string | undefined
}

const storedFacts = object({
  contract: text(),
  chainId: text(/^\d+$/),
  symbol: text(),
  decimals: integer(0, 255),
  periodWarning: optional(text()),
})

/** Asked of the chain once: afterwards an agent pays while the chain is away, and starts without ethers. */
export async function chainFacts(settings: ChainSettings, folder: string): Promise<ChainFacts> {
  const written = await readFile(factsFile(folder), 'utf8').catch(() => '{}')
  const stored = ifFits(storedFacts, readJson(written))
  if (stored !== undefined && isFor(stored, settings)) {
    const { symbol, decimals, chainId, periodWarning } = stored
    return { symbol, decimals, chainId: BigInt(chainId), ...defined({ periodWarning }) }
  }
  const chain = await openChain(settings)
  try {
    const { symbol, decimals } = await chain.tokenFacts()
    const { chainId } = chain
    const known = { symbol, decimals, ...defined({ periodWarning: await periodWarning(chain) }) }
    const facts = { ...known, chainId }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await keepFacts(facts, settings, folder)
    return facts
  } finally {
    chain.close()
  }
}

/** For the next start, which does not ask for them; in a folder that is there. */
export async function keepFacts(
  { chainId, ...known }: ChainFacts,
  { contract }: Pick<ChainSettings, 'contract'>,
  folder: string,
): Promise<void> {
  const facts = { contract, chainId: `${chainId}`, ...known }
  await writeFile(factsFile(folder), `${JSON.stringify(facts)}\n`, { mode: 0o600 })
}

function factsFile(folder: string): string {
  return join(folder, 'chain.json')
}

/** A chain that is too young does not say how long its blocks take. */
async function periodWarning(chain: ChainClient): Promise<string | undefined> {
  const time = await challengeTime(chain).catch(() => undefined)
  return time?.seconds === undefined ? undefined : (shortPeriodWarning(time) ?? '')
}

function isFor(stored: Shaped<typeof storedFacts>, settings: ChainSettings): boolean {
  const sameChain = settings.chainId === undefined || settings.chainId === BigInt(stored.chainId)
  return stored.contract === settings.contract && sameChain
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
