import test from 'ava'
import { parseAddress } from '../../../protocol/index.ts'
import { depositAfter, earlierDeposits } from '../../../receiver/channels/deposits.ts'
import type { History } from '../../../receiver/channels/history.ts'
import { type ChainFacts, channelName } from '../../../receiver/channels/records.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)
const name = channelName(sender, 7)
const facts = (deposit: bigint): ChainFacts => ({
  ...{ sender, openBlock: 7, deposit, withdrawn: 0n, state: 'open' },
})
const past = (block: number, before: ChainFacts | undefined) => ({
  ...{ block, hash: '0x00' as const, before: new Map([[name, before]]) },
})

// Opened with 10 in block 7, something else in 8, topped up by 5 in 9 and by 1 in 12.
const history: History = [
  past(7, undefined),
  past(8, facts(10n)),
  past(9, facts(10n)),
  { block: 10, hash: '0x00', before: new Map() },
  past(12, facts(15n)),
]

test('a deposit before each block that changed it', (t) => {
  t.deepEqual(
    [...earlierDeposits(history, () => 16n)],
    [
      [
        name,
        [
          { block: 7, deposit: 0n },
          { block: 9, deposit: 10n },
          { block: 12, deposit: 15n },
        ],
      ],
    ],
  )
})

test('what it was after a block', (t) => {
  const earlier = earlierDeposits(history, () => 16n).get(name) ?? []
  const after = (block: number) => depositAfter(earlier, block, 16n)
  t.deepEqual([6, 7, 8, 9, 11, 12, 13].map(after), [0n, 10n, 10n, 15n, 15n, 16n, 16n])
  t.is(depositAfter([], 7, 16n), 16n)
})

test('what has not changed a deposit is none', (t) => {
  t.is(earlierDeposits([past(8, facts(10n))], () => 10n).size, 0)
})
