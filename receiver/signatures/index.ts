// The checker of signatures for one receiver: which implementation, on how many threads.
import { availableParallelism } from 'node:os'
import type { RecoverSigner } from '../../protocol/index.ts'
import { createProofChecker, type ProofContext } from './checker.ts'
import { type CommitmentCheck, createCommitmentCheck } from './commitments.ts'
import { type CheckerPool, createCheckerPool } from './pool.ts'
import { chooseRecovery, type RecoveryName, recoverBy } from './recovery.ts'

export interface VerifierOptions {
  /** Use this implementation or do not start; by default the fastest that works. */
  readonly verifier?: RecoveryName
  /**
   * Worker threads, started when several payments come at once; 0 checks on the main thread. Default: one for each
   * core, at most 4; none on a single core.
   */
  readonly verifierThreads?: number
}

export interface VerifierFacts {
  readonly verifier: RecoveryName
  readonly threads: number
}

export interface VerifierLog {
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

export interface Verifier extends CheckerPool, VerifierFacts {
  /** Who signed anything else; on the calling thread. */
  readonly recover: RecoverSigner
  /** The same of commitments to ticks. */
  readonly commitments: CommitmentCheck
}

/** @throws UraidenError `no_verifier` */
export async function startVerifier(
  context: ProofContext,
  options: VerifierOptions,
  log?: VerifierLog,
): Promise<Verifier> {
  const { verifier, verifierThreads: threads = defaultThreads() } = options
  const { recovery, passedOver } = await chooseRecovery(verifier && [verifier])
  const facts: VerifierFacts = { verifier: recovery.name, threads }
  for (const { name, why } of passedOver) log?.warn({ name, why }, 'a faster verifier is not there')
  log?.info(facts, 'signatures are checked')
  const here = createProofChecker(context, recovery)
  const own = {
    recover: recoverBy(recovery),
    commitments: createCommitmentCheck(context, recovery),
  }
  if (threads === 0) return { ...facts, ...here, ...own, close: async () => undefined }
  const pool = createCheckerPool({
    context,
    verifier: recovery.name,
    threads,
    fallback: here,
    onThreadsStarted: () =>
      log?.info({ threads }, 'several payments at once: threads check signatures'),
    onThreadLost: (err) => log?.warn({ err }, 'a verifying thread ended; the main thread steps in'),
  })
  return { ...facts, ...pool, ...own }
}

/** As many as cores: on two, two workers served a quarter more than one (docs/design/performance.md). */
function defaultThreads(): number {
  const cores = availableParallelism()
  return cores === 1 ? 0 : Math.min(cores, 4)
}
