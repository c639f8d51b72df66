// What was sent to whom, in a LevelDB beside the inventory: a transaction is written down before it
// leaves, so a run that is killed sends nothing twice, and the caps count what all runs have sent.
import { z } from 'zod'
import type { JournalEntry, Receipt, TransactionJournal } from '../../../../platform/chain/index.ts'
import { keysUnder, openState } from '../../../../platform/state/state.ts'
import { type Address, type Hex, parseAddress } from '../../../../protocol/index.ts'
import type { Transfer } from './plan.ts'

export type Kind = 'tokens' | 'ether'

/** A transfer that is on the chain. */
export interface Sent extends Transfer {
  readonly kind: Kind
  readonly transaction: Hex
  readonly block: number
  /** ISO 8601. */
  readonly time: string
}

export interface TransferRecords {
  readonly journal: TransactionJournal
  /** Operations that were signed and whose outcome is not known yet. */
  readonly pending: () => Promise<readonly string[]>
  /** Writes down that it happened, in one write with forgetting that it was to happen. */
  readonly happened: (operation: string, receipt: Receipt) => Promise<Sent>
  /** Oldest first. */
  readonly sent: () => Promise<readonly Sent[]>
  readonly close: () => Promise<void>
}

export interface RecordsOwner {
  readonly chainId: bigint
  readonly contract: Address
  /** Who pays. */
  readonly account: Address
}

const amount = z.string().regex(/^\d+$/).transform(BigInt)
const address = z.string().transform(parseAddress)
const operationSchema = z.object({
  kind: z.enum(['tokens', 'ether']),
  host: z.string(),
  address,
  amount,
})
const sentSchema = operationSchema.extend({
  transaction: z.string().transform((text) => text as Hex),
  block: z.number(),
  time: z.string(),
})

export function recordsFolder(inventory: string): string {
  return `${inventory.replace(/\.ya?ml$/, '')}.transfers`
}

/** The name under which a transfer is found again. */
export function operationOf(kind: Kind, { host, address, amount }: Transfer): string {
  return JSON.stringify({ kind, host, address, amount: `${amount}` })
}

/** @throws UraidenError those of `openState` */
export async function openRecords(
  folder: string,
  owner: RecordsOwner,
  now: () => Date = () => new Date(),
): Promise<TransferRecords> {
  const db = await openState({ folder, owner, program: 'funding', format: 1 })
  const write = (
    changes: readonly (
      | { readonly type: 'put'; readonly key: string; readonly value: string }
      | { readonly type: 'del'; readonly key: string }
    )[],
  ) => db.batch([...changes], { sync: true })
  const signed = (operation: string) => `signed/${operation}`
  return {
    journal: {
      put: (operation, entry) =>
        write([{ type: 'put', key: signed(operation), value: JSON.stringify(entry) }]),
      get: async (operation) => {
        const text = await db.get(signed(operation))
        return text === undefined ? undefined : (JSON.parse(text) as JournalEntry)
      },
      delete: (operation) => write([{ type: 'del', key: signed(operation) }]),
      // Forgotten together with the record that it happened.
      mined: async () => undefined,
    },
    pending: async () => {
      const keys = await db.keys(keysUnder('signed/')).all()
      return keys.map((key) => key.slice('signed/'.length))
    },
    happened: async (operation, { transaction, block }) => {
      const time = now().toISOString()
      const facts = { ...JSON.parse(operation), transaction, block, time }
      await write([
        { type: 'put', key: `sent/${time}/${transaction}`, value: JSON.stringify(facts) },
        { type: 'del', key: signed(operation) },
      ])
      return sentSchema.parse(facts)
    },
    sent: async () => {
      const texts = await db.values(keysUnder('sent/')).all()
      return texts.map((text) => sentSchema.parse(JSON.parse(text)))
    },
    close: () => db.close(),
  }
}
