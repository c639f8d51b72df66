// The pages of the reference that are written from the sources, besides those of errors and contracts.
import { commandReference } from './commands.ts'
import { httpApiReference } from './http-api.ts'

/** Their texts, by their path in the checkout. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/commands.md', commandReference()],
    ['docs/reference/http-api.md', httpApiReference()],
  ])
}
