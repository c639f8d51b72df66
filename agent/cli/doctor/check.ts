// One thing that must be right before an agent can pay.
import type { ChainClient } from '../../../platform/chain/index.ts'
import type { Finding } from '../../../platform/cli/doctor.ts'
import type { Signer } from '../../../protocol/index.ts'
import type { AgentConfig } from '../../program/configuration/config.ts'

/** What was found so far; a check says itself when something it needs is missing. */
export interface Patient {
  readonly config: AgentConfig
  readonly folder: string
  readonly chain: ChainClient | undefined
  readonly signer: Signer | undefined
}

export interface Check {
  readonly name: string
  readonly look: (patient: Patient) => Promise<Finding>
}
