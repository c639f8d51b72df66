import test from 'ava'
import { type GasPrices, priceOfAnswers, watchGasPrice } from '../../../receiver/chain/gas-price.ts'

const hour = 3_600_000

test('the highest of a week is kept, one look for each block', async (t) => {
  let clock = 0
  const prices = [30n, 90n, 20n]
  let asked = 0
  const gas = watchGasPrice(async () => prices[asked++] ?? 10n, { now: () => clock })
  t.is(gas.highest(), undefined)
  await gas.refresh(1)
  await gas.refresh(1)
  t.is(asked, 1)
  await gas.refresh(2)
  await gas.refresh(3)
  t.is(gas.highest(), 90n)
  t.is(gas.now(), 20n)
  clock = 7 * 24 * hour - 1
  await gas.refresh(4)
  t.is(gas.highest(), 90n)
  clock += 1
  await gas.refresh(5)
  t.is(gas.highest(), 10n)
})

test('what is kept is what the next run begins with', async (t) => {
  let clock = 0
  let kept: GasPrices = new Map()
  const run = (price: bigint) =>
    watchGasPrice(async () => price, {
      ...{ known: kept, now: () => clock },
      keep: (prices) => {
        kept = new Map(prices)
      },
    })
  await run(90n).refresh(1)
  clock = 24 * hour
  const again = run(10n)
  t.is(again.highest(), 90n)
  await again.refresh(2)
  t.deepEqual([...kept.values()], [90n, 10n])
  // An hour's highest is written once.
  const before = kept
  await run(10n).refresh(3)
  t.is(kept, before)
  clock = 7 * 24 * hour
  await run(5n).refresh(4)
  t.deepEqual([...kept.values()], [10n, 5n])
})

test('a node that does not say changes nothing', async (t) => {
  let isAway = false
  const gas = watchGasPrice(async () => {
    if (isAway) throw new Error('away')
    return 5n
  })
  await gas.refresh(1)
  isAway = true
  await gas.refresh(2)
  t.is(gas.now(), 5n)
  t.is(gas.highest(), 5n)
})

test('where the data of a transaction costs a fee, each unit of gas bears its share, rounded up', async (t) => {
  const sizes: number[] = []
  let fee = 0n
  const dataFee = async (bytes: number) => {
    sizes.push(bytes)
    return fee
  }
  const price = priceOfAnswers(async () => 5n, dataFee, { gas: 100n, bytes: 450 })
  for (const [wei, share] of [
    [0n, 0n],
    [1n, 1n],
    [100n, 1n],
    [101n, 2n],
  ] as const) {
    fee = wei
    t.is(await price.ask(), 5n + share)
    t.is(price.data(), share)
  }
  t.deepEqual([...new Set(sizes)], [450])
})
