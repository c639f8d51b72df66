// Requests by hour and resource: counted exactly, bounded, kept over a restart.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  added,
  type Counts,
  decodeHours,
  encodeHours,
  type Hours,
  listed,
  nothing,
} from '../../../receiver/income/traffic.ts'
import { mostDays, recordTraffic } from '../../../receiver/income/traffic-recorder.ts'
import { givenChannel } from '../../support/channel.ts'
import { temporaryFolder } from '../../support/folder.ts'

const hour = 3_600_000
const day = 24 * hour

async function given(t: ExecutionContext) {
  const folder = join(await temporaryFolder(t), 'traffic')
  const clock = { now: 40 * day }
  const errors: unknown[] = []
  const open = () =>
    recordTraffic({
      folder,
      now: () => clock.now,
      interval: 1_000_000_000,
      onError: (error) => errors.push(error),
    })
  return { folder, clock, open, errors }
}

test('what costs nothing to ask is written once in sixty intervals, what was paid at the next', async (t) => {
  const { folder, open } = await given(t)
  const file = join(folder, '1970-02-10.json')
  const written = () => readFile(file, 'utf8').catch(() => undefined)
  const traffic = open()
  t.teardown(traffic.stop)
  const lookAt = async (path: string, kind: 'refused' | 'repeated', times: number) => {
    for (let at = 0; at < times; at++) {
      traffic.count(path, kind === 'refused' ? { kind, code: 'payment_required' } : { kind })
      await traffic.look()
    }
  }
  await lookAt('/a', 'refused', 30)
  await lookAt('/a', 'repeated', 29)
  t.is(await written(), undefined)
  await lookAt('/a', 'refused', 1)
  const first = await written()
  t.true(first?.includes('"payment_required":31'))
  await lookAt('/b', 'refused', 59)
  t.is(await written(), first)
  traffic.count('/c', { kind: 'failed', income: 5n })
  await traffic.look()
  t.true((await written())?.includes('"/b"'))
  const second = await written()
  await lookAt('/b', 'repeated', 59)
  t.is(await written(), second)
})

test('hours and days have what was paid, failed, repeated and refused, over a restart', async (t) => {
  const { folder, clock, open } = await given(t)
  const first = open()
  first.count('/a', { kind: 'paid', income: 5n })
  first.count('/a', { kind: 'paid', income: 7n })
  first.count('/a', { kind: 'failed', income: 5n })
  first.count('/b', { kind: 'refused', code: 'payment_required' })
  first.count('/a', { kind: 'given back', income: 7n })
  clock.now += hour
  first.count('/a', { kind: 'repeated' })
  await first.stop()
  t.is((await stat(join(folder, '1970-02-10.json'))).mode & 0o777, 0o600)
  const second = open()
  t.teardown(second.stop)
  second.count('/b', { kind: 'refused', code: 'payment_required' })
  const start = (40 * day) / 1000
  const a = { start, path: '/a' }
  t.deepEqual(await second.counts('hour', 2), [
    { ...a, paid: 1, income: 5n, failed: 2, repeated: 0, refused: {} },
    { ...nothing, start, path: '/b', refused: { payment_required: 1 } },
    { ...nothing, ...a, start: start + 3600, repeated: 1 },
    { ...nothing, start: start + 3600, path: '/b', refused: { payment_required: 1 } },
  ])
  t.deepEqual(await second.counts('day', 1), [
    { ...a, paid: 1, income: 5n, failed: 2, repeated: 1, refused: {} },
    { ...nothing, start, path: '/b', refused: { payment_required: 2 } },
  ])
  clock.now += 2 * day
  t.deepEqual(await second.counts('day', 2), [])
})

test('a disk that takes nothing costs nothing that was counted, once it takes it', async (t) => {
  const { folder, open, errors } = await given(t)
  await writeFile(folder, 'a file is in the way')
  const traffic = open()
  traffic.count('/a', { kind: 'paid', income: 5n })
  await traffic.stop()
  t.is(errors.length, 1)
  t.like(await traffic.counts('day', 1), [{ path: '/a', income: 5n }])
})

test('a damaged file is none; 400 days are the most', async (t) => {
  const { folder, clock, open } = await given(t)
  await mkdir(folder)
  await writeFile(join(folder, '1970-02-10.json'), '{ "hours')
  for (let at = 0; at < mostDays + 3; at++) {
    const name = new Date((50 + at) * day).toISOString().slice(0, 10)
    await writeFile(join(folder, `${name}.json`), encodeHours(new Map()))
  }
  await writeFile(join(folder, 'notes.txt'), 'of somebody else')
  clock.now = (50 + mostDays + 3) * day
  const traffic = open()
  traffic.count('/a', { kind: 'paid', income: 1n })
  await traffic.stop()
  const names = await readdir(folder)
  t.is(names.filter((name) => name.endsWith('.json')).length, mostDays)
  t.true(names.includes('notes.txt'))
  t.false(names.includes('1970-02-10.json'))
})

const counts: fc.Arbitrary<Counts> = fc.record({
  paid: fc.nat(1000),
  income: fc.bigInt({ min: 0n, max: 10n ** 30n }),
  failed: fc.nat(1000),
  repeated: fc.nat(1000),
  refused: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.nat(1000)),
})
const hours: fc.Arbitrary<Hours> = fc
  .array(fc.tuple(fc.nat(100), fc.array(fc.tuple(fc.constantFrom('/a', '/b'), counts))))
  .map((all) => new Map(all.map(([at, paths]) => [at * 3600, new Map(paths)])))

test('what is added is in the sums, by hour as by day, and on disk', (t) => {
  const sum = (all: Hours, by: 'hour' | 'day') =>
    listed(all, by, 0).reduce((total, { income }) => total + income, 0n)
  fc.assert(
    fc.property(hours, hours, (a, b) => {
      const both = added(a, b)
      t.is(sum(both, 'hour'), sum(a, 'hour') + sum(b, 'hour'))
      t.is(sum(both, 'day'), sum(both, 'hour'))
      t.deepEqual(listed(decodeHours(encodeHours(both)), 'hour', 0), listed(both, 'hour', 0))
    }),
  )
})

test('however many paths and codes there are, an hour has 64 and 32, and loses none of the sum', (t) => {
  let all: Hours = new Map()
  for (let at = 0; at < 200; at++) {
    const one = { ...nothing, paid: 1, refused: { [`code_${at}`]: 1 } }
    all = added(all, new Map([[0, new Map([[`/${at % 100}`, one]])]]))
  }
  const rows = listed(all, 'day', 0)
  t.is(rows.length, 65)
  t.is(
    rows.reduce((sum, { paid }) => sum + paid, 0),
    200,
  )
  const others = rows.find(({ path }) => path === 'others')
  t.is(Object.keys(others?.refused ?? {}).length, 33)
  t.is(
    Object.values(others?.refused ?? {}).reduce((sum, count) => sum + count, 0),
    others?.paid ?? 0,
  )
})

test('a server tells of what was paid, failed and refused, by the route’s own path', async (t) => {
  const { folder, open } = await given(t)
  const traffic = open()
  t.teardown(traffic.stop)
  let broken = false
  const { pay, headers, base } = await givenChannel(t, {
    server: { traffic },
    resources: [
      { path: '/reading', price: 5n, handler: () => 'well' },
      {
        path: '/part/:name',
        price: 5n,
        handler: (_, reply) => {
          if (broken) throw new Error('broken')
          return reply.cost(2n).send('part')
        },
      },
    ],
  })
  const part = (name: string, balance: bigint) =>
    fetch(`${base}/part/${name}`, { headers: headers(balance) })
  t.is((await fetch(`${base}/reading?a=1`)).status, 402)
  t.is((await pay(5n)).status, 200)
  t.is((await pay(5n)).status, 402)
  t.is((await part('one', 10n)).status, 200)
  broken = true
  t.is((await part('two', 12n)).status, 500)
  t.is((await fetch(`${base}/nowhere`)).status, 404)
  const rows = await traffic.counts('day', 1)
  const { refused, ...reading } = rows.find(({ path }) => path === '/reading') ?? nothing
  t.like(reading, { paid: 1, income: 5n, failed: 0 })
  t.deepEqual(refused.payment_required, 1)
  t.is(
    Object.values(refused).reduce((sum, count) => sum + count, 0),
    2,
  )
  t.like(
    rows.find(({ path }) => path === '/part/:name'),
    { paid: 1, income: 2n, failed: 1 },
  )
  t.is(rows.length, 2)
  await traffic.stop()
  t.regex(await readFile(join(folder, '1970-02-10.json'), 'utf8'), /"\/reading"/)
})
