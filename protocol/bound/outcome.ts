// What came of a check, and why: a refusal is an ordinary result here, not an exception.

export interface Failure<Code extends string> {
  readonly ok: false
  readonly code: Code
  /** One sentence about this case. */
  readonly detail: string
}

export type Outcome<Value, Code extends string> =
  | { readonly ok: true; readonly value: Value }
  | Failure<Code>

export function success<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value }
}

export function failure<Code extends string>(code: Code, detail: string): Failure<Code> {
  return { ok: false, code, detail }
}
