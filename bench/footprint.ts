// ./scripts/bench footprint: what the package takes of a Pi Zero 2, measured in the emulated one: its size,
// memory, work until it is ready, what it writes to the card, and what it could do if it were taken over.
import { join } from 'node:path'
import { Command } from 'commander'
import { checkout } from '../deploy/pi/packaging/tools.ts'
import { isUraidenError } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { price } from '../test/lab/pi-system/audit.ts'
import { defaultMirror } from '../test/lab/pi-system/base.ts'
import { openScratch } from '../test/lab/pi-system/files.ts'
import { configure, installBuyer, installPackage, makeKey } from '../test/lab/pi-system/install.ts'
import { createPi } from '../test/lab/pi-system/pi.ts'
import { prepare } from '../test/lab/pi-system/prepare.ts'
import { openShop } from '../test/lab/torture/shop.ts'
import { measureCard, measureGentle } from './lib/footprint/card.ts'
import { measureMemory } from './lib/footprint/memory.ts'
import { buildPackages, readPackages } from './lib/footprint/packages.ts'
import { describe, type Footprint } from './lib/footprint/report.ts'
import { countWork } from './lib/footprint/work.ts'

const options = new Command('./scripts/bench footprint')
  .option(
    '--minutes <n>',
    'that writing is measured, with a job and without',
    integer(1, 10_000),
    10,
  )
  .option(
    '--gentle-minutes <n>',
    'in gentle mode; two hours pass between two flushes',
    integer(1, 10_000),
    250,
  )
  .option('--packages <folder>', 'with packages to measure; without it they are built')
  .option('--json', 'print JSON')
  .parse()
  .opts<{ minutes: number; gentleMinutes: number; packages?: string; json?: true }>()
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
  const cache = join(checkout, '.cache/pi-system')
  const built = join(cache, 'small')
  if (options.packages === undefined) {
    say('building the packages: some minutes')
    await buildPackages(built)
  }
  const packages = await readPackages(options.packages ?? built)
  const { base, deb } = await prepare({ cache, mirror: defaultMirror, deb: packages.deb, say })
  const { folder, remove } = await openScratch()
  const shop = await openShop(price, 10n ** 9n)
  try {
    await makeOld(shop.rpcUrl)
    const pi = await createPi(base, folder)
    const life = await pi.boot()
    const { guest } = life
    await guest.reached()
    say('installing the package')
    await installPackage(guest, deb)
    await shop.fund(await makeKey(guest), 10n ** 9n)
    await configure(guest, shop, '0 * * * * *')
    await installBuyer(guest)
    say('memory')
    const memory = await measureMemory(guest, shop)
    const exposure = await exposureOf(guest.run)
    say(
      `what is written to the card, ${options.minutes} minutes with a job and ${options.minutes} without`,
    )
    const card = await measureCard(life, shop, options.minutes * 60)
    const { gentleMinutes } = options
    if (gentleMinutes > 0) say(`the same with card: gentle, ${gentleMinutes} minutes`)
    const gentle =
      gentleMinutes > 0 ? await measureGentle(life, shop, gentleMinutes * 60) : undefined
    await life.powerOff()
    say('counting instructions')
    const work = await countWork(pi)
    return {
      packageMB: packages.megabytes,
      memory,
      work,
      card,
      ...(gentle && { gentle }),
      exposure,
    }
  } finally {
    await shop.close()
    remove()
  }
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
