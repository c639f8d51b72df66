/** What went wrong, for a program (`code`), for a person (`message`), and what to do (`hint`). */
export interface ErrorFacts {
  /** Stable, one per cause, in snake_case. Programs decide by it. */
  readonly code: string
  /** One sentence that names the field and the value. */
  readonly message: string
  /** What to do about it, in one or two sentences. */
  readonly hint: string
  readonly cause?: unknown
}

/**
 * Every error that this project raises on purpose. An error of another class is a defect of ours
 * or of a library and may be shown with its stack; this one never needs it.
 */
export class UraidenError extends Error {
  override readonly name = 'UraidenError'
  readonly code: string
  readonly hint: string

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = facts.code
    this.hint = facts.hint
  }
}

/** True for an error of this project, narrowed to one cause when `code` is given. */
export function isUraidenError(error: unknown, code?: string): error is UraidenError {
  return error instanceof UraidenError && (code === undefined || error.code === code)
}
