// Receivers on one PostgreSQL beside one on LevelDB: payments a second, and what a payment costs on both sides.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SyncPosition } from '../../../receiver/channels/history.ts'
import { moveToDatabase } from '../../../receiver/cluster/move.ts'
import { parsePostgresUrl } from '../../../receiver/postgres/settings.ts'
import { type PostgresServer, startPostgres } from '../../../test/lab/postgres/server.ts'
import type { ProcessOptions } from '../../../test/lab/processes/receiver-process.ts'
import { type Fleet, paymentsOf, prepareState, writePayments } from './channels.ts'
import { parted, type Running, startMeasured, usage } from './measure.ts'
import { payOnOneChannel } from './one-channel.ts'
import { postgresUsage } from './postgres-usage.ts'
import { type Load, runWrk, threads } from './wrk.ts'

/** What is paid on. `spread`: 1024 channels for each process; `one`: all on one; `many`: 100 000. */
export type Ground = 'spread' | 'one' | 'many, unknown' | 'many'

export interface SharedRow {
  readonly ground: Ground
  readonly store: 'leveldb' | 'postgres'
  readonly processes: number
  readonly payments: number
  readonly paymentsPerSecond: number
  /** Of the mean of LevelDB on this ground. */
  readonly ofLevelDb: number
  /** CPU of LevelDB for a payment by that of all here: what `ofLevelDb` would be where nothing else runs. */
  readonly cpuOfLevelDb: number
  /** Milliseconds, of the slowest process. */
  readonly p99: number
  /** Microseconds of CPU a payment: of all receivers, and of all of the server's processes. */
  readonly nodeCpu: number
  readonly postgresCpu: number
  /** A payment; undefined where there is none. */
  readonly walBytes: number | undefined
  readonly commits: number | undefined
}

export interface SharedBench {
  readonly folder: string
  readonly fleet: Fleet
  readonly head: SyncPosition
  readonly own: Pick<ProcessOptions, 'key' | 'rpcUrl' | 'contract' | 'price'>
  readonly seconds: number
  readonly connections: number
  /** Payments that are signed for each process. */
  readonly most: number
  /** Channels of the ground `many`. */
  readonly many: number
  readonly tell?: ((row: Measured) => void) | undefined
}

interface Setting {
  readonly ground: Ground
  readonly store: SharedRow['store']
  readonly processes: number
}

const on = (ground: Ground, store: SharedRow['store'], processes = 1): Setting => {
  return { ground, store, processes }
}

/** LevelDB before and after, because machines are not the same for minutes. */
const settings: readonly Setting[] = [
  on('spread', 'leveldb'),
  ...[1, 2, 3].map((processes) => on('spread', 'postgres', processes)),
  on('spread', 'leveldb'),
  ...[on('one', 'leveldb'), on('one', 'postgres'), on('one', 'postgres', 3)],
  ...[on('many', 'leveldb'), on('many, unknown', 'postgres'), on('many', 'postgres')],
]

export type Measured = Omit<SharedRow, 'ofLevelDb' | 'cpuOfLevelDb'>

export async function measureShared(bench: SharedBench): Promise<readonly SharedRow[]> {
  const server = await startPostgres()
  try {
    const rows: Measured[] = []
    for (const [at, setting] of settings.entries()) {
      const measured = await row(bench, { ...setting, server, place: `${at}` })
      bench.tell?.(measured)
      rows.push(measured)
    }
    return rows.map((each) => {
      const before = levelDbOn(each.ground, rows)
      return {
        ...each,
        ofLevelDb: each.paymentsPerSecond / before.paymentsPerSecond,
        cpuOfLevelDb: before.nodeCpu / (each.nodeCpu + each.postgresCpu),
      }
    })
  } finally {
    await server.remove()
  }
}

function levelDbOn(ground: Ground, rows: readonly Measured[]) {
  const same = rows.filter(
    (each) => each.store === 'leveldb' && each.ground === ground.split(',', 1)[0],
  )
  const mean = (of: 'paymentsPerSecond' | 'nodeCpu') =>
    same.reduce((sum, each) => sum + each[of], 0) / same.length
  return { paymentsPerSecond: mean('paymentsPerSecond'), nodeCpu: mean('nodeCpu') }
}

/** One row of the table, with a folder of its own. */
interface Place extends Setting {
  readonly server: PostgresServer
  readonly place: string
}

async function row(bench: SharedBench, place: Place): Promise<Measured> {
  const { server, ground, store, processes } = place
  const fleet = { ...bench.fleet, channels: channelsOf(bench, ground) }
  const { options, database } = await prepare({ ...bench, fleet }, place)
  const running: Running[] = []
  try {
    for (const each of options) running.push(await startMeasured(each))
    const bases = running.map(({ started }) => started.base)
    const load = await (ground === 'one' ? onOne : onMany)({ ...bench, fleet }, place, bases)
    await load.warm()
    const look = async () => ({
      node: await Promise.all(running.map(({ child }) => usage(child))),
      postgres: await postgresUsage(server, database),
    })
    const before = await look()
    const loads = (await load.rest()).map(served)
    const after = await look()
    const total = loads.reduce((sum, { requests }) => sum + requests, 0)
    const cpu = (all: typeof before) => all.node.reduce((sum, each) => sum + each.cpu, 0)
    const grown = (of: 'cpu' | 'wal' | 'commits') =>
      (after.postgres[of] - before.postgres[of]) / total
    return {
      ...{ ground, store, processes, payments: total },
      paymentsPerSecond: loads.reduce((sum, each) => sum + each.requestsPerSecond, 0),
      p99: Math.max(...loads.map(({ p99 }) => p99)),
      nodeCpu: (cpu(after) - cpu(before)) / total,
      postgresCpu: store === 'postgres' ? grown('cpu') : 0,
      walBytes: store === 'postgres' ? grown('wal') : undefined,
      commits: store === 'postgres' ? grown('commits') : undefined,
    }
  } finally {
    for (const { stop } of running) await stop()
  }
}

function channelsOf({ fleet, many }: SharedBench, ground: Ground): number {
  if (ground === 'one') return 1
  return ground === 'spread' ? fleet.channels : many
}

async function prepare(
  { folder, fleet, head, own }: SharedBench,
  { server, ground, store, processes, place }: Place,
): Promise<{ readonly options: readonly ProcessOptions[]; readonly database: string }> {
  const state = join(folder, `state-${place}`)
  const channels = ground === 'spread' ? fleet.channels * processes : fleet.channels
  await prepareState(state, { ...fleet, channels }, head)
  if (store === 'leveldb') return { options: [{ ...own, state }], database: 'postgres' }
  const database = await server.createDatabase()
  const settings = { ...parsePostgresUrl(server.url(database)), tls: {} }
  await moveToDatabase(state, settings)
  // As the server itself does it after some time.
  await server.sql(database, 'VACUUM ANALYZE')
  const options: ProcessOptions[] = []
  for (let at = 0; at < processes; at++) {
    const folderOf = join(folder, `state-${place}-of-${at}`)
    await mkdir(folderOf, { mode: 0o700 })
    options.push({ ...own, state: folderOf, database: settings })
  }
  return { options, database }
}

interface Loading {
  /** Code that is still interpreted costs several times as much. */
  readonly warm: () => Promise<unknown>
  readonly rest: () => Promise<readonly Load[]>
}

/** Seconds that the first payments may take. */
const longest = 60

/** Each process has channels of its own, so that the payments of one are sent in their order. */
async function onMany(
  { folder, fleet, most, seconds, connections }: SharedBench,
  { ground, place }: Place,
  bases: readonly string[],
): Promise<Loading> {
  // All channels are known before it is measured, or hardly one.
  const first = ground === 'many' ? Math.ceil(fleet.channels / threads) : undefined
  const shares: { readonly warm: string; readonly rest: string }[] = []
  for (const at of bases.keys()) {
    const prefix = join(folder, `payments-${place}-${at}`)
    const count = most + (first ?? 0) * threads
    await writePayments(prefix, { ...fleet, from: at * fleet.channels }, count)
    shares.push(await parted({ payments: prefix }, first))
  }
  const send = (part: 'warm' | 'rest', time: number) =>
    Promise.all(
      bases.map(async (base, at) => {
        const own = join(folder, `wrk-${place}-${at}`)
        await mkdir(own, { recursive: true })
        const requests = shares[at]?.[part] ?? ''
        return runWrk({ url: `${base}/paid`, seconds: time, connections, folder: own, requests })
      }),
    )
  return {
    warm: () => send('warm', longest),
    rest: () => send('rest', seconds),
  }
}

async function onOne(
  { fleet, most, seconds, connections }: SharedBench,
  _: Place,
  bases: readonly string[],
): Promise<Loading> {
  const pay = await paymentsOf(fleet)
  const all = Array.from({ length: most }, (_, at) => pay(0, fleet.price * BigInt(at + 1)))
  const warm = all.splice(0, warmPayments)
  const send = (payments: readonly string[], time: number) =>
    payOnOneChannel({ bases, payments, seconds: time, connections })
  return {
    warm: () => send(warm, longest),
    rest: async () => [await send(all, seconds)],
  }
}

const warmPayments = 8192

function served(done: Load): Load {
  const { requests, refused, failed } = done
  if (requests > 0 && refused === 0 && failed === 0) return done
  throw new Error(`of ${requests} requests ${refused} were refused and ${failed} failed`)
}
