// A shared state that nobody serves on: for who moves it, or puts a backup back.
import type { StateOwner } from '../../platform/state/state.ts'
import { storedAddress } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import { connectDatabase, type Sql } from '../postgres/connection.ts'
import { openDatabase } from '../postgres/schema.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import { longestSilence } from './membership.ts'

/** Nobody joins meanwhile, see `join`. */
const allWait = 'LOCK TABLE meta IN ACCESS EXCLUSIVE MODE'

/** A statement may be about all channels. */
const patient = { timeout: 600_000 }

/**
 * All that `work` does, or nothing. `place` is for messages.
 * @throws UraidenError `state_in_use`, those of `openDatabase`, and what `work` throws
 */
export async function whileStopped<Value>(
  settings: PostgresSettings,
  owner: StateOwner,
  work: (sql: Sql, place: string) => Promise<Value>,
): Promise<Value> {
  const database = await openDatabase(settings, owner, patient)
  const { place } = database
  try {
    return await database.transaction(async (sql) => {
      await checkUnused(sql, place)
      return work(sql, place)
    }, allWait)
  } finally {
    await database.close()
  }
}

async function checkUnused({ query }: Sql, place: string): Promise<void> {
  const alive = await query<{ name: string }>(
    `SELECT name FROM process
     WHERE left_at IS NULL AND seen_at > clock_timestamp() - $1::int * interval '1 ms'`,
    [longestSilence],
  )
  if (alive.length === 0) return
  const names = alive.map(({ name }) => name).join(', ')
  throw receiverError({
    code: 'state_in_use',
    message: `Receivers use the state in the database ${place}: ${names}.`,
    hint: 'Stop all of them, and try again after some seconds.',
  })
}

/** Whose state is there; nothing is made. @throws UraidenError `state_missing`, and those of `connectDatabase` */
export async function ownerOfDatabase(settings: PostgresSettings): Promise<StateOwner> {
  const database = await connectDatabase(settings)
  try {
    const [there] = await database.query<{ table: string | null }>(
      `SELECT to_regclass('meta')::text AS table`,
    )
    const [found] =
      there?.table == null
        ? []
        : await database.query<{ chain_id: bigint; contract: string; account: string }>(
            'SELECT chain_id, contract, account FROM meta',
          )
    if (found === undefined) {
      throw receiverError({
        code: 'state_missing',
        message: `There is no state in the database ${database.place}.`,
        hint: 'Name the database of a receiver.',
      })
    }
    const { chain_id: chainId, contract, account } = found
    return { chainId, contract: storedAddress(contract), account: storedAddress(account) }
  } finally {
    await database.close()
  }
}
