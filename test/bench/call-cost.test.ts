// What is taken for a call's floor and for its data, on traces and transactions made up for it.
import test from 'ava'
import { Wallet } from 'ethers'
import { dataOf, floorOf, shareOf, sumOf } from '../../bench/lib/call-cost.ts'

const token = `0x${'AA'.repeat(20)}`
const channels = `0x${'bb'.repeat(20)}`

function floor(to: string | null) {
  const structLogs = [
    { op: 'ADD', depth: 1, gasCost: 3 },
    { op: 'SSTORE', depth: 1, gasCost: 20_000 },
    { op: 'CALL', depth: 1, gasCost: 50_000 },
    { op: 'MUL', depth: 2, gasCost: 5 },
    { op: 'LOG2', depth: 2, gasCost: 1500 },
    { op: 'KECCAK256', depth: 1, gasCost: 36 },
  ]
  return floorOf({
    send: async () => ({ structLogs }),
    receipt: { hash: '0x1', gasUsed: 50_000n, to },
    token,
  })
}

test('the floor is without what the contract computes, also when the token calls it', async (t) => {
  t.is(await floor(channels), 50_000 - 3 - 36)
  t.is(await floor(null), 50_000 - 3 - 36)
  t.is(await floor(token.toLowerCase()), 50_000 - 5)
})

test('data is counted as it is sent, and compressed with its envelope and signature', async (t) => {
  const wallet = new Wallet(`0x${'01'.repeat(32)}`)
  const short = await dataOf(wallet, { to: channels, data: '0x00ff00' })
  t.deepEqual(short, { data: 3, zeros: 2, opBytes: 100 })
  const varied = `0x${Array.from({ length: 1000 }, (_, at) => ((at * at * 7919) % 251).toString(16).padStart(2, '0')).join('')}`
  const long = await dataOf(wallet, { to: null, data: varied })
  t.is(long.data, 1000)
  t.true(long.opBytes > 100)
})

test('costs are summed, and shared in a batch', (t) => {
  const cost = { gas: 10, floor: 8, data: 6, zeros: 4, opBytes: 101 }
  t.deepEqual(sumOf([cost, cost]), { gas: 20, floor: 16, data: 12, zeros: 8, opBytes: 202 })
  t.deepEqual(shareOf(cost, 4), { gas: 3, floor: 2, data: 2, zeros: 1, opBytes: 26 })
})
