// One thing that must be right before a receiver can sell.
import type { ChainClient } from '../../../platform/chain/index.ts'
import type { Finding } from '../../../platform/cli/finding.ts'
import type { Signer } from '../../../protocol/index.ts'
import type { ReceiverConfig } from '../../program/config.ts'

/** What was found so far; what could not be found has had its own line. */
export interface Patient {
  readonly config: ReceiverConfig
  /** Where the state is. */
  readonly folder: string
  readonly chain: ChainClient | undefined
  readonly signer: Signer | undefined
  /** A receiver of this state runs on this machine. */
  readonly isRunning: boolean
}

export interface Check {
  readonly name: string
  readonly look: (patient: Patient) => Promise<Finding>
}
