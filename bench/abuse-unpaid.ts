// ./scripts/bench abuse-unpaid: what requests that nobody pays for cost a receiver, for each kind of
// resource at its worst: processor, memory, disk, requests of the upstream, and what another customer waits
// for his 402 meanwhile.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { Agent, request } from 'undici'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import type { StrangerOrders, StrangerReport } from './lib/abuse/stranger.ts'
import type { UnpaidOrders, UnpaidUsage } from './lib/abuse/unpaid-receiver.ts'

const options = new Command('./scripts/bench abuse-unpaid')
  .option('--requests <n>', 'of each kind', integer(1, 1_000_000), 1000)
  .option('--connections <n>', 'at a time', integer(1, 1000), 16)
  .option('--seconds <n>', 'at the longest for each kind', integer(1, 3600), 60)
  .option('--only <name>', 'kinds with this in their names')
  .option('--json', 'print JSON')
  .parse()
  .opts<{ requests: number; connections: number; seconds: number; only?: string; json?: true }>()

interface Abuse {
  readonly name: string
  readonly path: string
  readonly accept?: string
}

/** Each the worst of its kind that is known. */
const abuses: readonly Abuse[] = [
  { name: 'module, JSON', path: '/module?{n}' },
  { name: 'module, page', path: '/module?{n}', accept: 'text/html' },
  { name: 'files, 2000 folders deep', path: `/files/${'a/'.repeat(2000)}{n}` },
  { name: 'files, one that is there', path: '/files/there.txt?{n}' },
  { name: 'command', path: '/command?{n}' },
  { name: 'upstream', path: `/wiki/${'a'.repeat(8000)}{n}` },
  { name: 'teaser, one page', path: '/api/1/teaser/wiki/page?{n}' },
  { name: 'teaser, many pages', path: '/api/1/teaser/wiki/page{n}' },
  { name: 'teaser, repeating pages', path: '/api/1/teaser/wiki/repeating{n}' },
]

/** 130 kB and 19 000 nodes: the most of which there is a teaser. */
const page = `<h1>Title</h1>${'<p class="x">Some <b>text</b> and a <a href="/wiki/x">link</a>.</p>\n'.repeat(1900)}`

/** 9 kB, of which a parser makes a quarter of a million elements. */
const repeating = `<h1>Title</h1><p>${Array.from({ length: 800 }, (_, n) => `<b a=${n}>`).join('')}${'<p>x'.repeat(300)}`

interface Measured {
  readonly name: string
  readonly asked: number
  readonly statuses: StrangerReport['statuses']
  /** Milliseconds for each request. */
  readonly cpu: number
  /** Share of one processor while it went on. */
  readonly load: number
  readonly peak: number
  readonly written: number
  readonly upstream: number
  /** What the other customer waited, in milliseconds. */
  readonly p50: number
  readonly most: number
  /** Why there is no more to say. */
  readonly ended?: string
}

const here = (name: string) => fileURLToPath(new URL(`./lib/abuse/${name}`, import.meta.url))

function answerOf<Value>(child: ChildProcess): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) => {
      reject(new Error(`the process ended with ${code ?? signal}`))
    }
    child.once('exit', onExit)
    child.once('message', (value) => {
      child.off('exit', onExit)
      resolve(value as Value)
    })
  })
}

/** Another customer: asks for a price every 20 ms, over a connection of his own. */
function customer(base: string) {
  const dispatcher = new Agent({ connections: 1, headersTimeout: 300_000 })
  const waits: number[] = []
  let over = false
  const asking = (async () => {
    while (!over) {
      const began = performance.now()
      try {
        const { body } = await request(`${base}/module`, { dispatcher })
        await body.dump()
      } catch {
        waits.push(Number.POSITIVE_INFINITY)
        return
      }
      waits.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return async () => {
    over = true
    await asking
    await dispatcher.destroy()
    const sorted = waits.sort((a, b) => a - b)
    return { p50: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 }
  }
}

async function measure(abuse: Abuse, orders: UnpaidOrders, asked: () => number): Promise<Measured> {
  const receiver = fork(here('unpaid-receiver.ts'), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  receiver.send(orders)
  const base = await answerOf<string>(receiver)
  const usage = () => {
    receiver.send('usage')
    return answerOf<UnpaidUsage>(receiver)
  }
  await request(`${base}/module`).then(({ body }) => body.dump())
  const before = await usage()
  const upstreamBefore = asked()
  const began = performance.now()
  const endCustomer = customer(base)
  const { accept = '*/*', path } = abuse
  const { requests, connections } = options
  const longest = options.seconds * 1000
  const stranger = fork(here('stranger.ts'))
  stranger.send({ base, path, accept, requests, connections, longest } satisfies StrangerOrders)
  const report = await answerOf<StrangerReport>(stranger)
  const took = performance.now() - began
  const waited = await endCustomer()
  const upstream = asked() - upstreamBefore
  const common = { name: abuse.name, ...report, upstream, ...waited }
  try {
    const { cpu, peak, written } = await usage()
    const spent = cpu - before.cpu
    const shares = { cpu: spent / report.asked, load: spent / took }
    return { ...common, ...shares, peak, written: written - before.written }
  } catch (error) {
    const unknown = { cpu: Number.NaN, load: Number.NaN, peak: Number.NaN, written: Number.NaN }
    return { ...common, ...unknown, ended: (error as Error).message }
  } finally {
    receiver.disconnect()
  }
}

const sold = (upstream: string) => ({
  '/module': { price: '5 units', module: './module.js' },
  '/files/*': { price: '5 units', files: './files' },
  '/command': { price: '5 units', command: ['/bin/sleep', '60'] },
  '/wiki/*': { price: '5 units', upstream, teaser: { show: ['h1'] } },
})

async function measureAll(): Promise<readonly Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-'))
  let asked = 0
  const upstream = createServer(({ url = '' }, response) => {
    asked += 1
    response.setHeader('content-type', 'text/html')
    response.end(url.startsWith('/wiki/repeating') ? repeating : page)
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const chain = await startEmbeddedChain()
  try {
    const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
    const key = chain.accounts[1]?.privateKey ?? '0x'
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const measured: Measured[] = []
    for (const abuse of abuses.filter(({ name }) => name.includes(options.only ?? ''))) {
      const own = join(folder, `${measured.length}`)
      await mkdir(join(own, 'files'), { recursive: true })
      await writeFile(join(own, 'files/there.txt'), 'x'.repeat(1000))
      await writeFile(join(own, 'module.js'), "export const handler = () => 'goods'\n")
      const orders = { key, rpcUrl: chain.rpcUrl, contract, folder: own, resources: sold(url) }
      measured.push(await measure(abuse, orders, () => asked))
      if (!options.json) process.stdout.write(rowOf(measured.at(-1)))
    }
    return measured
  } finally {
    await chain.close()
    upstream.closeAllConnections()
    upstream.close()
    await rm(folder, { recursive: true })
  }
}

const widths = [26, 8, 12, 8, 9, 12, 10, 12, 12]
const line = (cells: readonly string[]) =>
  `${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0))).join('')}\n`

function rowOf(measured: Measured | undefined): string {
  if (measured === undefined) return ''
  const { name, asked, cpu, load, peak, written, upstream, p50, most, statuses, ended } = measured
  const cells = [name, `${asked}`, cpu.toFixed(2), load.toFixed(2), peak.toFixed(0)]
  const more = [`${written >> 10}`, `${upstream}`, p50.toFixed(1), most.toFixed(0)]
  const said = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`)
  return `${line([...cells, ...more]).trimEnd()}  ${ended ?? said.join(', ')}\n`
}

if (!options.json) {
  const head = [
    '',
    'asked',
    'CPU ms each',
    'load',
    'peak MB',
    'disk kB',
    'upstream',
    'other p50 ms',
  ]
  process.stdout.write(line([...head, 'longest ms']))
}
const measured = await measureAll()
if (options.json) process.stdout.write(`${JSON.stringify({ node: process.version, measured })}\n`)
