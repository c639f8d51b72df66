// What a table says of how the cost of a fleet has grown.
import test from 'ava'
import { growthOf, stageTable } from '../../bench/lib/fleet/report.ts'
import { type Cost, type FleetRow, stages } from '../../bench/lib/fleet/stages.ts'

const cost = (count: number, nodeCpu: number, postgresCpu = 0): Cost => ({
  ...{ count, seconds: 1, nodeCpu, postgresCpu },
  ...{ wal: 10 * count, commits: count, written: undefined },
})

test('growth is of one unit, on both sides together', (t) => {
  t.is(growthOf(cost(10, 100, 100), undefined), undefined)
  t.is(growthOf(cost(100, 1000, 1000), cost(10, 100, 100)), 1)
  t.is(growthOf(cost(100, 10_000, 2000), cost(10, 100, 300)), 3)
})

test('each stage has a line for each size', (t) => {
  const row = (channels: number, nodeCpu: number): FleetRow => ({
    ...{ store: 'postgres', channels, memory: { heap: 1, resident: 1 }, transactions: 1 },
    stages: Object.fromEntries(
      stages.map((stage) => [stage, cost(channels, nodeCpu)]),
    ) as FleetRow['stages'],
  })
  const lines = stageTable([row(10, 100), row(100, 2000)]).split('\n')
  t.is(lines.length, 2 + 2 * stages.length + 1)
  t.is(lines[2], '| open | 10 | 1.0 | 10 | 0 | – | 10 | 1.000 | – |')
  t.is(lines[3], '| open | 100 | 1.0 | 20 | 0 | 2.00 | 10 | 1.000 | – |')
})
