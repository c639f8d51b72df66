import test from 'ava'
import { chooseContract } from '../../../agent/purchase/contracts.ts'
import type { Address } from '../../../protocol/index.ts'

const [newest, middle, oldest, strange] = [1, 2, 3, 4].map(
  (digit) => `0x${`${digit}`.repeat(40)}` as Address,
) as [Address, Address, Address, Address]

const allowed = [newest, middle, oldest].map((contract) => ({ contract }))

/** `room`: where there is a channel with room; `used`: where there ever was one. */
function chosen(
  contract: Address,
  otherContracts: readonly Address[] | undefined,
  room: readonly Address[] = [],
  used = room,
) {
  const terms = { contract, receiver: strange, ...(otherContracts && { otherContracts }) }
  return chooseContract(allowed, terms, {
    hasRoom: (each) => room.includes(each.contract),
    wasUsed: (each) => used.includes(each.contract),
  })?.contract
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

test('nobody leads back to a contract that was left behind, but to what is still there', (t) => {
  const code = 'contract_older'
  t.throws(() => chosen(oldest, undefined, [], [newest, oldest]), { code })
  t.throws(() => chosen(oldest, undefined, [], [middle, oldest]), { code })
  t.throws(() => chosen(middle, [oldest], [newest]), { code })
  t.is(chosen(oldest, undefined, [oldest], [newest, oldest]), oldest)
  t.is(chosen(middle, [oldest], [], [middle]), middle)
  t.is(chosen(oldest, [newest], [], [middle, oldest]), newest)
})

test('no contract in common: none', (t) => {
  t.is(chosen(strange, undefined, [newest]), undefined)
  t.is(chosen(strange, [], [oldest]), undefined)
})
