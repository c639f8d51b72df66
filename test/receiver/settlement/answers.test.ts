// Answers to many dishonest closes at once, on a chain of plain data: what is sent, and in which order.
import test from 'ava'
import type { Call, Receipt } from '../../../platform/chain/index.ts'
import { parseAddress, parseSignature } from '../../../protocol/index.ts'
import type { Channel } from '../../../receiver/channels/records.ts'
import { createAnswers } from '../../../receiver/settlement/answers.ts'
import type { AnswerTerms } from '../../../receiver/settlement/disputes.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const challengePeriod = 800
/** 60 000 gas: 240 000 units; a share of a batch of fifty now: 18 800. */
const terms: AnswerTerms = { fee: 4n, now: 1n, etherPrice: 10n ** 18n, hasBatches: true }

function closing(openBlock: number, stake: bigint): Channel {
  return {
    ...{ sender, openBlock, deposit: stake, withdrawn: 0n, state: 'closing' },
    claims: { highest: stake, unclaimed: [] },
    ...{ proof: { signature, form: 'eip712' }, agreedToClose: false },
    end: { balance: 0n, block: 1, contractBlock: 1 },
  }
}

const dust = (count: number, stake: bigint) =>
  Array.from({ length: count }, (_, at) => closing(at, stake))

function given(channels: readonly Channel[]) {
  let open = channels
  let head = 1
  let sent: { readonly name: string; readonly blocks: readonly number[] }[] = []
  let mine: ((ended: boolean) => void) | undefined
  const purposes: (readonly number[])[] = []
  const call = async (asked: readonly Channel[]): Promise<Call> => {
    purposes.push(asked.map(({ openBlock }) => openBlock))
    return { purpose: 'answer', data: '0x' }
  }
  const warned: string[] = []
  const answers = createAnswers({
    book: { asSeen: () => open, seenTo: () => head, position: () => undefined },
    transactions: {
      start: async (_, name = '') => {
        const blocks = purposes.at(-1) ?? []
        sent.push({ name, blocks })
        const mined = new Promise<Receipt>((resolve) => {
          mine = (ended) => {
            head++
            if (ended) open = open.filter(({ openBlock }) => !blocks.includes(openBlock))
            resolve({
              ...{
                transaction: '0x',
                block: head,
                contractBlock: head,
                blockHash: '0x',
                gasUsed: 1n,
                fee: 0n,
                events: [],
              },
            })
          }
        })
        return { transaction: '0x', mined: () => mined }
      },
      send: () => Promise.reject(new Error('not used')),
      resume: async () => undefined,
      gasPrice: async () => 1n,
    },
    ...{ challengePeriod, head: () => head, ether: () => 10n ** 18n, fees: {}, delay: 0 },
    answer: (channel) => call([channel]),
    answerTogether: call,
    terms: () => terms,
    log: { info: () => undefined, warn: (_, message) => void warned.push(message) },
  })
  return {
    answers,
    warned,
    /** What one look at the chain makes it send. */
    look: async () => {
      sent = []
      await answers.round()
      return sent
    },
    /** The transaction that was sent last is in a block, and has ended its channels. */
    mined: async (ended = true) => {
      mine?.(ended)
      await answers.idle()
    },
    passTo: (block: number) => {
      head = block
    },
  }
}

test('1 000 dust channels closed before a large one: its answer is the first transaction, and the only one', async (t) => {
  const { answers, look, mined, passTo, warned } = given([
    ...dust(1000, 100n),
    closing(5000, 240_001n),
  ])
  t.deepEqual(await look(), [{ name: `answer/${sender}/5000`, blocks: [5000] }])
  await mined()
  t.deepEqual(await look(), [])
  t.true(answers.pending().every(({ plan }) => plan === 'wait'))
  // When their time has come they are let go, which is told once of each.
  passTo(1 + 300)
  t.deepEqual(await look(), [])
  t.deepEqual(await look(), [])
  t.true(answers.pending().every(({ plan }) => plan === 'let_go'))
  t.is(warned.length, 1000)
})

test('100 small ones that are worth their share go in three batches, one after the other', async (t) => {
  const { answers, look, mined, passTo } = given(dust(100, 21_000n))
  passTo(300)
  t.deepEqual(await look(), [])
  passTo(301)
  const sizes: number[] = []
  for (let batch = 0; batch < 3; batch++) {
    const [sent, ...more] = await look()
    t.deepEqual(more, [])
    t.is(sent?.name, 'answers')
    sizes.push(sent?.blocks.length ?? 0)
    // While it is on its way nothing else is sent.
    t.deepEqual(await look(), [])
    await mined()
  }
  t.deepEqual(sizes, [40, 40, 20])
  t.deepEqual(await look(), [])
  t.deepEqual(answers.pending(), [])
})

test('what a batch has passed over is answered alone', async (t) => {
  const { look, mined } = given(dust(5, 240_001n))
  t.is((await look())[0]?.blocks.length, 5)
  await mined(false)
  t.deepEqual(
    (await look()).map(({ blocks }) => blocks),
    [[0], [1], [2], [3], [4]],
  )
})
