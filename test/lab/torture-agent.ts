// ./scripts/torture agent: kills a paying agent at random moments, starts it again, and checks that
// receiver and agent agree to the unit: nothing served is unpaid, nothing is paid twice, and what the
// agent counts as spent is never below what the receiver has, and at most one reservation above. With
// `--card gentle` every other kill is a power cut: it takes what has been kept in memory.
import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { seededRandom } from './random/random.ts'
import { tortureArguments } from './torture/arguments.ts'
import { countProofs, describeProofs, judgeProofs } from './torture/paid-by.ts'
import type { LoopOrders, LoopReport, PayingSums } from './torture/reports.ts'
import { openShop, type Shop } from './torture/shop.ts'

const price = 5n
const reservation = 16
const loop = fileURLToPath(new URL('./torture/paying-loop.ts', import.meta.url))

interface Result extends PayingSums {
  readonly kills: number
  /** Of them those that took the memory, too. */
  readonly powerCuts: number
}

const { kills, seed, json, card } = tortureArguments('agent')
process.exitCode = await torture()

async function torture(): Promise<number> {
  const shop = await openShop(price, 10n ** 9n)
  const troubles: string[] = []
  try {
    const result = await run(shop, troubles)
    troubles.push(...judge(result))
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
  } finally {
    await shop.close()
  }
  for (const trouble of troubles) process.stderr.write(`torture agent: ${trouble}\n`)
  return troubles.length === 0 ? 0 : 1
}

async function run(shop: Shop, troubles: string[]): Promise<Result> {
  const random = seededRandom(seed)
  // The first life opens the channel and is not disturbed.
  await life(shop, troubles, ({ event }, child) => {
    if (event === 'paying') child.stdin?.write('stop\n')
  })
  let cuts = 0
  for (let kill = 0; kill < kills; kill++) {
    // Sometimes while it starts and asks where the channel stands, mostly while it pays.
    const moment = random() < 0.2 ? 'started' : 'paying'
    const delay = random() * 150
    await life(shop, troubles, ({ event }, child) => {
      if (event === moment) setTimeout(() => child.kill('SIGKILL'), delay)
    })
    if (card === 'gentle' && random() < 0.5) {
      await rm(spoolOf(shop), { force: true })
      cuts++
    }
  }
  const last = await life(shop, troubles, ({ event }, child) => {
    if (event === 'paying') child.stdin?.write('stop\n')
  })
  const claimed = shop.claimed()
  const signed = BigInt(last?.signed ?? 0)
  const counts = [...shop.served.values()]
  return {
    kills,
    powerCuts: cuts,
    seed,
    served: counts.reduce((sum, count) => sum + count, 0) * Number(price),
    claimed: Number(claimed),
    signed: Number(signed),
    reserved: Number(last?.reserved ?? 0),
    lost: Number(signed - claimed),
    paidTwice: counts.filter((count) => count > 1).length,
    ...countProofs(shop.sales.map(({ paidBy }) => paidBy)),
  }
}

type OnReport = (report: LoopReport, child: ChildProcess) => void

/** One process from its start to its end. Resolves with its last words. */
async function life(
  shop: Shop,
  troubles: string[],
  onReport: OnReport,
): Promise<LoopReport | undefined> {
  const child = spawn(process.execPath, [loop, JSON.stringify(ordersFor(shop))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let last: LoopReport | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = JSON.parse(line) as LoopReport
    if (last.event === 'started') troubles.push(...compare(shop.claimed(), BigInt(last.reserved)))
    onReport(last, child)
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...ended) => resolve(ended))
  })
  if (code !== 0 && signal !== 'SIGKILL')
    troubles.push(`the paying loop ended with ${code ?? signal}`)
  return last
}

/** After each crash, before the receiver was asked. */
function compare(claimed: bigint, reserved: bigint): readonly string[] {
  const most = claimed + price * BigInt(reservation + 1)
  if (reserved < claimed) return [`${reserved} counted as spent, but ${claimed} claimed`]
  if (reserved > most)
    return [`${reserved} counted as spent, more than a reservation over ${claimed}`]
  return []
}

function judge(result: Result): readonly string[] {
  const { served, claimed, signed, reserved, paidTwice } = result
  return [
    ...judgeProofs(result),
    ...(served === claimed ? [] : [`${served} served, but ${claimed} claimed`]),
    ...(signed >= claimed ? [] : [`${signed} signed, but ${claimed} claimed`]),
    ...(reserved <= claimed + Number(price) * reservation ? [] : [`${reserved} counted as spent`]),
    ...(paidTwice === 0 ? [] : [`${paidTwice} requests paid more than once`]),
  ]
}

function ordersFor(shop: Shop): LoopOrders {
  return {
    key: shop.senderKey,
    rpcUrl: shop.rpcUrl,
    chainId: shop.chainId.toString(),
    contract: shop.contract,
    store: join(shop.folder, 'agent'),
    ...(card === 'gentle' && { spool: spoolOf(shop) }),
    url: shop.url,
    reservation,
    deposit: '100000000',
  }
}

function spoolOf({ folder }: Shop): string {
  return join(folder, 'agent.spool')
}

function describe(result: Result): string {
  const { served, claimed, signed, reserved, lost, paidTwice } = result
  return [
    `${result.kills} kills, ${result.powerCuts} of them power cuts, seed ${result.seed}`,
    `served ${served}, claimed ${claimed}, signed ${signed}, reserved ${reserved}`,
    `lost ${lost}, paid twice ${paidTwice}; ${describeProofs(result)}`,
    '',
  ].join('\n')
}
