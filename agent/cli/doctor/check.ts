// One thing that must be right before an agent can pay.
import type { ChainClient } from '../../../platform/chain/index.ts'
import { isUraidenError, type Signer } from '../../../protocol/index.ts'
import type { AgentConfig } from '../../config.ts'

export type Verdict = 'ok' | 'warning' | 'failure'

export interface Finding {
  readonly verdict: Verdict
  /** What is so; for a verdict other than ok also what to do. */
  readonly says: string
}

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

export const ok = (says: string): Finding => ({ verdict: 'ok', says })
export const warning = (says: string): Finding => ({ verdict: 'warning', says })
export const failure = (says: string): Finding => ({ verdict: 'failure', says })

/** An error on purpose is a finding; any other is a defect and stays one. */
export function findingOf(error: unknown): Finding {
  if (!isUraidenError(error)) throw error
  return failure(`${error.message} ${error.hint}`)
}
