// Small records of a receiver that all processes of a shared state read: prices of gas, where the chain begins, and
// what the relay has sent.
import { type Address, storedAddress } from '../../protocol/index.ts'
import type { Allowance, AllowanceDisk, FirstBlockDisk, GasPriceDisk } from '../channels/store.ts'
import type { Sql } from '../postgres/connection.ts'
import { writeNote } from './chain-facts.ts'

export const gasPricesNote = 'gas-prices'
export const firstBlockNote = 'first-block'

/** `isLeading`: who does not lead writes down no price, because the leader does. */
export function sharedGasPrices(database: Sql, isLeading: () => boolean): GasPriceDisk {
  return {
    load: async () => readGasPrices(await readNote(database, gasPricesNote)),
    save: async (prices) => {
      if (isLeading()) await writeNote(database, gasPricesNote, formatGasPrices(prices))
    },
  }
}

export function formatGasPrices(prices: ReadonlyMap<number, bigint>): string {
  return JSON.stringify([...prices].map(([hour, price]) => [hour, `${price}`]))
}

export function readGasPrices(text: string | undefined): ReadonlyMap<number, bigint> {
  const hours: readonly [number, string][] = JSON.parse(text ?? '[]')
  return new Map(hours.map(([hour, price]) => [hour, BigInt(price)]))
}

export function sharedFirstBlock(database: Sql): FirstBlockDisk {
  return {
    load: async () => {
      const text = await readNote(database, firstBlockNote)
      return text === undefined ? undefined : Number(text)
    },
    save: (block) => writeNote(database, firstBlockNote, `${block}`),
  }
}

async function readNote({ query }: Sql, name: string): Promise<string | undefined> {
  const [row] = await query<{ value: string }>('SELECT value FROM note WHERE name = $1', [name])
  return row?.value
}

/** Of whoever leads: it reads them when it begins to. */
export function sharedAllowances({ query }: Sql): AllowanceDisk {
  return {
    load: () => readAllowances({ query }),
    save: async (changes) => {
      for (const [sender, allowance] of changes) {
        if (allowance === undefined) {
          await query('DELETE FROM allowance WHERE sender = $1', [sender])
          continue
        }
        const { day, count, gas } = allowance
        await query(
          `INSERT INTO allowance VALUES ($1, $2, $3, $4) ON CONFLICT (sender) DO UPDATE SET
             day = excluded.day, count = excluded.count, gas = excluded.gas`,
          [sender, day, count, `${gas}`],
        )
      }
    },
  }
}

export async function readAllowances({ query }: Sql): Promise<ReadonlyMap<Address, Allowance>> {
  const rows = await query<{ sender: string; day: number; count: number; gas: bigint }>(
    'SELECT sender, day, count, gas FROM allowance',
  )
  return new Map(
    rows.map(({ sender, day, count, gas }) => [storedAddress(sender), { day, count, gas }]),
  )
}
