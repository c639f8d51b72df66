// ./scripts/bench footprint: what the package takes of a Pi Zero 2, measured in the emulated one: its size,
// memory, work until it is ready, what it writes to the card, and what it could do if it were taken over.
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { checkout } from '../deploy/pi/packaging/tools.ts'
import { isUraidenError } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { price } from '../test/lab/pi-system/audit.ts'
import { defaultMirror } from '../test/lab/pi-system/base.ts'
import { openScratch } from '../test/lab/pi-system/files.ts'
import { configure, installBuyer, installPackage, makeKey } from '../test/lab/pi-system/install.ts'
import { createPi, type Pi } from '../test/lab/pi-system/pi.ts'
import { prepare } from '../test/lab/pi-system/prepare.ts'
import { openShop, type Shop } from '../test/lab/torture/shop.ts'
import { measureCard, measureIdle, mountState, stateLabel } from './lib/footprint/card.ts'
import { measureMemory } from './lib/footprint/memory.ts'
import { buildPackages, type Packages, readPackages } from './lib/footprint/packages.ts'
import { describe, type Footprint } from './lib/footprint/report.ts'
import { countWork } from './lib/footprint/work.ts'

interface Options {
  readonly minutes: number
  readonly gentleMinutes: number
  readonly onlyCard?: true
  readonly packages?: string
  readonly cache: string
  readonly json?: true
}

const options = new Command('./scripts/bench footprint')
  .option(
    '--minutes <n>',
    'of the machine that writing is measured, with a job and without',
    integer(1, 10_000),
    60,
  )
  .option(
    '--gentle-minutes <n>',
    'in gentle mode; two hours pass between two flushes',
    integer(1, 10_000),
    240,
  )
  .option('--only-card', 'measure writing alone')
  .option('--packages <folder>', 'with packages to measure; without it they are built')
  .option('--cache <folder>', 'where the Debian system is kept', join(checkout, '.cache/pi-system'))
  .option('--json', 'print JSON')
  .parse()
  .opts<Options>()
const say = (line: string) => process.stderr.write(`${line}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

try {
  const result = await measure()
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result))
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`footprint: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function measure(): Promise<Footprint> {
  const { onlyCard } = options
  const cache = resolve(options.cache)
  const packages = await packagesIn(cache)
  const { base, deb } = await prepare({ cache, mirror: defaultMirror, deb: packages?.deb, say })
  const { folder, remove } = await openScratch()
  const shop = await openShop(price, 10n ** 9n)
  try {
    await makeOld(shop.rpcUrl)
    const pi = await createPi(base, folder, { stateDisk: stateLabel })
    const life = await pi.boot()
    const { guest } = life
    await guest.reached()
    say('installing the package')
    await mountState(guest)
    await installPackage(guest, deb)
    await shop.fund(await makeKey(guest), 10n ** 9n)
    await configure(guest, shop, '0 * * * * *')
    await installBuyer(guest)
    if (!onlyCard) say('memory')
    const memory = onlyCard ? await opened(shop) : await measureMemory(guest, shop)
    const exposure = await exposureOf(guest.run)
    await life.powerOff()
    const written = await measureWriting(pi, shop, options)
    if (!onlyCard) say('counting instructions')
    const work = onlyCard ? undefined : await countWork(pi)
    return {
      ...(packages && { packageMB: packages.megabytes }),
      ...(memory && { memory }),
      ...(work && { work }),
      ...written,
      exposure,
    }
  } finally {
    await shop.close()
    remove()
  }
}

/** Undefined where their size is not asked for: then one is built that is not packed as small. */
async function packagesIn(cache: string): Promise<Packages | undefined> {
  if (options.packages !== undefined) return readPackages(resolve(options.packages))
  if (options.onlyCard) return undefined
  const built = join(cache, 'small')
  say('building the packages: some minutes')
  await buildPackages(built)
  return readPackages(built)
}

/** A life of its own, whose clock skips what it waits. */
async function measureWriting(pi: Pi, shop: Shop, { minutes, gentleMinutes }: Options) {
  const life = await pi.boot({ skipIdle: true })
  await life.guest.reached()
  say(`what is written to the agent's disk in ${minutes} minutes without a job`)
  const idle = await measureIdle(life, shop, minutes * 60)
  say(`the same with a job a minute, careful, ${minutes} minutes`)
  const careful = await measureCard(life, shop, 'careful', minutes)
  say(`the same with card: gentle, ${gentleMinutes} minutes`)
  const gentle = await measureCard(life, shop, 'gentle', gentleMinutes)
  await life.powerOff()
  return { idle, careful, gentle }
}

/** The channel is open. */
async function opened(shop: Shop): Promise<undefined> {
  while (shop.sales.length === 0) await new Promise((resolve) => setTimeout(resolve, 200))
}

/** As the chains that people use: of a young one the agent asks at each start how long its blocks take. */
async function makeOld(rpcUrl: string): Promise<void> {
  const [blocks, secondsEach] = ['0x2710', '0xc']
  const call = { jsonrpc: '2.0', id: 1, method: 'hardhat_mine', params: [blocks, secondsEach] }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(rpcUrl, { method: 'POST', headers, body: JSON.stringify(call) })
  if (!answer.ok) throw new Error(`the chain does not grow old: ${answer.status}`)
}

async function exposureOf(run: (command: string) => Promise<string>): Promise<number> {
  const said = await run('systemd-analyze security --no-pager uraiden-agent.service')
  return Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(said)?.[1])
}
