import type { Address } from '../../../protocol/index.ts'
import type { AgentConfig } from './config.ts'

/** Those that are paid through, the one for new channels first. */
export function contractsOf({
  contract,
  contracts = [contract],
}: Pick<AgentConfig, 'contract' | 'contracts'>): readonly Address[] {
  return contracts
}
