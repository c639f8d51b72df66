import test from 'ava'
import { checkListed, withContracts } from '../../../platform/config/index.ts'
import type { Address } from '../../../protocol/index.ts'

const [first, second] = ['11', '22'].map((byte) => `0x${byte.repeat(20)}` as Address) as [
  Address,
  Address,
]

test('the first of the list is the contract, with what is said of it', (t) => {
  t.like(withContracts({ contracts: [first, second] }), { contract: first })
  t.like(
    withContracts({ startBlock: 1, contracts: [{ contract: first, startBlock: 5 }, second] }),
    {
      contract: first,
      startBlock: 5,
    },
  )
  t.like(withContracts({ startBlock: 1, contracts: [first] }), { contract: first, startBlock: 1 })
})

test('one that is named stands alone, whatever its case', (t) => {
  const contracts = [first, { contract: second, startBlock: 9 }]
  t.deepEqual(withContracts({ contract: second, contracts }), {
    contract: second,
    startBlock: 9,
    contracts: [contracts[1]],
  })
  const capitals = `0x${'AB'.repeat(20)}`
  const small = [capitals.toLowerCase()]
  t.like(withContracts({ contract: capitals, contracts: small }), { contracts: small })
})

test('what makes no sense is left to the schema, and a name that is not listed is an error', (t) => {
  for (const value of [undefined, null, 5, 'x', [], {}, { contract: first }]) {
    t.is(withContracts(value), value)
  }
  t.like(withContracts({ contracts: [] }), { contract: undefined })
  t.like(withContracts({ contracts: [null] }), { contract: null })
  t.like(withContracts({ contract: second, contracts: [first] }), { contract: second })
  t.notThrows(() => checkListed(first, undefined))
  t.notThrows(() => checkListed(first, [second, first]))
  t.throws(() => checkListed(first, [second]), { code: 'contract_not_listed' })
})
