// ./scripts/torture receiver --store postgres: three paywalls on one PostgreSQL under load, over HTTP. Kills one of
// them, or all of PostgreSQL, at random moments, starts it again, and checks that no balance paid twice and that
// nothing was lost of what was asked with a key. There is no chain in it: the channels are in the state.
import { addressOfKey, fromHex, type Hex } from '../../../protocol/index.ts'
import type { Database } from '../../../receiver/postgres/connection.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import { type PostgresSettings, parsePostgresUrl } from '../../../receiver/postgres/settings.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import {
  claimedInAll,
  countedInAll,
  openChannels,
  type SharedPaywall,
  startSharedPaywall,
} from '../processes/shared-paywall.ts'
import { seededRandom } from '../random/random.ts'
import { createPayer, type Payer } from './payer.ts'

export interface SharedTorture {
  readonly kills: number
  readonly seed: number
  readonly json: boolean
}

interface Result {
  readonly store: 'postgres'
  readonly kills: number
  readonly seed: number
  /** Of the kills, those of the database. */
  readonly databaseKills: number
  /** Sums in the token's smallest unit: what was served at its price, and what has paid by the rows. */
  readonly served: number
  readonly claimed: number
  /** Paid, by a request without a key, for an answer that a kill kept from arriving. */
  readonly lostWithoutKey: number
  readonly lost: number
  /** Balances that were served more than once. */
  readonly paidTwice: number
}

const price = 5n
const receivers = 3
const receiverKey: Hex = `0x${'22'.repeat(32)}`
const receiver = addressOfKey(fromHex(receiverKey))
const domain = { contract: addressOfKey(fromHex(`0x${'33'.repeat(32)}`)), chainId: 31337n }
const names = ['by key', 'by key', 'not at all'] as const

/** The state that is shared, and who serves on it. */
interface Scene {
  readonly server: PostgresServer
  readonly database: Database
  readonly settings: PostgresSettings
  readonly paywalls: SharedPaywall[]
  readonly payers: readonly Payer[]
  readonly random: () => number
}

/** Resolves with the status of the process. */
export async function tortureShared({ kills, seed, json }: SharedTorture): Promise<number> {
  const server = await startPostgres()
  try {
    const scene = await setUp(server, seed)
    let databaseKills = 0
    for (let kill = 0; kill < kills; kill++) if (await round(scene)) databaseKills++
    await settle(scene)
    const result: Result = { store: 'postgres', kills, seed, databaseKills, ...(await sums(scene)) }
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
    const troubles = [...judge(result), ...scene.payers.flatMap((payer) => payer.troubles)]
    const counted = await countedInAll(scene.database)
    if (counted !== BigInt(result.claimed)) {
      troubles.push(`${result.claimed} claimed, but the processes have counted ${counted}`)
    }
    for (const trouble of troubles) process.stderr.write(`torture receiver: ${trouble}\n`)
    await Promise.all(scene.paywalls.map(({ stop }) => stop()))
    await scene.database.close()
    return troubles.length === 0 ? 0 : 1
  } finally {
    await server.remove()
  }
}

async function setUp(server: PostgresServer, seed: number): Promise<Scene> {
  const settings = { ...parsePostgresUrl(server.url(await server.createDatabase())), tls: {} }
  const database = await openDatabase(settings, { ...domain, account: receiver })
  const payers = names.map((named, at) => {
    const key: Hex = `0x${(at + 1).toString(16).padStart(64, '0')}`
    const sender = addressOfKey(fromHex(key))
    const channel = { domain, sender, receiver, openBlock: 7, key, price, named }
    return createPayer({ ...channel, proving: 'signatures', mayBeAway: true })
  })
  await openChannels(
    database,
    payers.map(({ channel }) => channel),
    10n ** 12n,
  )
  const start = () => startSharedPaywall({ settings, domain, key: receiverKey, price })
  const paywalls = await Promise.all(Array.from({ length: receivers }, start))
  return { server, database, settings, paywalls, payers, random: seededRandom(seed) }
}

/** One kill under load, and what it takes to serve again; true when the database was killed. */
async function round(scene: Scene): Promise<boolean> {
  const { server, settings, paywalls, payers, random } = scene
  await retryAll(scene)
  const isDatabase = random() < 0.3
  const at = Math.floor(random() * receivers)
  const killed = new Promise((resolve) => setTimeout(resolve, random() * 150)).then(() =>
    isDatabase ? server.kill() : paywalls[at]?.kill(),
  )
  const url = urlOf(scene)
  await Promise.all(payers.map((payer) => payer.payUntilGone(url)))
  await killed
  if (isDatabase) await server.start()
  else paywalls[at] = await startSharedPaywall({ settings, domain, key: receiverKey, price })
  return isDatabase
}

/** Any of them. */
function urlOf({ paywalls, random }: Scene): () => string {
  return () => `${paywalls[Math.floor(random() * receivers)]?.base}/paid`
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
  const lost = (isKeyed: boolean) =>
    count(({ channel, lost }) => ((channel.named === 'by key') === isKeyed ? lost.size : 0))
  return {
    served: count(({ served }) => served.size) * Number(price),
    claimed: Number(await claimedInAll(database)),
    lostWithoutKey: lost(false) * Number(price),
    lost: lost(true) * Number(price),
    paidTwice: count(({ servedTwice }) => servedTwice.size),
  }
}

function judge({ served, claimed, lost, lostWithoutKey, paidTwice }: Result): string[] {
  return [
    ...(paidTwice === 0 ? [] : [`${paidTwice} balances paid twice`]),
    ...(lost === 0 ? [] : [`${lost} lost of what was asked with a key`]),
    ...(served + lost + lostWithoutKey === claimed
      ? []
      : [`${served} served, ${lost + lostWithoutKey} lost, but ${claimed} claimed`]),
    ...(served > 0 ? [] : ['nothing was served']),
  ]
}

function describe({ kills, seed, databaseKills, ...sums }: Result): string {
  const { served, claimed, lost, lostWithoutKey, paidTwice } = sums
  return [
    `${kills} kills, ${databaseKills} of them of PostgreSQL, seed ${seed}`,
    `served ${served}, claimed ${claimed}, lost answers ${lostWithoutKey}; of keyed requests ${lost}`,
    `paid twice ${paidTwice}`,
    '',
  ].join('\n')
}
