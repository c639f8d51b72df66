// ./scripts/torture receiver --store postgres: three receivers on one PostgreSQL and one chain under load, over HTTP.
// At random moments it kills one of them or all of PostgreSQL, stops PostgreSQL, or cuts the way between one receiver
// and it; then all is mended, and it checks that no balance paid twice and that nothing was lost of what has a name.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connectDatabase, type Database } from '../../../receiver/postgres/connection.ts'
import { parsePostgresUrl } from '../../../receiver/postgres/settings.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../chains/embedded-chain.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import { openWay, type Way } from '../postgres/way.ts'
import type { Forked } from '../processes/forked.ts'
import type { ProcessOptions } from '../processes/receiver-process.ts'
import { claimedInAll, countedInAll } from '../processes/shared-paywall.ts'
import { seededRandom } from '../random/random.ts'
import { countProofs, describeProofs, judgeProofs, type ProofCounts } from './paid-by.ts'
import type { Payer } from './payer.ts'
import { openTorturedChannels, startTortured } from './receivers.ts'

export interface SharedTorture {
  readonly kills: number
  readonly seed: number
  readonly json: boolean
}

/** Half of them end a receiver, whoever leads. */
const harms = ['receiver', 'receiver', 'receiver', 'database', 'restart', 'partition'] as const
type Harm = (typeof harms)[number]

interface Result extends ProofCounts {
  readonly store: 'postgres'
  readonly kills: number
  readonly seed: number
  /** What was done how often. */
  readonly done: Readonly<Record<Harm, number>>
  /** Sums in the token's smallest unit: what was served at its price, and what has paid by the rows. */
  readonly served: number
  readonly claimed: number
  /** Paid, by a request without a name, for an answer that a kill kept from arriving. */
  readonly lostWithoutName: number
  readonly lost: number
  /** Balances that were served more than once. */
  readonly paidTwice: number
  /** Terms of leaders, and transactions that they have sent. */
  readonly terms: number
  readonly transactions: number
}

const price = 5n
const receivers = 3

/** One of those that share the state, and its way to it. */
interface Place {
  readonly options: ProcessOptions
  readonly way: Way
  running: Forked
}

interface Scene {
  readonly server: PostgresServer
  readonly database: Database
  readonly places: readonly Place[]
  readonly payers: readonly Payer[]
  readonly random: () => number
}

/** Resolves with the status of the process. */
export async function tortureShared({ kills, seed, json }: SharedTorture): Promise<number> {
  const chain = await startEmbeddedChain()
  const server = await startPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-torture-'))
  try {
    const scene = await setUp({ chain, server, folder, seed })
    const done = { receiver: 0, database: 0, restart: 0, partition: 0 }
    for (let kill = 0; kill < kills; kill++) done[await round(scene)]++
    await settle(scene)
    const result: Result = { store: 'postgres', kills, seed, done, ...(await sums(scene)) }
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
    const troubles = [...judge(result), ...scene.payers.flatMap((payer) => payer.troubles)]
    const counted = await countedInAll(scene.database)
    if (counted !== BigInt(result.claimed)) {
      troubles.push(`${result.claimed} claimed, but the processes have counted ${counted}`)
    }
    for (const trouble of troubles) process.stderr.write(`torture receiver: ${trouble}\n`)
    await Promise.all(scene.places.map(({ running }) => running.stop()))
    for (const { way } of scene.places) way.close()
    await scene.database.close()
    return troubles.length === 0 ? 0 : 1
  } finally {
    await chain.close()
    await server.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Given {
  readonly chain: EmbeddedChain
  readonly server: PostgresServer
  readonly folder: string
  readonly seed: number
}

async function setUp({ chain, server, folder, seed }: Given): Promise<Scene> {
  const name = await server.createDatabase()
  const settings = { ...parsePostgresUrl(server.url(name)), tls: {} }
  const database = await connectDatabase(settings)
  const { channels, receiver } = await openTorturedChannels(chain, price)
  const options = (state: string, way: Way): ProcessOptions => ({
    ...{ ...receiver, price, state, database: way.settings },
    // So that there is always something for the leader to send.
    ...{ pollInterval: 100, settlement: { withdraw: { least: 100n * price } } },
  })
  const places: Place[] = []
  for (let at = 0; at < receivers; at++) {
    const state = join(folder, `receiver-${at}`)
    await mkdir(state, { mode: 0o700 })
    const [first] = places
    // All answer bound requests.
    if (first) await copyFile(join(first.options.state, 'request-key'), join(state, 'request-key'))
    const way = await openWay(server, name)
    const own = options(state, way)
    places.push({ options: own, way, running: await startTortured(own) })
  }
  // Of channels older than its state EIP-712 proofs are taken bound only.
  const payers = await channels({ mayBeAway: true })
  await untilRead(database, payers.length)
  const scene = { server, database, places, payers, random: seededRandom(seed) }
  for (const payer of payers) await payer.bind(urlOf(scene)())
  return scene
}

/** All channels may pay. */
async function untilRead({ query }: Database, channels: number): Promise<void> {
  for (;;) {
    const open = await query('SELECT FROM ledger WHERE open AND ceiling > 0')
    if (open.length === channels) return
    await setTimeout(50)
  }
}

/** One harm under load, and what it takes to serve again. */
async function round(scene: Scene): Promise<Harm> {
  const { payers, places, random } = scene
  await retryAll(scene)
  const harm = harms[Math.floor(random() * harms.length)] ?? 'receiver'
  const at = Math.floor(random() * receivers)
  const place = places[at]
  if (place === undefined) throw new Error('no such receiver')
  const how = random() < 0.5 ? 'late' : 'lost'
  const moment = random() * 300
  let isMended = false
  // All go on for a while with what is left.
  const mended = setTimeout(moment)
    .then(() => suffer(scene, { harm, place, how }))
    .then(() => setTimeout(moment))
    .then(() => {
      isMended = true
    })
  const url = urlOf(scene)
  await Promise.all([mended, ...payers.map((payer) => payer.payUntilGone(url, () => isMended))])
  if (harm === 'receiver') place.running = await startTortured(place.options)
  return harm
}

interface Harmed {
  readonly harm: Harm
  readonly place: Place
  readonly how: 'late' | 'lost'
}

/** Longer than a lease holds, so that another one leads. */
const longCut = 4000

async function suffer({ server }: Scene, { harm, place, how }: Harmed): Promise<void> {
  if (harm === 'receiver') await place.running.kill()
  else if (harm === 'partition') {
    place.way.cut()
    await setTimeout(longCut)
    place.way.heal(how)
  } else {
    await (harm === 'database' ? server.kill() : server.stop())
    await server.start()
  }
}

/** Any of them. */
function urlOf({ places, random }: Pick<Scene, 'places' | 'random'>): () => string {
  return () => `${places[Math.floor(random() * receivers)]?.running.base}/paid`
}

/** What was not answered, and something that was: by another request it must not be served. */
async function retryAll(scene: Scene): Promise<void> {
  const { payers, random } = scene
  await Promise.all(
    payers.map((payer) => {
      const all = [...payer.served]
      const some = Array.from({ length: 3 }, () => all[Math.floor(random() * all.length)])
      return payer.retry(
        urlOf(scene),
        some.filter((balance) => balance !== undefined),
      )
    }),
  )
}

/** Until everybody knows what became of everything. */
async function settle(scene: Scene): Promise<void> {
  const { payers } = scene
  do await retryAll(scene)
  while (payers.some(({ waiting }) => waiting() > 0))
}

async function sums({ database, payers }: Scene) {
  const count = (of: (payer: Payer) => number) => payers.reduce((all, payer) => all + of(payer), 0)
  const lost = (hasName: boolean) =>
    count(({ channel, lost }) => ((channel.named !== 'not at all') === hasName ? lost.size : 0))
  const [led] = await database.query<{ terms: bigint; transactions: bigint }>(
    'SELECT epoch AS terms, (SELECT count(*) FROM tx) AS transactions FROM leader',
  )
  return {
    served: count(({ served }) => served.size) * Number(price),
    claimed: Number(await claimedInAll(database)),
    lostWithoutName: lost(false) * Number(price),
    lost: lost(true) * Number(price),
    paidTwice: count(({ servedTwice }) => servedTwice.size),
    terms: Number(led?.terms ?? 0n),
    transactions: Number(led?.transactions ?? 0n),
    ...countProofs(payers.flatMap(({ ways }) => ways)),
  }
}

function judge(result: Result): string[] {
  const { served, claimed, lost, lostWithoutName, paidTwice } = result
  return [
    ...judgeProofs(result),
    ...(paidTwice === 0 ? [] : [`${paidTwice} balances paid twice`]),
    ...(lost === 0 ? [] : [`${lost} lost of what was asked with a name`]),
    ...(served + lost + lostWithoutName === claimed
      ? []
      : [`${served} served, ${lost + lostWithoutName} lost, but ${claimed} claimed`]),
    ...(served > 0 ? [] : ['nothing was served']),
  ]
}

function describe(result: Result): string {
  const { kills, seed, done, served, claimed, lost, lostWithoutName, paidTwice } = result
  const harm = Object.entries(done).map(([name, times]) => `${name} ${times}`)
  return [
    `${kills} harms (${harm.join(', ')}), seed ${seed}; ${result.terms} terms, ${result.transactions} transactions`,
    `served ${served}, claimed ${claimed}, lost answers ${lostWithoutName}; of bound or keyed requests ${lost}`,
    `paid twice ${paidTwice}; ${describeProofs(result)}`,
    '',
  ].join('\n')
}
