// What a round of the leader looks at and writes down, of many channels.
import test from 'ava'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import {
  type ChainFacts,
  type ChannelName,
  channelName,
} from '../../../receiver/channels/records.ts'
import { createWrittenLimits } from '../../../receiver/cluster/written-limits.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const name = (openBlock: number) => channelName(sender, openBlock)

function given({ channels }: { readonly channels: number }) {
  const facts = new Map(
    Array.from({ length: channels }, (_, openBlock) => [
      name(openBlock),
      { sender, openBlock, deposit: 100n, withdrawn: 0n, state: 'open' } as ChainFacts,
    ]),
  )
  const recent = new Set<ChannelName>()
  const asked: ChannelName[] = []
  const written: (readonly unknown[])[] = []
  const statements: (readonly unknown[])[] = []
  let fails: 'before' | 'after' | undefined
  const limits = createWrittenLimits({
    database: { query: async () => [] } as never,
    book: () => ({
      get: () => undefined,
      facts: (each) => {
        asked.push(each)
        return facts.get(each)
      },
      recent: () => recent,
      mostBalance: (_, openBlock) => (recent.has(name(openBlock)) ? 40n : 2n ** 100n),
      earlierDeposits: () => [],
    }),
    write: async (work) => {
      if (fails === 'before') throw new Error('the database is away')
      await work({
        query: async (text: string, values: readonly unknown[] = []) => {
          if (text.includes('told AS')) statements.push(values)
          return []
        },
      } as never)
      if (fails === 'after') throw new Error('nobody said whether it is written')
    },
  })
  const write = async () => {
    statements.length = 0
    await limits.write()
    written.push(...statements)
    return statements.flatMap(([, openBlocks, ceilings]) =>
      (openBlocks as readonly string[]).map((block, at) => [
        Number(block),
        (ceilings as readonly string[])[at],
      ]),
    )
  }
  return {
    ...{ limits, facts, recent, asked, statements, write },
    fail: (when: typeof fails) => {
      fails = when
    },
  }
}

test('a round looks at no channel that nothing happened to, however many there are', async (t) => {
  const { facts, limits, asked, recent, write } = given({ channels: 1000 })
  limits.lowered(facts.keys())
  t.is((await write()).length, 1000)
  asked.length = 0
  t.deepEqual(await write(), [])
  t.deepEqual(asked, [])
  // Its deposit is not as deep as it should be any more, and then it is.
  recent.add(name(7))
  t.deepEqual(await write(), [[7, '40']])
  t.deepEqual(await write(), [])
  recent.clear()
  t.deepEqual(await write(), [[7, '100']])
  asked.length = 0
  t.deepEqual(await write(), [])
  t.deepEqual(asked, [])
})

test('what could not be written is written with the next round', async (t) => {
  const { limits, fail, write } = given({ channels: 3 })
  limits.lowered([name(1)])
  fail('before')
  await t.throwsAsync(write())
  fail(undefined)
  limits.lowered([name(2)])
  t.deepEqual((await write()).toSorted(), [
    [1, '100'],
    [2, '100'],
  ])
})

test('what may be written, and is not wanted any more, is written as it is wanted', async (t) => {
  const { facts, limits, recent, fail, write } = given({ channels: 3 })
  limits.lowered(facts.keys())
  await write()
  recent.add(name(1))
  fail('after')
  await t.throwsAsync(write())
  fail(undefined)
  recent.clear()
  t.deepEqual(await write(), [[1, '100']])
  t.deepEqual(await write(), [])
})

test('many go in several statements', async (t) => {
  const { facts, limits, statements, write } = given({ channels: 20_001 })
  limits.lowered(facts.keys())
  t.is((await write()).length, 20_001)
  t.is(statements.length, 3)
})
