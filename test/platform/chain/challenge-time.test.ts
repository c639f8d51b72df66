// The challenge period as a time: what is measured, warned of and refused.
import test from 'ava'
import {
  type BlockRef,
  type ChainClient,
  challengeTime,
  challengeTimeText,
  checkChallengePeriod,
} from '../../../platform/chain/index.ts'
import { type Hex, UraidenError } from '../../../protocol/index.ts'

interface Kind {
  /** The newest block. */
  readonly head?: number
  /** Seconds from one block to the next, by the chain's own numbers. */
  readonly each?: number
  /** Of this chain, to one as the contract counts. */
  readonly toOne?: number
  readonly period?: number
  readonly away?: boolean
}

function chainOf({ head = 20_000, each = 12, toOne = 1, period = 500, away = false }: Kind) {
  const blockAt = (number: number): BlockRef => ({
    number,
    contractBlock: Math.floor(number / toOne),
    timestamp: Math.round(number * each),
    ...{ hash: '0x' as Hex, parentHash: '0x' as Hex },
  })
  return {
    head: async () => {
      if (away) throw new UraidenError({ code: 'chain_unavailable', message: 'away', hint: '' })
      return blockAt(head)
    },
    block: async (number) => (number <= head ? blockAt(number) : undefined),
    contractFacts: async () => ({ challengePeriod: period }),
  } as Pick<ChainClient, 'head' | 'block' | 'contractFacts'> as ChainClient
}

for (const [title, kind, text] of [
  ['the main chain', {}, '500 blocks, about 1.7 hours'],
  ['a rollup', { each: 2 }, '500 blocks, about 17 min'],
  [
    'a chain that counts with the one below, four blocks to one',
    { each: 3, toOne: 4 },
    '500 blocks, about 1.7 hours',
  ],
  ['a long period', { period: 50_400 }, '50400 blocks, about 7 days'],
  ['a chain of 100 blocks', { head: 100 }, '500 blocks, about 1.7 hours'],
  ['a chain of 99 blocks', { head: 99 }, '500 blocks'],
  ['a chain whose clock stands', { each: 0 }, '500 blocks'],
] as readonly (readonly [string, Kind, string])[]) {
  test(`the period of ${title}`, async (t) => {
    t.is(challengeTimeText(await challengeTime(chainOf(kind))), text)
  })
}

for (const [title, period, isShort] of [
  ['an hour', 1800, false],
  ['two seconds less than an hour', 1799, true],
] as const) {
  test(`${title}: ${isShort ? 'warned of' : 'nothing to say'}`, async (t) => {
    const said = await checkChallengePeriod(chainOf({ each: 2, period }), undefined)
    if (isShort) t.regex(String(said), /^The challenge period is 1799 blocks, about 60 min: /)
    else t.is(said, undefined)
  })
}

for (const [title, kind, least, isRefused] of [
  ['as long as it has to be', {}, 6000, false],
  ['a second shorter', {}, 6001, true],
  ['on a chain too young to say', { head: 99 }, 10 ** 6, false],
  ['while the node is away', { away: true }, 10 ** 6, false],
] as readonly (readonly [string, Kind, number, boolean])[]) {
  test(`leastChallengePeriod, ${title}: ${isRefused ? 'refused' : 'taken'}`, async (t) => {
    const checking = checkChallengePeriod(chainOf(kind), least)
    if (!isRefused) {
      t.is(await checking, undefined)
      return
    }
    await t.throwsAsync(checking, {
      code: 'challenge_period_short',
      message: /is 500 blocks, about 1\.7 hours, less than the 1\.7 hours of leastChallengePeriod/,
    })
  })
}
