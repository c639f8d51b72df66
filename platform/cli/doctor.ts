// What the doctor commands of both programs have in common: findings, and checks of chain and disk.
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { formatAmount, isUraidenError, maxTokenAmount } from '../../protocol/index.ts'
import {
  type ChainClient,
  challengeTime,
  challengeTimeText,
  shortPeriodWarning,
} from '../chain/index.ts'
import { type Output, toJson } from './output.ts'

export type Verdict = 'ok' | 'warning' | 'failure'

export interface Finding {
  readonly verdict: Verdict
  /** What is so; for a verdict other than ok also what to do. */
  readonly says: string
}

export const ok = (says: string): Finding => ({ verdict: 'ok', says })
export const warning = (says: string): Finding => ({ verdict: 'warning', says })
export const failure = (says: string): Finding => ({ verdict: 'failure', says })

/** An error on purpose is a finding; any other is a defect and stays one. */
export function findingOf(error: unknown): Finding {
  if (!isUraidenError(error)) throw error
  return failure(`${error.message} ${error.hint}`)
}

const marks: Readonly<Record<Verdict, readonly [mark: string, 'green' | 'yellow' | 'red']>> = {
  ok: ['✔', 'green'],
  warning: ['!', 'yellow'],
  failure: ['✘', 'red'],
}

/** Of one run of a doctor command. A person reads each finding as it comes, a program all at the end. */
export interface Examination {
  readonly report: (check: string, finding: Finding) => void
  /** What `work` resolves with; undefined, and a finding, when it fails on purpose. */
  readonly attempt: <Value>(check: string, work: () => Promise<Value>) => Promise<Value | undefined>
  /** Whether nothing failed. */
  readonly conclude: () => boolean
}

export function startExamination(output: Output): Examination {
  const found: (Finding & { readonly check: string })[] = []
  const report = (check: string, finding: Finding) => {
    found.push({ check, ...finding })
    if (!output.json) output.print(findingLine(check, finding, output))
  }
  return {
    report,
    attempt: async (check, work) => {
      try {
        return await work()
      } catch (error) {
        report(check, findingOf(error))
        return undefined
      }
    },
    conclude: () => {
      if (output.json) output.print(toJson(found))
      return found.every(({ verdict }) => verdict !== 'failure')
    },
  }
}

function findingLine(check: string, { verdict, says }: Finding, output: Output): string {
  const [mark, colour] = marks[verdict]
  return `  ${output.colour(colour, mark)} ${check.padEnd(10)} ${says}`
}

/** A head older than this is one of a node that is behind, or of a quiet test chain. In seconds. */
const oldHead = 300

export async function lookAtChain(chain: ChainClient): Promise<Finding> {
  const { number, timestamp } = await chain.head()
  const age = Math.max(0, Math.round(Date.now() / 1000) - timestamp)
  const says = `chain id ${chain.chainId}, block ${number}, ${age} s old`
  if (age <= oldHead) return ok(says)
  return warning(`${says}. The node may be behind, or this clock wrong; see \`clock\`.`)
}

export async function lookAtContract(chain: ChainClient): Promise<Finding> {
  const [facts, token] = await Promise.all([chain.contractFacts(), chain.tokenFacts()])
  const most = formatAmount(facts.mostDeposit, token)
  const limit = facts.mostDeposit < maxTokenAmount ? `, at most ${most} in a channel` : ''
  const period = await challengeTime(chain)
  const says = `${chain.contract}, version ${facts.version}, token ${token.symbol}${limit}, challenge period ${challengeTimeText(period)}`
  const isSmall = facts.mostDeposit < 10n ** BigInt(token.decimals)
  const small = isSmall
    ? `A channel holds less than one ${token.symbol}, which has ${token.decimals} decimals: what costs more than ${most} cannot be paid with this contract.`
    : undefined
  const warnings = [small, shortPeriodWarning(period)].filter((each) => each !== undefined)
  return warnings.length === 0 ? ok(says) : warning([`${says}.`, ...warnings].join(' '))
}

const leastFree = 50n * 1024n * 1024n
/** Milliseconds. */
const slowSync = 500

/** `remedy` is what to do about a disk that syncs slowly. */
export async function lookAtDisk(folder: string, remedy: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { mode } = await stat(folder)
    if ((mode & 0o077) !== 0) return failure(`Others can read ${folder}. Run: chmod 700 ${folder}`)
    const { bavail, bsize } = await statfs(folder, { bigint: true })
    const free = bavail * bsize
    const sync = await timeOfSync(join(folder, '.doctor'))
    const says = `${folder}, ${free / 1024n ** 2n} MiB free, one sync takes ${sync} ms`
    if (free < leastFree) return failure(`${says}. Free some space: payments must be written down.`)
    return sync > slowSync ? warning(`${says}. That is slow; ${remedy}.`) : ok(says)
  } catch (error) {
    const { code } = error as { readonly code?: string }
    return failure(`${folder} cannot be written (${code}). Check its owner: it should be yours.`)
  }
}

async function timeOfSync(path: string): Promise<number> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile('x'.repeat(4096))
    const began = performance.now()
    await file.sync()
    return Math.round(performance.now() - began)
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
