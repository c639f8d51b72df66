import test from 'ava'
import fc from 'fast-check'
import { createTurns } from '../../../platform/async/turns.ts'

test('whatever each piece of work waits for and ends with, they do not overlap and keep their order', async (t) => {
  const work = fc.record({ waits: fc.nat({ max: 5 }), fails: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(work, { maxLength: 10 }), async (pieces) => {
      const turns = createTurns()
      const seen: string[] = []
      const results = await Promise.allSettled(
        pieces.map(({ waits, fails }, index) =>
          turns.take(async () => {
            seen.push(`${index} begins`)
            for (let round = 0; round < waits; round++) await Promise.resolve()
            seen.push(`${index} ends`)
            if (fails) throw new Error(`${index}`)
            return index
          }),
        ),
      )
      const expected = pieces.flatMap((_, index) => [`${index} begins`, `${index} ends`])
      t.deepEqual(seen, expected)
      t.deepEqual(
        results.map(({ status }) => status === 'rejected'),
        pieces.map(({ fails }) => fails),
      )
    }),
  )
})

test('what a piece of work gives and throws is its giver’s', async (t) => {
  const turns = createTurns()
  const failed = turns.take(() => Promise.reject(new Error('full')))
  const done = turns.take(() => Promise.resolve('written'))
  await t.throwsAsync(failed, { message: 'full' })
  t.is(await done, 'written')
})

test('idle waits for all that was given, and never rejects', async (t) => {
  const turns = createTurns()
  let release: () => void = () => undefined
  const seen: string[] = []
  const first = turns.take(
    () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  )
  const second = turns.take(() => Promise.reject(new Error('full')))
  const ended = Promise.allSettled([first, second]).then(() => seen.push('both'))
  const idle = turns.idle().then(() => seen.push('idle'))
  await Promise.resolve()
  t.deepEqual(seen, [])
  release()
  await Promise.all([ended, idle])
  t.deepEqual([...seen].sort(), ['both', 'idle'])
})

test('idle at once where nothing was given', async (t) => {
  await t.notThrowsAsync(createTurns().idle())
})

test('urgent work comes before all that waits, in its own order, and interrupts nothing', async (t) => {
  const turns = createTurns()
  const seen: string[] = []
  let finish = () => undefined as void
  const note = (name: string) => async () => void seen.push(name)
  const first = turns.take(async () => {
    seen.push('first')
    await new Promise<void>((resolve) => {
      finish = resolve
    })
    seen.push('first ends')
  })
  while (seen.length === 0) await Promise.resolve()
  const usual = [1, 2, 3].map((number) => turns.take(note(`usual ${number}`)))
  const urgent = [1, 2].map((number) => turns.takeFirst(note(`urgent ${number}`)))
  finish()
  await Promise.all([first, ...usual, ...urgent])
  t.deepEqual(seen, [
    ...['first', 'first ends', 'urgent 1', 'urgent 2'],
    ...['usual 1', 'usual 2', 'usual 3'],
  ])
})
