import { copyFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Level } from 'level'
import {
  openSpooledState,
  type SpoolCopy,
  type SpooledState,
} from '../../../platform/state/spool.ts'
import { openState, type StateOperation } from '../../../platform/state/state.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { failNextBatch } from '../../support/failing-level.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'

const account = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account }

interface Place {
  readonly card: string
  readonly spool: string
}

async function place(t: ExecutionContext): Promise<Place> {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'run'))
  return { card: join(folder, 'card'), spool: join(folder, 'run', 'spool') }
}

function open(
  { card, spool }: Place,
  { most = 1 << 20, copy }: { readonly most?: number; readonly copy?: unknown } = {},
): Promise<SpooledState> {
  return openSpooledState({
    ...{ folder: card, owner, program: 'agent', format: 1 },
    ...{ spool, fleeting: 'fleeting/', most, copy },
  })
}

/** UTF-16 has the second one first, and the card the first one. */
const unlikeOrders = ['key/\uffee', 'key/\u{1f600}']

function isKey(key: string): boolean {
  return key.startsWith('key/')
}

function put(key: string, value: string): StateOperation {
  return { type: 'put', key, value }
}

function del(key: string): StateOperation {
  return { type: 'del', key }
}

async function all(state: SpooledState, prefix = 'key/'): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const [key, value] of state.records(prefix)) found[key] = value
  const keys = Object.keys(found)
  const values = await state.getMany(keys)
  if (values.some((value, index) => value !== found[keys[index] ?? '']))
    throw new Error('two answers')
  return found
}

/** As a crash leaves both; without the spool when power was cut. */
async function crashed(
  { card, spool }: Place,
  to: string,
  how: 'kill' | 'powerCut',
): Promise<Place> {
  await mkdir(to, { recursive: true })
  const copy = { card: join(to, 'card'), spool: join(to, 'spool') }
  await crashCopy(card, copy.card)
  if (how === 'kill') await copyFile(spool, copy.spool)
  return copy
}

test('what is spooled is there after a kill, and not after a power cut; what is written is there after both', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/card', '1'), put('key/gone', '1')])
  await state.spool([put('key/spool', '2'), del('key/gone')])
  const killed = await open(await crashed(at, `${at.card}-killed`, 'kill'))
  t.deepEqual(await all(killed), { 'key/card': '1', 'key/spool': '2' })
  const cut = await open(await crashed(at, `${at.card}-cut`, 'powerCut'))
  t.deepEqual(await all(cut), { 'key/card': '1', 'key/gone': '1' })
  for (const each of [state, killed, cut]) await each.close()
})

test('a write takes all that was spooled along, and a clean end as well', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([])
  await state.spool([put('key/a', '1')])
  await state.write([put('key/b', '2')])
  const cut = await open(await crashed(at, `${at.card}-cut`, 'powerCut'))
  t.deepEqual(await all(cut), { 'key/a': '1', 'key/b': '2' })
  await cut.close()
  await state.spool([put('key/c', '3')])
  await state.close()
  const again = await open({ ...at, spool: `${at.spool}-other` })
  t.deepEqual(await all(again), { 'key/a': '1', 'key/b': '2', 'key/c': '3' })
  await again.close()
})

test('from its opening on nothing of the card is touched between two flushes', async (t) => {
  const at = await place(t)
  const state = await open(at)
  const written = async () => JSON.stringify(await filesOf(at.card))
  const before = await written()
  for (let number = 0; number < 50; number++) await state.spool([put('key/a', `${number}`)])
  t.is(await written(), before)
  await state.write([])
  t.not(await written(), before)
  await state.close()
})

test('what came and went between two flushes has the card merge no tables', async (t) => {
  const at = await place(t)
  // A table of each.
  for (const value of ['1', '2']) {
    const before = await open(at)
    await before.write(['key/a', 'key/z', ...unlikeOrders].map((key) => put(key, value)))
    await before.close()
  }
  const state = await open(at)
  for (let number = 0; number < 500; number++) {
    await state.spool([put(`key/${number}`, '3')])
    await state.spool([del(`key/${number}`)])
  }
  await state.spool(['key/a', ...unlikeOrders].map(del))
  await state.write([])
  t.deepEqual(await all(state), { 'key/z': '2' })
  t.deepEqual(await state.getMany(unlikeOrders), [undefined, undefined])
  // Which waits for what LevelDB does meanwhile.
  await state.close()
  t.notRegex(await readFile(join(at.card, 'LOG'), 'utf8'), /Compacting/)
})

test('what is deleted goes from the card, however much lies between', async (t) => {
  const at = await place(t)
  const state = await open(at)
  const many = Array.from({ length: 3000 }, (_, number) => put(`key/m${number}`, '1'))
  await state.write([put('key/a', '1'), ...many])
  await state.spool([del('key/a'), del('key/b'), del('key/z')])
  await state.write([])
  await state.spool(many.slice(1).map(({ key }) => del(key)))
  await state.close()
  const again = await open(at)
  t.deepEqual(await all(again), { 'key/m0': '1' })
  await again.close()
})

test('what a kill or a power cut takes before the spool was begun takes nothing else', async (t) => {
  const at = await place(t)
  const first = await open(at)
  await first.write([put('key/a', '1')])
  await first.close()
  const state = await open(at)
  // Named on the card, and no file yet.
  const early = await open(await crashed(at, `${at.card}-early`, 'powerCut'))
  await early.spool([put('key/b', '2')])
  const cut = await open(
    await crashed({ ...at, card: `${at.card}-early/card` }, `${at.card}-cut`, 'powerCut'),
  )
  t.deepEqual(await all(cut), { 'key/a': '1' })
  t.deepEqual(await all(early), { 'key/a': '1', 'key/b': '2' })
  for (const each of [state, early, cut]) await each.close()
})

test('a clean end is one batch: where it fails, all is in the spool, and an older program still refuses', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/a', '1')])
  await state.spool([put('key/b', '2')])
  failNextBatch(at.card)
  await t.throwsAsync(state.close(), { code: 'state_unwritable' })
  t.is(Number(await formatOnCard(at.card)), Number.NaN)
  const again = await open(at)
  t.deepEqual(await all(again), { 'key/a': '1', 'key/b': '2' })
  await again.close()
  t.is(await formatOnCard(at.card), '1')
})

test('a copy brings what the spool had over a power cut, in a shorter spool, and leaves the card alone', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/card', '1'), put('key/gone', '1')])
  for (let number = 0; number < 50; number++) {
    await state.spool([put('key/a', `${number}`), put('key/short', '')])
    await state.spool([del('key/short'), del('key/gone'), put('fleeting/a', '1')])
  }
  const before = JSON.stringify(await filesOf(at.card))
  const { size } = await stat(at.spool)
  const copy = await state.copy(isKey)
  t.true((await stat(at.spool)).size < size / 10)
  t.is(JSON.stringify(await filesOf(at.card)), before)
  const kept = { 'key/a': '49', 'key/card': '1' }
  await state.spool([put('key/b', '1')])
  const killed = await open(await crashed(at, `${at.card}-killed`, 'kill'), { copy })
  t.deepEqual(await all(killed), { ...kept, 'key/b': '1' })
  t.deepEqual(await all(killed, 'fleeting/'), { 'fleeting/a': '1' })
  const place2 = await crashed(at, `${at.card}-cut`, 'powerCut')
  const cut = await open(place2, { copy: JSON.parse(JSON.stringify(copy)) })
  t.deepEqual(await all(cut), kept)
  // It is on the card by now, and needed no more.
  const later = await open(await crashed(place2, `${at.card}-later`, 'powerCut'))
  t.deepEqual(await all(later), kept)
  for (const each of [state, killed, cut, later]) await each.close()
})

test('a copy is not taken over another state of the card: neither an older nor a newer one', async (t) => {
  const at = await place(t)
  const state = await open(at)
  const older = await crashed(at, `${at.card}-older`, 'powerCut')
  await state.write([put('key/a', '1')])
  await state.spool([put('key/a', '2')])
  const copy = await state.copy(isKey)
  await state.write([put('key/a', '3')])
  const newer = await crashed(at, `${at.card}-newer`, 'powerCut')
  for (const [where, expected] of [
    [older, {}],
    [newer, { 'key/a': '3' }],
  ] as const) {
    const opened = await open(where, { copy })
    t.deepEqual(await all(opened), expected)
    await opened.close()
  }
  await state.close()
})

test('a copy has what is meant, and there is none of what goes to the card at once', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/a', '1'), put('other/a', '1')])
  await state.spool([put('key/a', '2'), put('other/b', '2'), put('fleeting/a', '1')])
  t.deepEqual((await state.copy(isKey))?.operations, [put('key/a', '2')])
  t.deepEqual(await all(state, 'other/'), { 'other/a': '1', 'other/b': '2' })
  await state.close()
  const nowhere = { ...at, spool: join(at.spool, 'no', 'such', 'folder') }
  const onCard = await open(nowhere)
  await onCard.spool([put('key/a', '3')])
  t.is(await onCard.copy(isKey), undefined)
  await onCard.close()
})

test('a spool that cannot be shortened goes on as it is', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await mkdir(join(`${at.spool}.new`, 'in the way'), { recursive: true })
  await state.spool([put('key/a', '1')])
  t.deepEqual((await state.copy(isKey))?.operations, [put('key/a', '1')])
  await state.spool([put('key/b', '2')])
  const killed = await open(await crashed(at, `${at.card}-killed`, 'kill'))
  t.deepEqual(await all(killed), { 'key/a': '1', 'key/b': '2' })
  await rm(`${at.spool}.new`, { recursive: true })
  for (const each of [state, killed]) await each.close()
})

async function filesOf(folder: string): Promise<readonly (readonly [string, number, number])[]> {
  const names = (await readdir(folder)).sort()
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name))
      return [name, size, mtimeMs] as const
    }),
  )
}

test('a spool is not read over a card that is older, or was written to without it', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/a', '1')])
  const old = await crashed(at, `${at.card}-old`, 'kill')
  await state.write([put('key/a', '2')])
  await state.spool([put('key/a', '3')])
  const killed = await crashed(at, `${at.card}-killed`, 'kill')
  await state.close()
  await copyFile(killed.spool, `${killed.spool}-kept`)

  const restored = await open({ ...old, spool: killed.spool })
  t.deepEqual(await all(restored), { 'key/a': '1' })
  await restored.close()

  const without = await openState({ folder: killed.card, owner, program: 'agent', format: 1 })
  await without.batch([{ type: 'put', key: 'key/a', value: '4' }], { sync: true })
  await without.close()
  const after = await open({ ...killed, spool: `${killed.spool}-kept` })
  t.deepEqual(await all(after), { 'key/a': '4' })
  await after.close()
})

test('a record that is damaged ends the spool, and what comes after the next start is kept', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/a', '1')])
  await state.spool([put('key/a', '2')])
  const { size } = await stat(at.spool)
  await state.spool([put('key/a', '3')])
  const killed = await crashed(at, `${at.card}-killed`, 'kill')
  await state.close()
  const bytes = await readFile(killed.spool)
  bytes[size + 30] = (bytes[size + 30] ?? 0) ^ 1
  await writeFile(killed.spool, bytes)
  const after = await open(killed)
  t.deepEqual(await all(after), { 'key/a': '2' })
  await after.spool([put('key/b', '4')])
  const again = await open(await crashed(killed, `${at.card}-again`, 'kill'))
  t.deepEqual(await all(again), { 'key/a': '2', 'key/b': '4' })
  for (const each of [after, again]) await each.close()
})

test('a spool that is full, or cannot be written, goes to the card', async (t) => {
  const at = await place(t)
  const state = await open(at, { most: 500 })
  for (let number = 0; number < 20; number++) await state.spool([put(`key/${number}`, 'x')])
  t.true((await stat(at.spool)).size <= 500)
  const cut = await open(await crashed(at, `${at.card}-cut`, 'powerCut'))
  t.true(Object.keys(await all(cut)).length > 10)
  t.is(Object.keys(await all(state)).length, 20)
  for (const each of [state, cut]) await each.close()

  const nowhere = { ...at, spool: join(at.spool, 'no', 'such', 'folder') }
  const onCard = await open(nowhere)
  await onCard.spool([put('key/card', '1')])
  const after = await open({
    ...(await crashed(nowhere, `${at.card}-nowhere`, 'powerCut')),
    spool: `${at.spool}-other`,
  })
  t.is((await all(after))['key/card'], '1')
  for (const each of [onCard, after]) await each.close()
})

test('what is fleeting never gets onto the card, and stays in the spool over a flush', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.spool([put('fleeting/a', '1'), put('key/a', '1')])
  await state.write([put('key/b', '2')])
  const killed = await open(await crashed(at, `${at.card}-killed`, 'kill'))
  t.deepEqual(await all(killed, 'fleeting/'), { 'fleeting/a': '1' })
  await killed.close()
  const cut = await open(await crashed(at, `${at.card}-cut`, 'powerCut'))
  t.deepEqual(await lasting(cut), await lasting(state))
  await cut.close()
  await state.close()
  const again = await open(at)
  t.deepEqual(await all(again, 'fleeting/'), {})
  await again.close()
})

/** Without the name, which is another one after a power cut. */
async function lasting(state: SpooledState): Promise<Record<string, string>> {
  const records = Object.entries(await all(state, ''))
  return Object.fromEntries(records.filter(([key]) => !/^(fleeting\/|spool$)/.test(key)))
}

const keys = ['key/a', 'key/b', 'key/c', 'key/d'] as const
const operation: fc.Arbitrary<StateOperation> = fc.oneof(
  fc.tuple(fc.constantFrom(...keys), fc.string()).map(([key, value]) => put(key, value)),
  fc.constantFrom(...keys).map(del),
)
const step = fc.record({
  how: fc.constantFrom('spool' as const, 'spool' as const, 'copy' as const, 'write' as const),
  operations: fc.array(operation, { maxLength: 3 }),
  /** Where in what the step has added to the spool it is cut off. */
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
})

type Records = Readonly<Record<string, string>>

/** Of the state of the card that a spool lies upon. */
function nameIn(spool: Buffer): string {
  return /"name":"([^"]*)"/.exec(`${spool}`)?.[1] ?? ''
}

function applied(records: Records, operations: readonly StateOperation[]): Records {
  const next = new Map(Object.entries(records))
  for (const each of operations) {
    if (each.type === 'put') next.set(each.key, each.value)
    else next.delete(each.key)
  }
  return Object.fromEntries([...next].sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('a crash after any byte of the spool leaves all of a step or nothing, a power cut the last flush or copy', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const at = await place(t)
      let state = await open(at)
      let [now, onCard]: [Records, Records] = [{}, {}]
      /** With the copy of then, which is of the last state of the card or of one before. */
      let [copy, copied]: [SpoolCopy | undefined, Records] = [undefined, {}]
      for (const [index, { how, operations, cut }] of steps.entries()) {
        if (how === 'copy') {
          copy = await state.copy(isKey)
          copied = now
          const killed = await open(await crashed(at, `${at.card}-copied-${index}`, 'kill'))
          t.deepEqual(await all(killed), now)
          await killed.close()
          continue
        }
        const before = (await stat(at.spool)).size
        const spoolBefore = await readFile(at.spool)
        const cardBefore = await crashed(at, `${at.card}-before-${index}`, 'powerCut')
        await state[how](operations)
        const next = applied(now, operations)
        const expectAt = async (where: Place, expected: readonly Records[]) => {
          const opened = await open(where, { copy })
          const found = JSON.stringify(await all(opened))
          t.true(
            expected.some((each) => JSON.stringify(each) === found),
            `${found} of ${JSON.stringify(expected)}`,
          )
          await opened.close()
        }
        const after = await crashed(at, `${at.card}-after-${index}`, 'kill')
        const name = nameIn(await readFile(at.spool))
        const isOnCard = name !== nameIn(spoolBefore)
        if (how === 'spool') t.false(isOnCard)
        if (isOnCard) {
          // On the card, and the spool was not begun anew yet.
          const early = { ...after, spool: `${after.spool}-early` }
          await writeFile(early.spool, spoolBefore)
          const earlyCard = await crashCopy(at.card, `${after.card}-early`)
          await expectAt({ card: earlyCard, spool: early.spool }, [next])
          const tornBegin = {
            card: await crashCopy(at.card, `${after.card}-torn`),
            spool: `${after.spool}-torn`,
          }
          await copyFile(after.spool, tornBegin.spool)
          await truncate(tornBegin.spool, Math.floor(cut * (await stat(after.spool)).size))
          await expectAt(tornBegin, [next])
        } else {
          const torn = { ...cardBefore, spool: `${after.spool}-torn` }
          await copyFile(after.spool, torn.spool)
          const { size } = await stat(torn.spool)
          const length = Math.floor(before + cut * (size - before))
          await truncate(torn.spool, length)
          await expectAt(torn, length === size ? [next] : [now])
        }
        onCard = isOnCard ? next : onCard
        now = next
        await expectAt(after, [now])
        const powerCut = await crashed(at, `${at.card}-cut-${index}`, 'powerCut')
        await expectAt(powerCut, [copy?.name === name ? copied : onCard])
      }
      await state.close()
      state = await open(at)
      t.deepEqual(await all(state), now)
      await state.close()
    }),
    { numRuns: 15 },
  )
})

/** As an older program reads it, which takes no format but `1`. */
async function formatOnCard(card: string): Promise<string | undefined> {
  const level = new Level<string, string>(card)
  const format = await level.get('format')
  await level.close()
  return format
}

test('an older program, which knows of no spool, refuses the state until all of it is on the card', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.write([put('key/card', '1')])
  await state.spool([put('key/spool', '2')])
  const killed = await crashed(at, `${at.card}-killed`, 'kill')
  t.is(Number(await formatOnCard(killed.card)), Number.NaN)
  await (await open(killed)).close()
  t.is(await formatOnCard(killed.card), '1')

  // Opened without a spool, what was in it is void.
  const careful = await crashed(at, `${at.card}-careful`, 'kill')
  const db = await openState({ folder: careful.card, owner, program: 'agent', format: 1 })
  await db.close()
  t.is(await formatOnCard(careful.card), '1')
  const again = await open(careful)
  t.deepEqual(await all(again), { 'key/card': '1' })
  await again.close()
  await state.close()
  t.is(await formatOnCard(at.card), '1')
})
