// A configuration with what was read for it, and what of two of them is the same.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Signer } from '../../../protocol/index.ts'
import { type AgentConfig, loadAgentConfig } from '../configuration/config.ts'
import { openSigner } from '../configuration/setup.ts'

export interface Settings {
  readonly config: AgentConfig
  readonly signer: Signer
  /** What is in the files that it names: a new certificate under the old name is another one. */
  readonly contents: { readonly agent: string; readonly broker: string }
  /** Files of that kind that cannot be read now. */
  readonly unreadable: readonly string[]
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
  const { tls, mqtt } = config
  const [agent, broker] = await Promise.all([
    readAll([tls?.authority, tls?.pinned]),
    readAll([mqtt?.ca, mqtt?.cert, mqtt?.certKey, mqtt?.password]),
  ])
  const contents = { agent: agent.digest, broker: broker.digest }
  const unreadable = [...agent.unreadable, ...broker.unreadable]
  const signer = await openSigner(config, warn)
  return { config, signer, contents, unreadable, loaded: Date.now() }
}

/** Of secrets nothing but a digest stays. */
async function readAll(files: readonly (string | undefined)[]) {
  const hash = createHash('sha256')
  const unreadable: string[] = []
  for (const file of files.filter((each) => each !== undefined)) {
    try {
      const content = await readFile(file)
      hash.update(`${content.length}:`).update(content)
    } catch {
      unreadable.push(file)
    }
  }
  return { digest: hash.digest('hex'), unreadable }
}

/** True when the chain’s facts of one are those of the other. */
export function sameChain(a: Settings, b: Settings): boolean {
  const chainOf = ({ config: { contract, chainId, state } }: Settings) => [contract, chainId, state]
  return same(chainOf(a), chainOf(b))
}

/** True when one agent does for both. */
export function sameAgent(a: Settings, b: Settings): boolean {
  const part = (each: Settings) => [
    each.signer.address,
    each.contents.agent,
    agentPart(each.config),
  ]
  return same(part(a), part(b))
}

/** True when the same jobs run for the same account. */
export function sameJobs(a: Settings, b: Settings): boolean {
  const part = ({ config: { jobs, mqtt, receivers }, contents }: Settings) => {
    return { jobs, mqtt, receivers, broker: contents.broker }
  }
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
