import test from 'ava'
import { backoffDelay } from '../../../../agent/jobs/sinks/backoff.ts'

for (const { failures, delay } of [
  { failures: 0, delay: 0 },
  { failures: 1, delay: 1000 },
  { failures: 3, delay: 4000 },
  { failures: 5000, delay: 30_000 },
]) {
  test(`back-off after ${failures} failures`, (t) => {
    t.is(backoffDelay({ first: 1000, most: 30_000 }, failures), delay)
  })
}
