import test from 'ava'
import fc from 'fast-check'
import { depositsWorth } from '../../../agent/channels/choose.ts'
import { expectedFees, gasOfDeposit, worthItsFee } from '../../../agent/channels/deposit-fees.ts'

const ether = 10n ** 18n

test('at one percent a fee of 0.0001 ETH at 2500 tokens wants a deposit of 25 tokens', (t) => {
  const share = { feeShare: 100n, etherPrice: 2500n * ether }
  t.is(worthItsFee(ether / 10_000n, share), 25n * ether)
  t.is(worthItsFee(ether / 10_000n, { ...share, feeShare: 10_000n }), ether / 4n)
  t.is(worthItsFee(0n, share), 0n)
  t.is(depositsWorth(share).least('topUp', ether / 10_000n), 25n * ether)
})

test('the fee is no more than the share of what it wants, and more of anything less', (t) => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 30n })
  fc.assert(
    fc.property(amount, amount, fc.bigInt({ min: 1n, max: 10_000n }), (fee, price, feeShare) => {
      const least = worthItsFee(fee, { feeShare, etherPrice: price })
      const isWithin = (deposit: bigint) => fee * price * 10_000n <= deposit * feeShare * ether
      t.true(isWithin(least))
      if (least > 0n) t.false(isWithin(least - 1n))
    }),
  )
})

function chain(gasPrice: bigint, dataFee: bigint) {
  const answers: Readonly<Record<string, string>> = {
    eth_getCode: dataFee > 0n ? '0x01' : '0x',
    eth_call: `0x${dataFee.toString(16).padStart(64, '0')}`,
  }
  const client = { request: async (method: string) => answers[method] }
  return { client, sender: { gasPrice: async () => gasPrice } } as never
}

test('a fee is gas at its price, at most at that we would pay, and what data costs', async (t) => {
  t.deepEqual(await expectedFees(chain(10n, 0n), 'erc223', undefined), {
    open: 640_000n,
    topUp: 474_000n,
  })
  t.deepEqual(await expectedFees(chain(10n, 7n), 'erc223', 3n), { open: 192_007n, topUp: 142_207n })
})

test('where the method is chosen by the token two transactions are expected', (t) => {
  t.deepEqual(gasOfDeposit('auto'), gasOfDeposit('approve'))
  t.true(gasOfDeposit('auto').open > gasOfDeposit('erc223').open)
})
