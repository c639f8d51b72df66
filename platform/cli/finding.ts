// What a doctor command finds, and how it says so.
import { isUraidenError } from '../../protocol/index.ts'
import type { Output } from './output.ts'

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

export function findingLine(check: string, { verdict, says }: Finding, output: Output): string {
  const [mark, colour] = marks[verdict]
  return `  ${output.colour(colour, mark)} ${check.padEnd(10)} ${says}`
}
