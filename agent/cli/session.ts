// What a command needs, made from the command line's options: configuration, key, agent.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ChainClient, connectChain } from '../../platform/chain/index.ts'
import { createOutput, type Output } from '../../platform/cli/output.ts'
import { usualConfigFile, usualStateFolder } from '../../platform/cli/places.ts'
import { askPassword, loadSigner, type PasswordSources } from '../../platform/keys/index.ts'
import type { Signer, TokenUnit } from '../../protocol/index.ts'
import { createAgent } from '../agent.ts'
import { type AgentConfig, loadAgentConfig, policyOptions, variables } from '../config.ts'
import type { Agent } from '../options.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

export interface Session {
  readonly config: AgentConfig
  readonly output: Output
  readonly agent: Agent
  readonly token: TokenUnit
}

/** The named file, the variable's, a person's own, the system's. */
export function configFile({ config }: GlobalOptions, environment = process.env): string {
  return config ?? environment[variables.config] ?? usualConfigFile('agent.yaml', environment)
}

/** The configured one, else where such folders usually are. */
export function stateFolder({ state }: AgentConfig, environment = process.env): string {
  return state ?? usualStateFolder('uraiden-agent', environment)
}

/** Where the password of the agent's key is looked for. */
export function passwordSources(file: string | undefined): PasswordSources {
  const asks = process.stdin.isTTY === true
  return {
    file,
    variable: variables.password,
    credential: 'agent-key-password',
    prompt: asks ? () => askPassword('Password of the key: ') : undefined,
  }
}

export function openSigner(config: AgentConfig, output: Output): Promise<Signer> {
  return loadSigner({
    file: config.key,
    password: passwordSources(config.password),
    warn: output.say,
  })
}

export function openChain({ rpc, quorum, contract, chainId }: AgentConfig): Promise<ChainClient> {
  return connectChain({
    rpcUrl: rpc,
    quorum,
    contract,
    ...(chainId !== undefined && { chainId: BigInt(chainId) }),
  })
}

/** Runs `work` with an agent, and stops the agent whatever comes of it. */
export async function withAgent<Value>(
  options: GlobalOptions & { readonly dryRun?: boolean },
  work: (session: Session) => Promise<Value>,
): Promise<Value> {
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(configFile(options))
  const signer = await openSigner(config, output)
  const folder = stateFolder(config)
  const { chainId, ...token } = await chainFacts(config, folder)
  const agent = await createAgent({
    ...policyOptions(config, token),
    signer,
    chainId,
    store: join(folder, 'ledger'),
    ...(options.dryRun !== undefined && { dryRun: options.dryRun }),
  })
  try {
    return await work({ config, output, agent, token })
  } finally {
    await agent.stop()
  }
}

const storedFacts = z.object({
  contract: z.string(),
  chainId: z.string().regex(/^\d+$/),
  symbol: z.string(),
  decimals: z.int().min(0).max(255),
})

/** Asked of the chain once: afterwards an agent pays while the chain is away. */
async function chainFacts(
  config: AgentConfig,
  folder: string,
): Promise<TokenUnit & { readonly chainId: bigint }> {
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
