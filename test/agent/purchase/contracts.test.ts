import test from 'ava'
import { chooseContract } from '../../../agent/purchase/contracts.ts'
import type { Address } from '../../../protocol/index.ts'

const [newest, middle, oldest, strange] = [1, 2, 3, 4].map(
  (digit) => `0x${`${digit}`.repeat(40)}` as Address,
) as [Address, Address, Address, Address]

const allowed = [newest, middle, oldest].map((contract) => ({ contract }))

/** `room`: where there is a channel with room. */
function chosen(
  contract: Address,
  otherContracts: readonly Address[] | undefined,
  room: readonly Address[] = [],
) {
  const terms = otherContracts === undefined ? { contract } : { contract, otherContracts }
  return chooseContract(allowed, terms, (each) => room.includes(each.contract))?.contract
}

test('without room anywhere the owner’s first that the receiver takes gets the deposit', (t) => {
  t.is(chosen(newest, undefined), newest)
  t.is(chosen(oldest, [newest]), newest)
  t.is(chosen(oldest, [middle]), middle)
  t.is(chosen(oldest, undefined), oldest)
})

test('what has room on the oldest is used up first, where the receiver takes it', (t) => {
  t.is(chosen(newest, [middle, oldest], [newest, middle, oldest]), oldest)
  t.is(chosen(newest, [middle], [newest, middle, oldest]), middle)
  t.is(chosen(newest, undefined, [middle, oldest]), newest)
})

test('no contract in common: none', (t) => {
  t.is(chosen(strange, undefined, [newest]), undefined)
  t.is(chosen(strange, [], [oldest]), undefined)
})
