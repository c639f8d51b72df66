// Buys on the emulated Pi, cuts its power in the middle of paying, again and again, and compares the books.

import type { Address } from '../../../protocol/index.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { seededRandom } from '../random/random.ts'
import { countProofs, judgeProofs } from '../torture/paid-by.ts'
import type { PayingSums } from '../torture/reports.ts'
import { openShop, type Shop } from '../torture/shop.ts'
import {
  compareAfterCut,
  judgeJob,
  price,
  readBooks,
  reservationWith,
  soldTwice,
  unexcused,
} from './audit.ts'
import { openScratch } from './files.ts'
import { type Card, configure, installBuyer, installPackage, makeKey } from './install.ts'
import { createPi, type Life, type Pi } from './pi.ts'
import type { Prepared } from './prepare.ts'

export interface PowerCutOptions extends Prepared {
  readonly cuts: number
  readonly seed: number
  readonly card: Card
  readonly say: (line: string) => void
}

export interface PowerCutResult extends PayingSums {
  readonly cuts: number
  /** What a job bought, and what of it is in its file. */
  readonly job: {
    readonly served: number
    readonly delivered: number
    readonly missing: number
    readonly twice: number
  }
  /** Sectors that were on their way to the card when the power went. */
  readonly card: { readonly unflushed: number; readonly lost: number }
  /** Of this machine's time, from power on until the first request is paid, for each start by itself. */
  readonly secondsToPaying: readonly number[]
  readonly troubles: readonly string[]
}

/** What the run has gathered so far. */
interface Notes {
  readonly secondsToPaying: number[]
  readonly troubles: string[]
  readonly card: { unflushed: number; lost: number }
  /** How much had been sold when the power went. */
  readonly soldAtCuts: number[]
}

/** When the job runs. */
const every = '*/15 * * * * *'

/** From the moment the power is on: on a busy machine everything is slow. */
const patience = 30 * 60_000

export async function powerCuts(options: PowerCutOptions): Promise<PowerCutResult> {
  const { base, seed, cuts, say } = options
  const { folder, remove } = await openScratch()
  const shop = await openShop(price, 10n ** 9n)
  try {
    const pi = await createPi(base, folder)
    const notes: Notes = {
      secondsToPaying: [],
      troubles: [],
      card: { unflushed: 0, lost: 0 },
      soldAtCuts: [],
    }
    const random = seededRandom(seed)
    const payments = reservationWith(options.card, every)
    const account = await firstLife(pi, shop, options)
    for (let cut = 1; cut <= cuts; cut++) {
      const life = await untilPaying(pi, shop, notes)
      // By sales and not by time alone: that is the middle of paying, however slow this machine is.
      await sold(shop, life, Math.floor(random() * 60))
      await pause(random() * 500)
      const { unflushed, lost } = await life.cutPower(random)
      notes.soldAtCuts.push(shop.sales.length)
      notes.card.unflushed += unflushed
      notes.card.lost += lost
      const { reserved } = await readBooks(pi, shop, account, folder)
      notes.troubles.push(...compareAfterCut(reserved, shop.claimed(), payments))
      say(
        `cut ${cut}: ${shop.sales.length} sold, ${shop.claimed()} claimed, ${reserved} on the card; ${lost} of ${unflushed} unflushed sectors lost`,
      )
    }
    const life = await untilPaying(pi, shop, notes)
    await endInOrder(life)
    return await judge(pi, shop, account, folder, options, notes)
  } finally {
    await shop.close()
    remove()
  }
}

/** Installs, configures, buys for the first time, and is switched off in order. */
async function firstLife(
  pi: Pi,
  shop: Shop,
  { deb, card, say }: PowerCutOptions,
): Promise<Address> {
  const life = await pi.boot()
  await life.guest.reached()
  say('installing the package')
  await installPackage(life.guest, deb)
  const account = await makeKey(life.guest)
  await shop.fund(account, 10n ** 9n)
  await configure(life.guest, shop, every, card)
  await installBuyer(life.guest)
  await life.guest.run('systemctl enable --now buyer.service')
  await sold(shop, life, 1)
  say('it buys')
  await life.powerOff()
  return account
}

/** Nobody logs in: what does not come up by itself does not come up. */
async function untilPaying(pi: Pi, shop: Shop, notes: Notes): Promise<Life> {
  const on = Date.now()
  const life = await pi.boot()
  await sold(shop, life, 1)
  notes.secondsToPaying.push(Math.round((Date.now() - on) / 1000))
  return life
}

/** Resolves when so many more have been sold. */
async function sold(shop: Shop, life: Life, more: number): Promise<void> {
  const enough = shop.sales.length + more
  const deadline = Date.now() + patience
  while (shop.sales.length < enough) {
    if (Date.now() > deadline) {
      throw toolError({
        code: 'never_paid',
        message: 'the emulated machine was started and did not pay',
        hint: `Its console ends with: ${(await life.console()).slice(-1500)}`,
      })
    }
    await pause(100)
  }
}

async function endInOrder({ guest, powerOff }: Life): Promise<void> {
  await guest.reached()
  await guest.run('systemctl stop buyer.service')
  // One more run of the job brings home what a cut has left open, and its file is synced by a stop.
  await guest.run('uraiden-agent run-job reading')
  await guest.run('systemctl stop uraiden-agent.service')
  await powerOff()
}

async function judge(
  pi: Pi,
  shop: Shop,
  account: Address,
  folder: string,
  { cuts, seed, card: mode }: PowerCutOptions,
  { secondsToPaying, troubles, card, soldAtCuts }: Notes,
): Promise<PowerCutResult> {
  const { reserved, signed, delivered } = await readBooks(pi, shop, account, folder)
  const job = judgeJob(shop.sales, delivered())
  const served = Number(price) * shop.sales.length
  const claimed = Number(shop.claimed())
  const paidTwice = soldTwice(shop.served)
  const proofs = countProofs(shop.sales.map(({ paidBy }) => paidBy))
  // A gentle agent may lose all that came since the last flush, of which the cuts leave none.
  const late = mode === 'gentle' ? [] : unexcused(shop.sales, job.missing, soldAtCuts)
  return {
    cuts,
    seed,
    served,
    claimed,
    signed: Number(signed),
    reserved: Number(reserved),
    lost: Number(signed) - claimed,
    paidTwice,
    ...proofs,
    job: {
      served: job.served,
      delivered: job.delivered,
      missing: job.missing.length,
      twice: job.twice,
    },
    card,
    secondsToPaying,
    troubles: [
      ...troubles,
      ...judgeProofs(proofs),
      ...(served === claimed ? [] : [`${served} served, but ${claimed} claimed`]),
      ...(Number(signed) >= claimed ? [] : [`${signed} signed, but ${claimed} claimed`]),
      ...(paidTwice === 0 ? [] : [`${paidTwice} requests paid more than once`]),
      ...(job.twice + job.invented === 0
        ? []
        : ['the job has bodies in its file twice or of nowhere']),
      ...(late.length === 0
        ? []
        : [`${late.length} bodies of the job are missing that were synced`]),
      ...(job.served > 0 ? [] : ['the job never bought']),
    ],
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
