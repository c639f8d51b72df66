// Durations as people read them.
import test from 'ava'
import { formatDuration } from '../../protocol/index.ts'

for (const [seconds, text] of [
  [0, '0 s'],
  [119.4, '119 s'],
  [120, '2 min'],
  [1000, '17 min'],
  [3599, '60 min'],
  [3600, '1 hour'],
  [6000, '1.7 hours'],
  [172_799, '48 hours'],
  [172_800, '2 days'],
  [604_800, '7 days'],
  [648_000, '7.5 days'],
] as const) {
  test(`${seconds} seconds are ${text}`, (t) => {
    t.is(formatDuration(seconds), text)
  })
}
