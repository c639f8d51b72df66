// What a job costs the card. A job a minute would take days to measure: here one runs every 15 seconds,
// which is more than everything that gathers writes waits (the sinks ten seconds, ext4 five), so that each
// run costs what it would cost alone; and what the system writes without the job is taken off.

import { configure } from '../../../test/lab/pi-system/install.ts'
import type { Life } from '../../../test/lab/pi-system/pi.ts'
import type { Shop } from '../../../test/lab/torture/shop.ts'

export interface CardFigures {
  /** Of the machine's own time, for the job; about as many without it. */
  readonly seconds: number
  readonly runs: number
  /** At the card: the agent's bytes, and what the file system writes to keep them. */
  readonly bytesPerRun: number
  readonly writesPerRun: number
  readonly flushesPerRun: number
  /** What Linux counts for the daemon itself (/proc/PID/io). */
  readonly daemonBytesPerRun: number
  /** Of the idle daemon and the system around it. */
  readonly idleBytesPerHour: number
  /** 1440 runs, and what the idle daemon writes on top of that. */
  readonly megabytesPerDay: number
}

/** With `card: gentle`: a job a minute, as it is, over hours, for its writes come together. */
export interface GentleFigures {
  /** Of the machine's own time. */
  readonly seconds: number
  readonly runs: number
  /** At the card, of the agent and of the system around it. */
  readonly bytes: number
  readonly writes: number
  readonly flushes: number
  /** What Linux counts for the daemon itself (/proc/PID/io). */
  readonly daemonBytes: number
  readonly megabytesPerDay: number
}

interface Counts {
  /** Since the machine was started, by its own clock. */
  readonly seconds: number
  readonly bytes: number
  readonly writes: number
  readonly flushes: number
  readonly daemon: number
  readonly runs: number
}

export async function measureCard(life: Life, shop: Shop, seconds: number): Promise<CardFigures> {
  await configure(life.guest, shop, '0 0 1 1 *')
  const idle = await during(life, shop, seconds)
  await configure(life.guest, shop, '*/15 * * * * *')
  const busy = await during(life, shop, seconds)
  const perRun = (of: (counts: Counts) => number) =>
    Math.round((of(busy) - (of(idle) * busy.seconds) / idle.seconds) / Math.max(1, busy.runs))
  const bytesPerRun = perRun(({ bytes }) => bytes)
  const idleBytesPerHour = Math.round((idle.bytes * 3600) / idle.seconds)
  return {
    seconds: Math.round(busy.seconds),
    runs: busy.runs,
    bytesPerRun,
    writesPerRun: perRun(({ writes }) => writes),
    flushesPerRun: perRun(({ flushes }) => flushes),
    daemonBytesPerRun: perRun(({ daemon }) => daemon),
    idleBytesPerHour,
    megabytesPerDay: Math.round((bytesPerRun * 1440 + idleBytesPerHour * 24) / 10_000) / 100,
  }
}

export async function measureGentle(
  life: Life,
  shop: Shop,
  seconds: number,
): Promise<GentleFigures> {
  await configure(life.guest, shop, '0 * * * * *', 'gentle')
  // What has gathered until then is a part of it: at most two hours' worth is written at once.
  const flush = 'runuser -u uraiden-agent -- uraiden-agent flush'
  const { daemon, ...counted } = await during(life, shop, seconds, flush)
  return {
    ...counted,
    seconds: Math.round(counted.seconds),
    daemonBytes: daemon,
    megabytesPerDay: Math.round((counted.bytes * 86_400) / counted.seconds / 10_000) / 100,
  }
}

async function during(life: Life, shop: Shop, seconds: number, last?: string): Promise<Counts> {
  await life.guest.run('systemctl restart uraiden-agent && sync')
  // What starting has left to be written.
  await pause(60)
  const before = await count(life, shop)
  await pause(seconds)
  if (last !== undefined) await life.guest.run(`${last} && sync`)
  const after = await count(life, shop)
  return {
    seconds: after.seconds - before.seconds,
    bytes: after.bytes - before.bytes,
    writes: after.writes - before.writes,
    flushes: after.flushes - before.flushes,
    daemon: after.daemon - before.daemon,
    runs: after.runs - before.runs,
  }
}

async function count({ guest, written }: Life, shop: Shop): Promise<Counts> {
  const { bytes, writes, flushes } = written()
  const io = await guest.run(
    'cat /proc/$(systemctl show --value --property=MainPID uraiden-agent)/io',
  )
  const daemon = Number(/^write_bytes: (\d+)$/m.exec(io)?.[1])
  const seconds = Number((await guest.run('cat /proc/uptime')).split(' ')[0])
  return { seconds, bytes, writes, flushes, daemon, runs: shop.sales.length }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
