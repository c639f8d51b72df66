// A configuration with what was read for it, and what of two of them is the same.
import type { Signer } from '../../protocol/index.ts'
import type { Milliseconds } from '../budget/clock.ts'
import { type AgentConfig, loadAgentConfig } from '../config.ts'
import { openSigner } from '../setup.ts'

export interface Settings {
  readonly config: AgentConfig
  readonly signer: Signer
  /** Unix time. */
  readonly loaded: Milliseconds
}

/** @throws UraidenError those of `loadAgentConfig` and of reading the key */
export async function loadSettings(
  file: string,
  environment: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Promise<Settings> {
  const config = await loadAgentConfig(file, environment)
  return { config, signer: await openSigner(config, warn), loaded: Date.now() }
}

/** True when the chain’s facts of one are those of the other. */
export function sameChain(a: Settings, b: Settings): boolean {
  const chainOf = ({ config: { contract, chainId, state } }: Settings) => [contract, chainId, state]
  return same(chainOf(a), chainOf(b))
}

/** True when one agent does for both. */
export function sameAgent(a: Settings, b: Settings): boolean {
  return a.signer.address === b.signer.address && same(agentPart(a.config), agentPart(b.config))
}

/** True when the same jobs run for the same account. */
export function sameJobs(a: Settings, b: Settings): boolean {
  const part = ({ config: { jobs, mqtt, receivers } }: Settings) => ({ jobs, mqtt, receivers })
  return sameChain(a, b) && a.signer.address === b.signer.address && same(part(a), part(b))
}

function agentPart(config: AgentConfig) {
  const {
    proxy,
    jobs,
    control: _,
    metrics: __,
    log: ___,
    mqtt: ____,
    page: _____,
    ...rest
  } = config
  const owners = [...Object.entries(proxy?.programs ?? {}), ...Object.entries(jobs)]
  return { ...rest, budgets: owners.map(([name, { budget }]) => [name, budget]) }
}

export function same(a: unknown, b: unknown): boolean {
  return text(a) === text(b)
}

function text(value: unknown): string {
  return JSON.stringify([value], (_, item) => (typeof item === 'bigint' ? `${item}n` : item))
}
