// The pages of the reference that are written from the sources, besides those of errors and contracts.
import { commandReference } from './commands.ts'
import { functionReference } from './functions.ts'
import { httpApiReference } from './http-api.ts'
import { libraryReference } from './library.ts'
import { metricsReference } from './metrics.ts'

/** Their texts, by their path in the checkout. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/commands.md', commandReference()],
    ['docs/reference/functions.md', functionReference()],
    ['docs/reference/http-api.md', httpApiReference()],
    ['docs/reference/library.md', libraryReference()],
    ['docs/reference/metrics.md', metricsReference()],
  ])
}
