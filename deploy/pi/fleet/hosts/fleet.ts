// Many hosts at once, at most so many at a time; what fails on one is that one's outcome.
import { isUraidenError, type UraidenError } from '../../../../protocol/index.ts'
import { type Host, hostOf } from './host.ts'
import type { HostSettings } from './inventory.ts'
import { connect } from './ssh.ts'

export type Outcome<Result> =
  | { readonly host: string; readonly ok: true; readonly result: Result }
  | { readonly host: string; readonly ok: false; readonly error: UraidenError }

export interface Fleet<Result> {
  readonly hosts: readonly HostSettings[]
  /** How many at a time. */
  readonly parallel: number
  readonly work: (host: Host, settings: HostSettings) => Promise<Result>
  readonly onOutcome?: (outcome: Outcome<Result>) => void
}

/** In the order of `hosts`. Rejects only with what is a defect. */
export function eachHost<Result>(fleet: Fleet<Result>): Promise<readonly Outcome<Result>[]> {
  const { hosts, parallel, work, onOutcome = () => undefined } = fleet
  return atMost(parallel, hosts, async (settings) => {
    const outcome = await outcomeOf(settings, work)
    onOutcome(outcome)
    return outcome
  })
}

async function outcomeOf<Result>(
  settings: HostSettings,
  work: Fleet<Result>['work'],
): Promise<Outcome<Result>> {
  const { name: host } = settings
  try {
    const connection = await connect(settings)
    try {
      return { host, ok: true, result: await work(hostOf(settings, connection), settings) }
    } finally {
      await connection.close()
    }
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return { host, ok: false, error }
  }
}

export async function atMost<Item, Result>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  // All workers take from the same iterator.
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
