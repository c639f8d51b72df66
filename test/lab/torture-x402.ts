// ./scripts/torture x402: kills an agent at random moments while it buys from a seller that settles on a chain, and
// that loses answers. What the token's events say is what was paid: no request is paid twice for an answer that was
// lost, the agent never counts less as spent than was paid, and its budget is not overrun by a unit.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { addressOfKey, fromHex } from '../../protocol/index.ts'
import { type Dollar, deployDollar } from '../support/dollar.ts'
import { requirements } from '../support/x402-offers.ts'
import { type Offered, openX402Seller, type SellerAnswer } from '../support/x402-seller.ts'
import { startEmbeddedChain } from './chains/embedded-chain.ts'
import { seededRandom } from './random/random.ts'
import { tortureArguments } from './torture/arguments.ts'
import type { BuyingOrders, BuyingReport } from './torture/reports.ts'

const price = 10_000n
/** What the budget has room for once nothing is killed any more. */
const rest = 5n
const loop = fileURLToPath(new URL('./torture/buying-loop.ts', import.meta.url))
const key = `0x${'7d'.repeat(32)}`
const account = addressOfKey(fromHex(key))

const { kills, seed, json } = tortureArguments('x402')
const random = seededRandom(seed)
const troubles: string[] = []
process.exitCode = await torture()

async function torture(): Promise<number> {
  const chain = await startEmbeddedChain()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-torture-'))
  const dollar = await deployDollar(chain)
  await dollar.pay(account, 10n ** 9n)
  const shop = await openShop(dollar)
  try {
    const orders = {
      ...{ key, rpcUrl: chain.rpcUrl, asset: dollar.address, url: shop.url.href },
      store: join(folder, 'agent'),
    }
    const result = await run(orders, dollar, shop)
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
  } finally {
    shop.close()
    await chain.close()
    await rm(folder, { recursive: true, force: true })
  }
  for (const trouble of troubles) process.stderr.write(`torture x402: ${trouble}\n`)
  return troubles.length === 0 ? 0 : 1
}

/** Of each request, the authorizations that it was paid with, and whether an answer got out whole. */
interface Sale {
  readonly settled: Set<string>
  answered: boolean
  again: number
}

type Shop = Awaited<ReturnType<typeof openShop>>

/** Settles before it serves; every fourth answer is lost, before the settlement or after it. */
async function openShop(dollar: Dollar) {
  const sales = new Map<string, Sale>()
  const offer = requirements({
    ...{ network: 'eip155:31337', asset: dollar.address, extra: dollar.domain },
    maxTimeoutSeconds: 3600,
  })
  const underWay = new Set<Promise<unknown>>()
  async function take({ payload, request }: Offered): Promise<SellerAnswer> {
    const sale = sales.get(request.url ?? '') ?? { settled: new Set(), answered: false, again: 0 }
    sales.set(request.url ?? '', sale)
    const { nonce } = payload.authorization
    if (sale.settled.has(nonce)) sale.again++
    const luck = random()
    if (luck < 0.1) return 'lose'
    if (!sale.settled.has(nonce)) {
      // Paid for an answer that had never got out: that is the fault which this looks for.
      if (sale.settled.size > 0 && !sale.answered) troubles.push(`${request.url} is paid twice`)
      await dollar.settle(payload)
      sale.settled.add(nonce)
    }
    if (luck < 0.25) return 'lose'
    sale.answered = true
    return { status: 200, settlement: {} }
  }
  function takes(offered: Offered): Promise<SellerAnswer> {
    const taking = take(offered)
    underWay.add(taking)
    return taking.finally(() => underWay.delete(taking))
  }
  const seller = await openX402Seller({ asks: () => ({ status: 402, accepts: [offer] }), takes })
  const idle = async () => void (await Promise.allSettled(underWay))
  return { ...seller, sales, idle }
}

type Orders = Omit<BuyingOrders, 'total' | 'first'>

async function run(orders: Orders, dollar: Dollar, shop: Shop) {
  const paid = async () => price * BigInt((await dollar.used(account)).length)
  let first = 0
  for (let kill = 0; kill < kills; kill++) {
    const [moment, delay] = [random() < 0.15 ? 'started' : 'asking', random() * 300]
    const after = Math.floor(random() * 4)
    let seen = 0
    const last = await life({ ...orders, total: `${10n ** 9n}`, first }, ({ event }, child) => {
      if (event === moment && (moment === 'started' || seen++ === after)) {
        setTimeout(() => child.kill('SIGKILL'), delay)
      }
    })
    first = last?.request ?? first
    // What was on its way has to come to its end before anything is compared.
    await shop.idle()
  }
  // By an agent that may spend nothing more.
  const idle = await life({ ...orders, total: '0', first }, () => undefined)
  first = idle?.request ?? first
  const counted = BigInt(idle?.counted ?? 0)
  const before = await paid()
  if (counted < before) troubles.push(`${counted} counted as spent, but ${before} paid`)
  const total = counted + rest * price
  const last = await life({ ...orders, total: `${total}`, first }, () => undefined)
  if (last?.event !== 'stopped') troubles.push('the budget has stopped nothing')
  const all = await paid()
  if (all > total) troubles.push(`${all} paid, with a budget of ${total}`)
  const settled = [...shop.sales.values()].reduce((sum, each) => sum + each.settled.size, 0)
  return {
    ...{ kills, seed, requests: shop.sales.size, paid: Number(all), settled },
    ...{ counted: Number(last?.counted ?? 0), budget: Number(total), paidBefore: Number(before) },
    offeredAgain: [...shop.sales.values()].reduce((sum, { again }) => sum + again, 0),
    paidTwice: troubles.filter((text) => text.endsWith('is paid twice')).length,
  }
}

type OnReport = (report: BuyingReport, child: ChildProcess) => void

/** One process from its start to its end. Resolves with its last words. */
async function life(orders: BuyingOrders, onReport: OnReport): Promise<BuyingReport | undefined> {
  const child = spawn(process.execPath, [loop, JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last: BuyingReport | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = JSON.parse(line) as BuyingReport
    onReport(last, child)
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...ended) => resolve(ended))
  })
  if (code !== 0 && signal !== 'SIGKILL') troubles.push(`the loop ended with ${code ?? signal}`)
  return last
}

function describe(result: Awaited<ReturnType<typeof run>>): string {
  const { requests, paid, counted, budget, offeredAgain, paidTwice } = result
  return `${kills} kills, seed ${seed}: ${requests} requests, ${paid} paid by the token's events, ${counted} counted, budget ${budget}; ${offeredAgain} authorizations offered again, ${paidTwice} requests paid twice\n`
}
