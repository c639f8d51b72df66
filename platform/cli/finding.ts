// What a doctor command finds, and how it says so.
import { isUraidenError } from '../../protocol/index.ts'
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
