// The end of a challenge period as people read it.
import test from 'ava'
import { afterBlock, type BlockClock } from '../../protocol/index.ts'

for (const [title, clock, text] of [
  ['hours away', { head: 335, secondsPerBlock: 12 }, 'after block 1234, about 3 hours from now'],
  ['days away', { head: 0, secondsPerBlock: 600 }, 'after block 1234, about 8.6 days from now'],
  [
    'in its last block',
    { head: 1234, secondsPerBlock: 12 },
    'after block 1234, about 12 s from now',
  ],
  ['over', { head: 1235, secondsPerBlock: 12 }, 'after block 1234, which is over'],
  [
    'over, on a young chain',
    { head: 1235, secondsPerBlock: undefined },
    'after block 1234, which is over',
  ],
  ['on a chain too young to say', { head: 5, secondsPerBlock: undefined }, 'after block 1234'],
  ['while the chain is away', undefined, 'after block 1234'],
] as readonly (readonly [string, BlockClock | undefined, string])[]) {
  test(`a period that is ${title}`, (t) => {
    t.is(afterBlock(1234, clock), text)
  })
}
