// One receiver and all that a fleet does to it, stage by stage, each with what it costs on both sides.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePostgresUrl } from '../../../receiver/postgres/settings.ts'
import type { PostgresServer } from '../../../test/lab/postgres/server.ts'
import type { Memory, ProcessOptions } from '../../../test/lab/processes/receiver-process.ts'
import { answer, type Running, startMeasured, usage } from '../receiver/measure.ts'
import { type PostgresUsage, postgresUsage } from '../receiver/postgres-usage.ts'
import { type FleetAgent, pay } from './agents.ts'
import { type MadeUpChain, madeUp, startMadeUpChain } from './made-up-chain.ts'

export type StoreName = 'leveldb' | 'postgres'

export interface Ground {
  readonly folder: string
  readonly key: string
  readonly receiver: FleetAgent['sender']
  readonly price: bigint
  /** The first of them only warm up the receiver. */
  readonly agents: readonly FleetAgent[]
  readonly warm: number
  readonly proved: (r: string) => number
  /** Undefined: a folder. */
  readonly server: PostgresServer | undefined
  readonly looks: number
  /** What is done, for who waits. */
  readonly tell: (done: string) => void
}

/** Of one stage, in all. */
export interface Cost {
  /** Channels, payments or looks. */
  readonly count: number
  readonly seconds: number
  /** Microseconds. */
  readonly nodeCpu: number
  readonly postgresCpu: number
  /** Bytes, and transactions of the database; undefined of a folder. */
  readonly wal: number | undefined
  readonly commits: number | undefined
  /** Bytes that the receiver has sent to the disk; undefined where /proc does not say. */
  readonly written: number | undefined
}

export const stages = ['open', 'claim', 'again', 'quiet', 'settle', 'start', 'sync'] as const
export type Stage = (typeof stages)[number]

export interface FleetRow {
  readonly store: StoreName
  readonly channels: number
  readonly stages: Readonly<Record<Stage, Cost>>
  /** Of the receiver after a start with all channels. */
  readonly memory: Memory
  /** Transactions of the settlement. */
  readonly transactions: number
}

/** Openings that one look at the chain finds. */
const openedAtOnce = 1000

const connections = 64

interface Place {
  readonly options: ProcessOptions
  readonly database: string | undefined
}

export async function measureFleet(ground: Ground, channels: number): Promise<FleetRow> {
  const { agents, warm, receiver, proved, price, server } = ground
  const chain = await startMadeUpChain({
    ...{ receiver, proved, deposit: price * 1_000_000n },
    sender: (channel) => agents[channel]?.sender ?? receiver,
  })
  try {
    const place = await placeFor(ground, chain, `${channels}`)
    const lived = await live(ground, place, { chain, channels })
    const { transactions } = chain.taken()
    const started = await startOn(ground, place, channels)
    const empty = await placeFor(ground, chain, `${channels}-again`)
    const { start: sync } = await startOn(ground, empty, channels + warm)
    ground.tell(`${channels} channels, start: ${costText(started.start)}`)
    ground.tell(`${channels} channels, sync: ${costText(sync)}`)
    const { start, memory } = started
    const store = server === undefined ? 'leveldb' : 'postgres'
    return { store, channels, stages: { ...lived, start, sync }, memory, transactions }
  } finally {
    await chain.close()
  }
}

/** Of one unit. */
function costText({ count, seconds, nodeCpu, postgresCpu }: Cost): string {
  const each = (sum: number) => `${(sum / count).toFixed(0)} µs`
  return `${seconds.toFixed(1)} s, Node ${each(nodeCpu)}, PostgreSQL ${each(postgresCpu)}`
}

async function placeFor(
  { folder, key, price, server }: Ground,
  { rpcUrl }: MadeUpChain,
  name: string,
): Promise<Place> {
  const { contract } = madeUp
  const state = join(folder, `${server === undefined ? 'folder' : 'beside'}-${name}`)
  await mkdir(state, { mode: 0o700 })
  const options = { key, rpcUrl, contract, state, price, transactionPoll: 5 }
  if (server === undefined) return { options, database: undefined }
  const database = await server.createDatabase()
  const settings = { ...parsePostgresUrl(server.url(database)), tls: {} }
  return { options: { ...options, database: settings }, database }
}

/** From the first channel to the withdrawal from all. */
async function live(
  ground: Ground,
  place: Place,
  { chain, channels }: { readonly chain: MadeUpChain; readonly channels: number },
): Promise<Omit<FleetRow['stages'], 'start' | 'sync'>> {
  const { agents, warm, looks } = ground
  const running = await startMeasured(place.options)
  const { child, started } = running
  const measured = async (stage: Stage, work: () => Promise<void>) => {
    const count = stage === 'quiet' ? looks : channels
    const cost = await measure({ ground, place, running }, count, work)
    ground.tell(`${channels} channels, ${stage}: ${costText(cost)}`)
    return cost
  }
  const look = async () => {
    child.send('look')
    await answer(child)
  }
  const paid = `${started.base}/paid`
  const payments = (nth: number) =>
    agents.slice(warm, warm + channels).map(({ payments }) => payments[nth] ?? {})
  try {
    await warmUp(ground, { chain, look, paid })
    const open = await measured('open', async () => {
      for (let left = channels; left > 0; left -= openedAtOnce) {
        chain.open(Math.min(left, openedAtOnce))
        await look()
      }
    })
    const claim = await measured('claim', () => pay(paid, payments(0), connections))
    const again = await measured('again', () => pay(paid, payments(1), connections))
    const quiet = await measured('quiet', async () => {
      for (let done = 0; done < looks; done++) await look()
    })
    const settle = await measured('settle', async () => {
      // On a database a leader hears with its next look what was paid.
      await look()
      child.send('withdraw')
      await answer(child)
      await look()
    })
    return { open, claim, again, quiet, settle }
  } finally {
    await running.stop()
  }
}

/** Code that is still interpreted costs several times as much. */
async function warmUp(
  { agents, warm }: Ground,
  {
    chain,
    look,
    paid,
  }: {
    readonly chain: MadeUpChain
    readonly look: () => Promise<void>
    readonly paid: string
  },
): Promise<void> {
  chain.open(warm)
  await look()
  const most = Math.max(...agents.slice(0, warm).map(({ payments }) => payments.length))
  for (let nth = 0; nth < most; nth++) {
    const round = agents.slice(0, warm).map(({ payments }) => payments[nth] ?? {})
    await pay(paid, round, connections)
  }
}

/** Of a new process: with an empty state it reads the chain from the beginning. */
async function startOn(ground: Ground, place: Place, channels: number) {
  const { server } = ground
  const before = await postgresOf(server, place)
  const running = await startMeasured(place.options)
  try {
    const node = await usage(running.child)
    const after = await postgresOf(server, place)
    running.child.send('memory')
    const memory = await answer<Memory>(running.child)
    const seconds = running.started.startMs / 1000
    const start = costOf(channels, seconds, {
      before: { node: undefined, postgres: before },
      after: { node, postgres: after },
    })
    return { start, memory }
  } finally {
    await running.stop()
  }
}

async function measure(
  {
    ground,
    place,
    running,
  }: { readonly ground: Ground; readonly place: Place; readonly running: Running },
  count: number,
  work: () => Promise<void>,
): Promise<Cost> {
  const look = async () => ({
    node: await usage(running.child),
    postgres: await postgresOf(ground.server, place),
  })
  const before = await look()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  return costOf(count, seconds, { before, after: await look() })
}

async function postgresOf(
  server: PostgresServer | undefined,
  { database }: Place,
): Promise<PostgresUsage | undefined> {
  return server && database ? postgresUsage(server, database) : undefined
}

type Used = Awaited<ReturnType<typeof usage>>

interface Looked {
  readonly node: Pick<Used, 'cpu' | 'bytesWritten'> | undefined
  readonly postgres: PostgresUsage | undefined
}

function costOf(
  count: number,
  seconds: number,
  { before, after }: { readonly before: Looked; readonly after: Looked },
): Cost {
  const grown = (name: keyof PostgresUsage) =>
    after.postgres && after.postgres[name] - (before.postgres?.[name] ?? 0)
  const written = after.node?.bytesWritten
  return {
    ...{ count, seconds },
    nodeCpu: (after.node?.cpu ?? 0) - (before.node?.cpu ?? 0),
    postgresCpu: grown('cpu') ?? 0,
    wal: grown('wal'),
    commits: grown('commits'),
    written: written === undefined ? undefined : written - (before.node?.bytesWritten ?? 0),
  }
}
