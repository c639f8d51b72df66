import { readFileSync } from 'node:fs'
import test from 'ava'
import { gasOperations, measureGas } from '../../bench/lib/gas.ts'
import { gasTable } from '../../bench/lib/gas-table.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('no operation costs more gas than the snapshot, and the table is current', async (t) => {
  const snapshot = JSON.parse(read('contracts/gas-snapshot.json'))
  const figures = await measureGas()
  t.deepEqual(Object.keys(snapshot), [...gasOperations])
  const risen = gasOperations.filter((key) => figures[key].gas > snapshot[key].gas)
  t.deepEqual(
    risen.map((key) => `${key}: ${snapshot[key].gas} → ${figures[key].gas}`),
    [],
    'write down why, then run ./scripts/bench gas --write',
  )
  // Floors and bytes of data too, and what became cheaper.
  t.deepEqual(figures, snapshot, 'run ./scripts/bench gas --write')
  t.is(gasTable(snapshot), read('docs/reference/gas.md'))
})
