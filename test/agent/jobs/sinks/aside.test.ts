// Careful with a file in memory: what is gone again at once never gets onto the card.
import { copyFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import {
  type OutboxStorage,
  openOutboxStorage,
  openPrefix,
  queuePrefix,
} from '../../../../agent/jobs/sinks/storage.ts'
import { crashCopy, temporaryFolder } from '../../../support/folder.ts'
import { owner } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

/** In milliseconds: one in which nothing is due while a test runs. */
const never = 3_600_000

async function given(t: ExecutionContext, syncInterval: number) {
  const folder = await temporaryFolder(t)
  const card = join(folder, 'card')
  const aside = join(folder, 'memory')
  const open = (at = card, memory = aside) =>
    openOutboxStorage({ folder: at, owner, syncInterval, aside: memory })
  const storage = await open()
  await storage.write([put('job/other')], 'lazily')
  await storage.flush()
  let copies = 0
  return {
    storage,
    card,
    /** What a next start finds after a kill; after a power cut without what is in memory. */
    found: async (crash: 'kill' | 'power cut') => {
      const copy = await crashCopy(card, join(folder, `copy${copies++}`))
      const memory = join(folder, `memory${copies++}`)
      if (crash === 'kill') await copyFile(aside, memory)
      const again = await open(copy, memory)
      const keys = await keysOf(again)
      await again.close()
      return keys
    },
  }
}

async function keysOf(storage: OutboxStorage): Promise<readonly string[]> {
  const keys: string[] = []
  for (const prefix of [openPrefix, queuePrefix, 'job/']) {
    for await (const [key] of storage.records(prefix)) keys.push(key)
  }
  return keys
}

const put = (key: string) => ({ type: 'put', key, value: '{}' }) as const
const del = (key: string) => ({ type: 'del', key }) as const

/** What a run of a job leaves, with a sink that takes everything at once. */
function run(storage: OutboxStorage, number: number): Promise<void> {
  const [open, queue] = [`open/${number}`, `queue/a/${number}`]
  return storage.write([put(open), put(queue), del(open), put('job/a'), del(queue)], 'soon')
}

async function written(card: string): Promise<string> {
  const names = (await readdir(card)).sort()
  const states = names.map(async (name) => {
    const { size, mtimeMs } = await stat(join(card, name))
    return `${name} ${size} ${mtimeMs}`
  })
  return (await Promise.all(states)).join()
}

test('runs whose bodies arrive write nothing to the card, and a kill forgets nothing of them', async (t) => {
  const { storage, card, found } = await given(t, 20)
  const before = await written(card)
  for (let number = 0; number < 5; number++) await run(storage, number)
  // It is looked several times whether anything is to be written.
  await sleep(60)
  t.is(await written(card), before)
  t.deepEqual(await found('power cut'), ['job/other'])
  t.deepEqual(await found('kill'), ['job/a', 'job/other'])
  await storage.close()
})

test('a kill loses nothing, a power cut the last interval', async (t) => {
  const { storage, found } = await given(t, never)
  await storage.write([put('open/1')], 'lazily')
  await storage.flush()
  await storage.write([del('open/1'), put('queue/a/1')], 'soon')
  t.deepEqual(await found('power cut'), ['open/1', 'job/other'])
  t.deepEqual(await found('kill'), ['queue/a/1', 'job/other'])
  await storage.close()
})

for (const [what, key] of [
  ['a body that no sink takes', 'queue/a/1'],
  ['a payment that gets no answer', 'open/1'],
] as const) {
  test(`${what} is on the card an interval later, and gone from it an interval after its end`, async (t) => {
    const { storage, found } = await given(t, 20)
    await storage.write([put(key)], 'lazily')
    await until(async () => (await found('power cut')).includes(key) || undefined)
    await storage.write([del(key)], 'lazily')
    await until(async () => !(await found('power cut')).includes(key) || undefined)
    await storage.close()
    t.pass()
  })
}

test('a pause is on the card an interval later, a last run when sixty are over', async (t) => {
  const asked = await given(t, 20)
  await asked.storage.write([put('job/a')], 'soon')
  await until(async () => (await asked.found('power cut')).includes('job/a') || undefined)
  await asked.storage.close()
  const lasting = await given(t, 20)
  await lasting.storage.flush()
  const began = performance.now()
  await lasting.storage.write([put('job/a')], 'lazily')
  await until(async () => (await lasting.found('power cut')).includes('job/a') || undefined)
  t.true(performance.now() - began >= 1000)
  await lasting.storage.close()
})
