// What an agent needs, made from its configuration: folder, key, chain, facts about the token.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ChainClient, connectChain } from '../../../platform/chain/index.ts'
import { passwordFrom } from '../../../platform/cli/keys.ts'
import { usualConfigFile, usualStateFolder } from '../../../platform/cli/places.ts'
import { loadSigner, type PasswordSources } from '../../../platform/keys/index.ts'
import type { Signer, TokenUnit } from '../../../protocol/index.ts'
import { createBrowse } from '../../discovery/browse.ts'
import { createPins } from '../../discovery/pins.ts'
import { type AgentConfig, variables } from './config.ts'
import { createReceivers, type Receivers } from './receivers.ts'

/** The named file, the variable's, a person's own, the system's. */
export function configFile(named: string | undefined, environment = process.env): string {
  return named ?? environment[variables.config] ?? usualConfigFile('agent.yaml', environment)
}

/** The configured one, else where such folders usually are. */
export function stateFolder(
  { state }: { readonly state?: string | undefined },
  environment = process.env,
): string {
  return state ?? usualStateFolder('uraiden-agent', environment)
}

/** Where the password of the agent's key is looked for. */
export function passwordSources(file: string | undefined): PasswordSources {
  return passwordFrom({ file, variable: variables.password, credential: 'agent-key-password' })
}

export function openSigner(config: AgentConfig, warn: (text: string) => void): Promise<Signer> {
  return loadSigner({ file: config.key, password: passwordSources(config.password), warn })
}

export function openChain({ rpc, quorum, contract, chainId }: AgentConfig): Promise<ChainClient> {
  return connectChain({
    rpcUrl: rpc,
    quorum,
    contract,
    ...(chainId !== undefined && { chainId: BigInt(chainId) }),
  })
}

export function receiversOf(config: AgentConfig): Receivers {
  const pins = createPins(stateFolder(config))
  return createReceivers({ config, browse: createBrowse(config.discovery), pins })
}

export type ChainFacts = TokenUnit & { readonly chainId: bigint }

const storedFacts = z.object({
  contract: z.string(),
  chainId: z.string().regex(/^\d+$/),
  symbol: z.string(),
  decimals: z.int().min(0).max(255),
})

/** Asked of the chain once: afterwards an agent pays while the chain is away. */
export async function chainFacts(config: AgentConfig, folder: string): Promise<ChainFacts> {
  const file = join(folder, 'chain.json')
  const text = await readFile(file, 'utf8').catch(() => '{}')
  const stored = storedFacts.safeParse(readJson(text))
  if (stored.success && isFor(stored.data, config)) {
    const { symbol, decimals, chainId } = stored.data
    return { symbol, decimals, chainId: BigInt(chainId) }
  }
  const chain = await openChain(config)
  try {
    const { symbol, decimals } = await chain.tokenFacts()
    const { chainId } = chain
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const facts = { contract: config.contract, chainId: `${chainId}`, symbol, decimals }
    await writeFile(file, `${JSON.stringify(facts)}\n`, { mode: 0o600 })
    return { symbol, decimals, chainId }
  } finally {
    chain.close()
  }
}

function isFor({ contract, chainId }: z.output<typeof storedFacts>, config: AgentConfig): boolean {
  const sameChain = config.chainId === undefined || BigInt(config.chainId) === BigInt(chainId)
  return contract === config.contract && sameChain
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
