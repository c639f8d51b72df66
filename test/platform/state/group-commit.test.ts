import test from 'ava'
import { groupCommit } from '../../../platform/state/group-commit.ts'

test('many writers share one synced write, and the newest value of a key wins', async (t) => {
  const batches: ReadonlyMap<string, number>[] = []
  const commits = groupCommit<number>({
    writeBatch: async (entries) => {
      batches.push(entries)
      await new Promise((resolve) => setTimeout(resolve, 5))
    },
  })
  const saves = Array.from({ length: 100 }, (_, i) => commits.save([[`key-${i % 10}`, i]]))
  await Promise.all(saves)
  t.is(batches.length, 2)
  t.is(batches[1]?.size, 10)
  t.is(batches[1]?.get('key-9'), 99)
})

test('a write that fails fails those who wait for it, and nobody else', async (t) => {
  let writes = 0
  const commits = groupCommit<number>({
    writeBatch: async () => {
      writes++
      if (writes === 1) throw new Error('broken')
    },
  })
  const first = commits.save([['a', 1]])
  const second = commits.save([['b', 1]])
  await t.throwsAsync(first, { message: 'broken' })
  await t.notThrowsAsync(second)
})
