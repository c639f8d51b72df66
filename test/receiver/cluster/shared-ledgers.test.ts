// Ledgers in a PostgreSQL that several processes share do what all ledgers must do, and nothing twice.
import test, { type ExecutionContext } from 'ava'
import { fromHex } from '../../../protocol/index.ts'
import type { ChannelId } from '../../../receiver/channels/book.ts'
import { behaviours, type GivenLedgers } from '../../support/ledgers.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState, joinState } from '../../support/shared-state.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)

async function given(t: ExecutionContext): Promise<GivenLedgers> {
  const { settings, database, open } = await givenState(t, await postgres())
  const joined = async () => {
    const process = await joinState(settings)
    t.teardown(process.leave)
    return process
  }
  const where = ({ sender, openBlock }: ChannelId) => [Buffer.from(fromHex(sender)), openBlock]
  const first = await joined()
  return {
    ledgers: first.ledgers,
    open,
    toppedUp: async (before, deposit) => {
      const channel = await open(deposit)
      await database.query(
        `UPDATE ledger SET earlier = ARRAY[$3::numeric]
         WHERE id = (SELECT id FROM channel WHERE sender = $1 AND open_block = $2)`,
        [...where(channel), before],
      )
      return channel
    },
    closing: async (channel) => {
      await database.query(
        `UPDATE ledger SET open = false
         WHERE id = (SELECT id FROM channel WHERE sender = $1 AND open_block = $2)`,
        where(channel),
      )
    },
    reopened: async () => (await joined()).ledgers,
  }
}

for (const [title, behaves] of Object.entries(behaviours)) {
  shared(title, async (t) => behaves(t, await given(t)))
}
