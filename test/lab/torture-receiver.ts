// ./scripts/torture receiver: kills a receiver under load at random moments, starts it again, and
// checks that no request was served whose proof is not on disk, and that no balance paid twice.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SignatureDomain } from '../../protocol/index.ts'
import { type EmbeddedChain, startEmbeddedChain } from './chains/embedded-chain.ts'
import type { ProcessOptions } from './processes/receiver-process.ts'
import { seededRandom } from './random/random.ts'
import { tortureArguments } from './torture/arguments.ts'
import { countProofs, describeProofs, judgeProofs, type ProofCounts } from './torture/paid-by.ts'
import type { Payer } from './torture/payer.ts'
import { readDisk } from './torture/receiver-disk.ts'
import { openTorturedChannels, startTortured } from './torture/receivers.ts'
import { tortureShared } from './torture/shared.ts'

const price = 5n

interface Result extends ProofCounts {
  readonly kills: number
  readonly seed: number
  /** What was served, at its price. */
  readonly served: number
  /** What has paid, by what is on disk. */
  readonly claimed: number
  /** Paid, by a request without a name, for an answer that a kill kept from arriving. */
  readonly lost: number
  /** The same of requests that have one: by their `Idempotency-Key`, or bound. */
  readonly lostWithName: number
  /** Served requests whose proof was not on disk after a kill. */
  readonly unproven: number
  /** Balances that were served more than once. */
  readonly paidTwice: number
}

const { kills, seed, json, store } = tortureArguments('receiver')
process.exitCode = await (store === 'postgres' ? tortureShared({ kills, seed, json }) : torture())

async function torture(): Promise<number> {
  const chain = await startEmbeddedChain()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-torture-'))
  try {
    const { options, domain, payers } = await setUp(chain, join(folder, 'receiver'))
    const { result, troubles } = await run(options, domain, payers)
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
    const all = [...troubles, ...judge(result)]
    for (const trouble of all) process.stderr.write(`torture receiver: ${trouble}\n`)
    return all.length === 0 ? 0 : 1
  } finally {
    await chain.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function setUp(chain: EmbeddedChain, state: string) {
  const { channels, domain, receiver } = await openTorturedChannels(chain, price)
  const options: ProcessOptions = { ...receiver, state, price }
  // Of channels older than its state EIP-712 proofs are taken bound only.
  await liveOnce(options)
  return { options, domain, payers: await channels() }
}

async function run(options: ProcessOptions, domain: SignatureDomain, payers: readonly Payer[]) {
  const random = seededRandom(seed)
  const troubles: string[] = []
  let unproven = 0
  let claimed = 0n
  const look = async () => {
    const disk = await readDisk(options.state, domain, payers)
    unproven += disk.unproven
    if (disk.claimed < claimed) troubles.push(`${disk.claimed} claimed, after ${claimed}`)
    claimed = disk.claimed
    troubles.push(...disk.troubles)
  }
  await bindAll(options, payers)
  for (let kill = 0; kill < kills; kill++) {
    const { child, base } = await startTortured(options)
    const url = `${base}/paid`
    await Promise.all(payers.map((payer) => payer.retry(url, someOf(payer.served, random))))
    setTimeout(() => child.kill('SIGKILL'), random() * 150)
    await Promise.all(payers.map((payer) => payer.payUntilGone(url)))
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await look()
  }
  // The last life settles what the last kill left open.
  const { base, stop } = await startTortured(options)
  await Promise.all(
    payers.map((payer) => payer.retry(`${base}/paid`, someOf(payer.served, random))),
  )
  await stop()
  await look()
  const result = resultOf(payers, { claimed: Number(claimed), unproven })
  return { result, troubles: [...troubles, ...payers.flatMap((payer) => payer.troubles)] }
}

/** In a life of its own: the keys are on disk when it ends. */
async function bindAll(options: ProcessOptions, payers: readonly Payer[]): Promise<void> {
  await liveOnce(options, async (url) => {
    for (const payer of payers) await payer.bind(url)
  })
}

async function liveOnce(
  options: ProcessOptions,
  use: (url: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { base, stop } = await startTortured(options)
  await use(`${base}/paid`)
  await stop()
}

function resultOf(payers: readonly Payer[], found: Pick<Result, 'claimed' | 'unproven'>): Result {
  const count = (of: (payer: Payer) => number) =>
    payers.reduce((total, payer) => total + of(payer), 0)
  const lost = (isNamed: boolean) =>
    count((payer) => ((payer.channel.named !== 'not at all') === isNamed ? payer.lost.size : 0))
  return {
    kills,
    seed,
    served: count(({ served }) => served.size) * Number(price),
    lost: lost(false) * Number(price),
    lostWithName: lost(true) * Number(price),
    ...found,
    paidTwice: count(({ servedTwice }) => servedTwice.size),
    ...countProofs(payers.flatMap(({ ways }) => ways)),
  }
}

function someOf(served: ReadonlySet<bigint>, random: () => number): readonly bigint[] {
  const all = [...served]
  return Array.from({ length: 3 }, () => all[Math.floor(random() * all.length)]).filter(
    (balance) => balance !== undefined,
  )
}

function judge(result: Result): readonly string[] {
  const { served, claimed, lost, lostWithName, unproven, paidTwice } = result
  return [
    ...judgeProofs(result),
    ...(unproven === 0 ? [] : [`${unproven} requests were served without their proof on disk`]),
    ...(paidTwice === 0 ? [] : [`${paidTwice} balances paid twice`]),
    ...(lostWithName === 0 ? [] : [`${lostWithName} lost by requests that have a name`]),
    ...(served + lost + lostWithName === claimed
      ? []
      : [`${served} served, ${lost + lostWithName} lost, but ${claimed} claimed`]),
    ...(served > 0 ? [] : ['nothing was served']),
  ]
}

function describe(result: Result): string {
  const { served, claimed, lost, lostWithName, unproven, paidTwice } = result
  return [
    `${kills} kills, seed ${seed}`,
    `served ${served}, claimed ${claimed}, lost answers ${lost}; of bound or keyed requests ${lostWithName}`,
    `without proof ${unproven}, paid twice ${paidTwice}; ${describeProofs(result)}`,
    '',
  ].join('\n')
}
