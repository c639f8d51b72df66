// What a fleet has cost, for people: a line for each stage, with how its cost has grown since the size before.
import { cell, markdownTable } from '../table.ts'
import { type Cost, type FleetRow, stages } from './stages.ts'

/** CPU of one unit on both sides against that of the size before; undefined of the smallest. */
export function growthOf(cost: Cost, before: Cost | undefined): number | undefined {
  return before && eachOf(cost, cpuOf(cost)) / eachOf(before, cpuOf(before))
}

const cpuOf = ({ nodeCpu, postgresCpu }: Cost) => nodeCpu + postgresCpu

function eachOf({ count }: Cost, sum: number): number {
  return sum / count
}

/** `rows`: of one store, in rising order. */
export function stageTable(rows: readonly FleetRow[]): string {
  const head = [
    'stage',
    'channels',
    'seconds',
    'CPU µs Node',
    'CPU µs PostgreSQL',
    'of the size before',
    'WAL bytes',
    'commits',
    'written bytes',
  ]
  const lines = stages.flatMap((stage) =>
    rows.map((row, at) => {
      const cost = row.stages[stage]
      const each = (sum: number | undefined) => sum && eachOf(cost, sum)
      return [
        stage,
        `${row.channels}`,
        cost.seconds.toFixed(1),
        cell(each(cost.nodeCpu)),
        row.store === 'postgres' ? cell(each(cost.postgresCpu)) : '–',
        cell(growthOf(cost, rows[at - 1]?.stages[stage]), 2),
        cell(each(cost.wal)),
        cell(each(cost.commits), 3),
        cell(each(cost.written)),
      ]
    }),
  )
  return markdownTable(head, lines)
}

export function memoryTable(rows: readonly FleetRow[]): string {
  const lines = rows.map(({ store, channels, memory: { heap, resident } }) => {
    return [store, `${channels}`, (heap / 1e6).toFixed(0), (resident / 1e6).toFixed(0)]
  })
  return markdownTable(['store', 'channels', 'heap MB', 'resident MB'], lines)
}
