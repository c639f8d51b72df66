import test from 'ava'
import { parseAddress, parseSignature } from '../../../protocol/index.ts'
import type { Channel } from '../../../receiver/channels/records.ts'
import { planCollection, withdrawGas } from '../../../receiver/settlement/policy.ts'
import { type UrgentCase, urgentCollection } from '../../../receiver/settlement/urgent.ts'

const sender = parseAddress(`0x${'aa'.repeat(20)}`)
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)

function owing(due: bigint, more: Partial<Channel> = {}): Channel {
  return {
    ...{ sender, openBlock: Number(due), deposit: 10n ** 9n, withdrawn: 0n, state: 'open' },
    claims: { highest: due, unclaimed: [] },
    ...{ agreedToClose: false, proof: { signature, form: 'eip712' } },
    ...more,
  }
}

/** At these terms a stake is worth its answer from 61 units on. */
const terms = { fee: 1n, hasBatches: true, etherPrice: 10n ** 15n }

const given = (more: Partial<UrgentCase>): UrgentCase => ({
  ...{ channels: [owing(100n)], limit: undefined, isShort: false, terms },
  ...{ fees: { usual: 5n, most: 9n }, ether: 10n ** 18n },
  ...more,
})

test('nothing is urgent while there is enough ether and no limit', (t) => {
  t.is(urgentCollection(given({})), undefined)
})

test('a channel that passes the limit is collected from, and one at the limit is not', (t) => {
  t.is(urgentCollection(given({ limit: 100n })), undefined)
  t.like(urgentCollection(given({ limit: 99n })), { least: 1n, leastEach: 100n, mostGasPrice: 5n })
})

test('with too little ether what would need an answer is collected, whatever gas may cost an answer', (t) => {
  const short = { isShort: true }
  t.like(urgentCollection(given({ ...short, channels: [owing(61n)] })), {
    leastEach: 61n,
    mostGasPrice: 9n,
  })
  t.is(urgentCollection(given({ ...short, channels: [owing(60n)] })), undefined)
  t.is(urgentCollection(given({ ...short, terms: undefined })), undefined)
  t.is(
    urgentCollection(given({ ...short, channels: [owing(100n, { state: 'closing' })] })),
    undefined,
  )
  t.is(
    urgentCollection(given({ ...short, channels: [owing(100n, { withdrawn: 40n })] })),
    undefined,
  )
})

test('the largest first, as far as the ether goes: a transaction offers twice what gas costs', (t) => {
  const channels = [owing(100n), owing(300n), owing(200n), owing(50n)]
  const policy = urgentCollection(given({ channels, isShort: true }))
  const collected = (mostFee: bigint) => {
    const { batches } = planCollection(channels, { ...policy, least: 1n, mostFee }, market)
    return batches.flat().map(({ channel }) => channel.openBlock)
  }
  const market = { gas: withdrawGas, gasPrice: 1n }
  const { perTransaction, perChannel } = withdrawGas
  const two = 2n * (perTransaction + 2n * perChannel)
  t.deepEqual(collected(10n ** 18n), [300, 200, 100])
  t.deepEqual(collected(two), [300, 200])
  t.deepEqual(collected(two - 1n), [300])
  t.deepEqual(collected(0n), [])
})
