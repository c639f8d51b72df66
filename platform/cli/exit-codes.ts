// What a shell script sees of an error, in both programs.
import type { ErrorCatalogue, ErrorKind } from '../../protocol/errors.ts'

/** A number keeps its meaning for ever. */
export const commonExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  receiver: 4,
  chain: 5,
  key: 6,
  state: 7,
} as const

/** What a command exits with for an error, by the catalogues of its program. */
export function exitCodesOf(
  catalogue: ErrorCatalogue,
  exceptions: { readonly [code: string]: ErrorKind } = {},
): (code: string) => number {
  return (code) => {
    const kind = Object.hasOwn(exceptions, code)
      ? exceptions[code]
      : Object.hasOwn(catalogue, code)
        ? catalogue[code]?.kind
        : undefined
    return commonExitCode[kind ?? 'failed']
  }
}
