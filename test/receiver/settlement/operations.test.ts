// When a transaction that could not be sent is tried again, on a chain of plain data.
import test from 'ava'
import type { Receipt } from '../../../platform/chain/index.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { createOperations } from '../../../receiver/settlement/operations.ts'

const receipt: Receipt = {
  ...{
    transaction: '0x',
    block: 8,
    contractBlock: 8,
    blockHash: '0x',
    gasUsed: 1n,
    fee: 0n,
    events: [],
  },
}

/** The first try fails like this. */
function given(error: unknown) {
  let head = 7
  let tries = 0
  const operations = createOperations({
    transactions: {
      start: async () => {
        if (++tries === 1) throw error
        return { transaction: '0x', mined: async () => receipt }
      },
      send: async () => receipt,
      resume: async () => undefined,
      gasPrice: async () => 1n,
    },
    ...{ head: () => head, position: () => head, ether: () => 1n },
    ...{ onMined: () => undefined, onWaiting: () => undefined },
  })
  const call = async () => ({ purpose: 'try', data: '0x' as const })
  return {
    round: () => operations.pursue([{ name: 'it', call }]),
    nextBlock: () => void head++,
    tries: () => tries,
  }
}

for (const code of ['chain_unavailable', 'node_wrong', 'rpc_error', 'wrong_chain']) {
  test(`${code}: the node failed, which says nothing of the chain: tried again in the next round`, async (t) => {
    const { round, tries } = given(new UraidenError({ code, message: 'no', hint: '' }))
    await round()
    t.is(tries(), 1)
    await round()
    t.is(tries(), 2)
  })
}

test('what is no error of ours is no verdict of the chain either', async (t) => {
  const { round, tries } = given(new TypeError('null'))
  await round()
  await round()
  t.is(tries(), 2)
})

for (const code of [
  ...['transaction_reverts', 'ether_missing', 'fee_over_cap'],
  ...['transaction_refused', 'transaction_reverted', 'transaction_unconfirmed'],
]) {
  test(`${code}: so says the chain until it has another block`, async (t) => {
    const { round, tries, nextBlock } = given(new UraidenError({ code, message: 'no', hint: '' }))
    await round()
    await round()
    t.is(tries(), 1)
    nextBlock()
    if (code === 'transaction_reverted') nextBlock()
    await round()
    t.is(tries(), 2)
  })
}
