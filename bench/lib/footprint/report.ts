// The figures beside their goals.
import type { CardFigures } from './card.ts'
import type { MemoryFigures } from './memory.ts'
import type { Packages } from './packages.ts'
import type { WorkFigures } from './work.ts'

export interface Footprint {
  readonly packageMB: Packages['megabytes']
  readonly memory: MemoryFigures
  readonly work: WorkFigures
  readonly card: CardFigures
  readonly exposure: number
}

interface Row {
  readonly name: string
  /** Undefined when it was not measured. */
  readonly value: number | undefined
  readonly unit: string
  readonly goal: number
}

/** Each figure that has a goal; it is met at the goal and below. */
function rows({ packageMB, memory, card, exposure }: Footprint): readonly Row[] {
  return [
    { name: 'package, arm64', value: packageMB.arm64, unit: 'MB', goal: 26 },
    { name: 'package, armhf', value: packageMB.armhf, unit: 'MB', goal: 18 },
    { name: 'idle, resident', value: memory.idle.residentMB, unit: 'MB', goal: 62 },
    { name: 'idle, anonymous', value: memory.idle.anonymousMB, unit: 'MB', goal: 16 },
    { name: 'paying, resident', value: memory.paying.residentMB, unit: 'MB', goal: 66 },
    { name: 'paying, anonymous', value: memory.paying.anonymousMB, unit: 'MB', goal: 20 },
    { name: 'written a day, a job a minute', value: card.megabytesPerDay, unit: 'MB', goal: 1 },
    { name: 'exposure', value: exposure, unit: '', goal: 1 },
  ]
}

export function describe(footprint: Footprint): string {
  const { memory, work, card } = footprint
  const goals = rows(footprint).map(
    ({ name, value, unit, goal }) =>
      `${name.padEnd(30)} ${value === undefined ? '-' : `${value} ${unit}`} (goal ${goal}${value !== undefined && value > goal ? ', missed' : ''})`,
  )
  return [
    ...goals,
    `bare Node: ${memory.bareNode.residentMB} MB resident, ${memory.bareNode.anonymousMB} MB anonymous`,
    `the service at most ${memory.serviceMostMB} MB of ${memory.serviceLimitMB} MB; limit met ${memory.limitMet} times`,
    `instructions, millions: bare Node ${work.bareNode}, --help ${work.help}, ready ${work.ready}`,
    `a run writes ${card.bytesPerRun} bytes in ${card.writesPerRun} writes and ${card.flushesPerRun} flushes; the daemon itself ${card.daemonBytesPerRun}; idle ${card.idleBytesPerHour} bytes an hour`,
    '',
  ].join('\n')
}
