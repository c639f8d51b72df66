// What the bench says of the card: the agent's own disk, and nothing of the system's.
import test from 'ava'
import { measureCard } from '../../bench/lib/footprint/card.ts'
import { describe, type Footprint } from '../../bench/lib/footprint/report.ts'
import type { Life } from '../lab/pi-system/pi.ts'
import type { Sale, Shop } from '../lab/torture/shop.ts'

/** A machine in which a minute passes with each sale, and a shop that sells whenever somebody looks. */
function machine(perRun: (run: number) => number) {
  const sale: Sale = { request: 'job', number: 0, time: 0, paidBy: 'tick' }
  const sales: Sale[] = []
  const commands: string[] = []
  let bytes = 500_000
  const shop = {
    rpcUrl: 'http://127.0.0.1:1',
    url: 'http://127.0.0.1:2/reading',
    get sales() {
      sales.push(sale)
      bytes += perRun(sales.length)
      return sales
    },
  }
  const answers: readonly (readonly [RegExp, () => string])[] = [
    [/uptime/, () => `${60 * sales.length}.00 1.00`],
    [/\/io$/, () => `write_bytes: ${7 * bytes}\n`],
  ]
  const life = {
    guest: {
      run: async (command: string) => {
        commands.push(command)
        return answers.find(([pattern]) => pattern.test(command))?.[1]() ?? ''
      },
    },
    written: () => ({ bytes: 1_000_000 * sales.length, writes: 0, flushes: 0 }),
    writtenToState: () => ({ bytes, writes: bytes / 4096, flushes: 0 }),
  }
  return { life: life as unknown as Life, shop: shop as unknown as Shop, commands }
}

test('a day is made from what reached the agent’s disk, synced before it is counted', async (t) => {
  const { life, shop, commands } = machine(() => 4096)
  const { bytes, seconds, systemBytes, megabytesPerDay } = await measureCard(
    life,
    shop,
    'gentle',
    10,
  )
  t.is(bytes / (seconds / 60), 4096)
  t.is(megabytesPerDay, 5.9)
  t.true(systemBytes >= 10_000_000)
  t.is(commands.filter((command) => command === 'sync').length, 2)
})

test('minutes in which nothing was written are not among those that are told', async (t) => {
  const { life, shop } = machine((run) => (run % 4 === 0 ? 8192 : 0))
  const { minutes, bytes } = await measureCard(life, shop, 'careful', 40)
  t.true(minutes.length < 40)
  t.true(minutes.every((each) => each > 0))
  t.true(bytes >= minutes.reduce((sum, each) => sum + each, 0))
})

const written = {
  ...{ seconds: 3600, runs: 60, bytes: 0, writes: 0, flushes: 0, minutes: [] },
  ...{ daemonBytes: 0, systemBytes: 0, startBytes: 0, megabytesPerDay: 0 },
}
const figures: Footprint = {
  idle: written,
  careful: { ...written, megabytesPerDay: 15 },
  gentle: { ...written, megabytesPerDay: 1.01 },
  exposure: 1.1,
}

test('a figure is said to miss its goal above it, and not when it was not measured', (t) => {
  const said = describe(figures)
  t.regex(said, /^written a day, careful +15 MB \(goal 15\)$/m)
  t.regex(said, /^written a day, gentle +1\.01 MB \(goal 1, missed\)$/m)
  t.regex(said, /^idle, resident +- \(goal 62\)$/m)
})
