// What a job a minute costs the card: the agent's state and its job's file are on a disk of their own, so that nothing
// else is counted. Hours pass in minutes, since the machine's clock skips the time in which it only waits.

import type { CardCounts } from '../../../test/lab/pi-system/card.ts'
import type { Guest } from '../../../test/lab/pi-system/guest.ts'
import { type Card, configure, stateFolder } from '../../../test/lab/pi-system/install.ts'
import type { Life } from '../../../test/lab/pi-system/pi.ts'
import type { Shop } from '../../../test/lab/torture/shop.ts'

export const stateLabel = 'state'

export interface Written {
  /** Of the machine's own time. */
  readonly seconds: number
  readonly runs: number
  /** At the agent's own disk: its bytes, and what the file system writes to keep them. */
  readonly bytes: number
  readonly writes: number
  readonly flushes: number
  /** Bytes of each minute in which anything reached that disk, in their order. */
  readonly minutes: readonly number[]
  /** What Linux counts for the daemon itself (/proc/PID/io). */
  readonly daemonBytes: number
  /** At the card with the rest of the system, which has no part in the agent. */
  readonly systemBytes: number
}

export interface CardFigures extends Written {
  /** From the daemon's start until its second run was written. */
  readonly startBytes: number
  readonly megabytesPerDay: number
}

interface Counts {
  /** Since the machine was started, by its own clock. */
  readonly seconds: number
  readonly state: CardCounts
  readonly system: CardCounts
  readonly daemon: number
  readonly runs: number
}

/** Before the package is installed: what it puts into the state folder goes to the disk of that label. */
export async function mountState({ run }: Guest): Promise<void> {
  await run(`set -eu
mkdir -p ${stateFolder}
echo 'LABEL=${stateLabel} ${stateFolder} ext4 defaults,noatime 0 2' >> /etc/fstab
systemctl daemon-reload
mount ${stateFolder}`)
}

/** A job a minute for so many runs. */
export async function measureCard(
  life: Life,
  shop: Shop,
  card: Card,
  runs: number,
): Promise<CardFigures> {
  const off = await restart(life, shop, '0 * * * * *', card)
  await sold(shop, 2)
  const before = await count(life, shop)
  const minutes = await sold(shop, runs, () => life.writtenToState().bytes)
  const after = await count(life, shop)
  const written = between(before, after, minutes)
  return {
    ...written,
    startBytes: before.state.bytes - off.bytes,
    megabytesPerDay: Math.round((written.bytes * 86_400) / written.seconds / 10_000) / 100,
  }
}

/** The daemon with a job that is not due. */
export async function measureIdle(life: Life, shop: Shop, seconds: number): Promise<Written> {
  await restart(life, shop, '0 0 1 1 *', 'careful')
  // What starting has left to be written.
  await life.guest.run('sleep 120')
  const before = await count(life, shop)
  await life.guest.run(`sleep ${seconds}`)
  return between(before, await count(life, shop), [])
}

/** Resolves with what was written before the daemon's start. */
async function restart(
  { guest, writtenToState }: Life,
  shop: Shop,
  every: string,
  card: Card,
): Promise<CardCounts> {
  await configure(guest, shop, every, card)
  await guest.run('systemctl stop uraiden-agent && sync')
  const before = writtenToState()
  await guest.run('systemctl start uraiden-agent')
  return before
}

/** Until so many more are sold. Resolves with the growth of `counted` from one to the next, where it has grown. */
async function sold(
  shop: Shop,
  more: number,
  counted: () => number = () => 0,
): Promise<readonly number[]> {
  const growth: number[] = []
  let before = counted()
  for (let until = shop.sales.length + 1, left = more; left > 0; until++, left--) {
    while (shop.sales.length < until) await pause(0.02)
    const now = counted()
    if (now > before) growth.push(now - before)
    before = now
  }
  return growth
}

function between(before: Counts, after: Counts, minutes: readonly number[]): Written {
  return {
    seconds: Math.round(after.seconds - before.seconds),
    runs: after.runs - before.runs,
    bytes: after.state.bytes - before.state.bytes,
    writes: after.state.writes - before.state.writes,
    flushes: after.state.flushes - before.state.flushes,
    minutes,
    daemonBytes: after.daemon - before.daemon,
    systemBytes: after.system.bytes - before.system.bytes,
  }
}

/** With all that the kernel has kept until then. */
async function count({ guest, written, writtenToState }: Life, shop: Shop): Promise<Counts> {
  await guest.run('sync')
  const io = await guest.run(
    'cat /proc/$(systemctl show --value --property=MainPID uraiden-agent)/io',
  )
  return {
    seconds: await uptime(guest),
    state: writtenToState(),
    system: written(),
    daemon: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]),
    runs: shop.sales.length,
  }
}

async function uptime({ run }: Guest): Promise<number> {
  return Number((await run('cat /proc/uptime')).split(' ')[0])
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
