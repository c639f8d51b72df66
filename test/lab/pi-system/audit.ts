// The books of all sides: what the receiver served and was paid, what is on the agent's card, what its job
// has put into its file.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openStorage } from '../../../agent/channels/ledger-storage.ts'
import { gentleReservation } from '../../../agent/program/configuration/card.ts'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import type { Sale, Shop } from '../torture/shop.ts'
import { exists } from './files.ts'
import { type Card, jobRequest, readingsFile, reservation, stateFolder } from './install.ts'
import type { Pi } from './pi.ts'

export const price = 5n

/** What the card says while the machine is off. */
export interface CardBooks {
  /** Upper bounds of all that was signed. */
  readonly reserved: bigint
  /** Balances that were reached for certain when that was written. */
  readonly signed: bigint
  /** Numbers of the bodies in the job's file, once the agent has mended what a cut left of its end. */
  readonly delivered: () => readonly number[]
}

export async function readBooks(
  pi: Pi,
  shop: Shop,
  account: Address,
  scratch: string,
): Promise<CardBooks> {
  const into = join(scratch, 'books')
  await pi.readCard(stateFolder, into)
  const state = join(into, 'uraiden-agent')
  const contract = parseAddress(shop.contract)
  const owner = { chainId: shop.chainId, contract, account }
  const storage = await openStorage({ folder: join(state, 'ledger'), owner })
  const { channels } = await storage.load()
  await storage.close()
  const readings = join(state, readingsFile.slice(stateFolder.length))
  const text = (await exists(readings)) ? await readFile(readings, 'utf8') : ''
  const entries = [...channels.values()]
  return {
    reserved: entries.reduce((sum, { bound }) => sum + bound, 0n),
    signed: entries.reduce((sum, { signed }) => sum + signed, 0n),
    delivered: () => text.split('\n').filter(Boolean).map(numberOf),
  }
}

function numberOf(line: string): number {
  return (JSON.parse(line) as { readonly data: { readonly number: number } }).data.number
}

/** Payments that one write covers, with the job of this lab. */
export function reservationWith(card: Card, every: string): number {
  if (card === 'careful') return reservation
  return gentleReservation({ jobs: { reading: { get: 'shop/reading', every } }, reservation })
}

/** After a power cut: the card must cover what the receiver has, and not much more. */
export function compareAfterCut(
  reserved: bigint,
  claimed: bigint,
  payments: number = reservation,
): readonly string[] {
  // The buying program and the job may both be under way.
  const most = claimed + price * BigInt(payments + 2)
  if (reserved < claimed)
    return [`${reserved} on the card, but ${claimed} claimed: it may sign again`]
  if (reserved > most) return [`${reserved} on the card, more than a reservation over ${claimed}`]
  return []
}

export interface JobBooks {
  readonly served: number
  readonly delivered: number
  /** Served and not in the file. */
  readonly missing: readonly Sale[]
  readonly twice: number
  /** In the file and never served. */
  readonly invented: number
}

/** @param delivered the numbers of the bodies in the job's file */
export function judgeJob(sales: readonly Sale[], delivered: readonly number[]): JobBooks {
  const sold = sales.filter(({ request }) => request === jobRequest)
  const numbers = new Set(sold.map(({ number }) => number))
  const found = new Set(delivered)
  return {
    served: sold.length,
    delivered: delivered.length,
    missing: sold.filter(({ number }) => !found.has(number)),
    twice: delivered.length - found.size,
    invented: [...found].filter((number) => !numbers.has(number)).length,
  }
}

/**
 * Missing bodies of the job that should be there. What came in the last ten seconds before a power cut may
 * be missing (docs/reference/jobs.md), and the job runs less often than that: the last one before each cut.
 */
export function unexcused(
  sales: readonly Sale[],
  missing: readonly Sale[],
  soldAtCuts: readonly number[],
): readonly Sale[] {
  const lastOnes = soldAtCuts.map((sold) =>
    sales.slice(0, sold).findLast(({ request }) => request === jobRequest),
  )
  return missing.filter((sale) => !lastOnes.includes(sale))
}

/** Requests of the buying program that were served more than once. */
export function soldTwice(served: ReadonlyMap<string, number>): number {
  return [...served].filter(([request, times]) => request !== jobRequest && times > 1).length
}
