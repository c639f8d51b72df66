import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Level } from 'level'
import {
  openSpooledState,
  type SpooledState,
  type StateOperation,
} from '../../../platform/state/spool.ts'
import { openState } from '../../../platform/state/state.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
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

function open({ card, spool }: Place, most = 1 << 20): Promise<SpooledState> {
  return openSpooledState({
    ...{ folder: card, owner, program: 'agent', format: 1 },
    ...{ spool, fleeting: 'fleeting/', most },
  })
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

test('between two flushes nothing of the card is touched', async (t) => {
  const at = await place(t)
  const state = await open(at)
  await state.spool([put('key/a', '0')])
  const written = async () => JSON.stringify(await filesOf(at.card))
  const before = await written()
  for (let number = 0; number < 50; number++) await state.spool([put('key/a', `${number}`)])
  t.is(await written(), before)
  await state.write([])
  t.not(await written(), before)
  await state.close()
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
  const state = await open(at, 500)
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
    spool: at.spool,
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
  t.deepEqual(await all(cut, ''), await withoutFleeting(state))
  await cut.close()
  await state.close()
  const again = await open(at)
  t.deepEqual(await all(again, 'fleeting/'), {})
  await again.close()
})

async function withoutFleeting(state: SpooledState): Promise<Record<string, string>> {
  const records = Object.entries(await all(state, ''))
  return Object.fromEntries(records.filter(([key]) => !key.startsWith('fleeting/')))
}

const keys = ['key/a', 'key/b', 'key/c', 'key/d'] as const
const operation: fc.Arbitrary<StateOperation> = fc.oneof(
  fc.tuple(fc.constantFrom(...keys), fc.string()).map(([key, value]) => put(key, value)),
  fc.constantFrom(...keys).map(del),
)
const step = fc.record({
  how: fc.constantFrom('spool' as const, 'spool' as const, 'write' as const),
  operations: fc.array(operation, { maxLength: 3 }),
  /** Where in what the step has added to the spool it is cut off. */
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
})

type Records = Readonly<Record<string, string>>

function applied(records: Records, operations: readonly StateOperation[]): Records {
  const next = new Map(Object.entries(records))
  for (const each of operations) {
    if (each.type === 'put') next.set(each.key, each.value)
    else next.delete(each.key)
  }
  return Object.fromEntries([...next].sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('a crash after any byte of the spool leaves all of a step or nothing, a power cut the last flush', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const at = await place(t)
      let state = await open(at)
      let [now, onCard]: [Records, Records] = [{}, {}]
      for (const [index, { how, operations, cut }] of steps.entries()) {
        await appendFile(at.spool, '')
        const before = (await stat(at.spool)).size
        const spoolBefore = await readFile(at.spool)
        const cardBefore = await crashed(at, `${at.card}-before-${index}`, 'powerCut')
        await state[how](operations)
        const next = applied(now, operations)
        const expectAt = async (where: Place, expected: readonly Records[]) => {
          const opened = await open(where)
          const found = JSON.stringify(await all(opened))
          t.true(
            expected.some((each) => JSON.stringify(each) === found),
            `${found} of ${JSON.stringify(expected)}`,
          )
          await opened.close()
        }
        const after = await crashed(at, `${at.card}-after-${index}`, 'kill')
        const isOnCard = how === 'write' || before === 0
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
        await expectAt(powerCut, [onCard])
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
