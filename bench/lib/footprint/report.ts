// The figures beside their goals.
import type { CardFigures, GentleFigures } from './card.ts'
import type { MemoryFigures } from './memory.ts'
import type { Packages } from './packages.ts'
import type { WorkFigures } from './work.ts'

export interface Footprint {
  readonly packageMB: Packages['megabytes']
  readonly memory: MemoryFigures
  readonly work: WorkFigures
  readonly card: CardFigures
  readonly gentle?: GentleFigures
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
function rows({ packageMB, memory, work, card, gentle, exposure }: Footprint): readonly Row[] {
  return [
    { name: 'package, arm64', value: packageMB.arm64, unit: 'MB', goal: 26 },
    { name: 'package, armhf', value: packageMB.armhf, unit: 'MB', goal: 18 },
    { name: 'idle, resident', value: memory.idle.residentMB, unit: 'MB', goal: 62 },
    { name: 'idle, anonymous', value: memory.idle.anonymousMB, unit: 'MB', goal: 18 },
    { name: 'paying, resident', value: memory.paying.residentMB, unit: 'MB', goal: 66 },
    { name: 'paying, anonymous', value: memory.paying.anonymousMB, unit: 'MB', goal: 21 },
    { name: 'ready, key sealed', value: work.readyKept, unit: 'M instructions', goal: 700 },
    { name: 'get beside the daemon', value: work.get, unit: 'M instructions', goal: 500 },
    { name: 'written a day, careful', value: card.megabytesPerDay, unit: 'MB', goal: 15 },
    { name: 'written a day, gentle', value: gentle?.megabytesPerDay, unit: 'MB', goal: 1 },
    { name: 'exposure', value: exposure, unit: '', goal: 1.1 },
  ]
}

export function describe(footprint: Footprint): string {
  const { memory, work, card, gentle } = footprint
  const goals = rows(footprint).map(
    ({ name, value, unit, goal }) =>
      `${name.padEnd(30)} ${value === undefined ? '-' : `${value} ${unit}`} (goal ${goal}${value !== undefined && value > goal ? ', missed' : ''})`,
  )
  return [
    ...goals,
    `bare Node: ${memory.bareNode.residentMB} MB resident, ${memory.bareNode.anonymousMB} MB anonymous; the daemon in the life that opened its channel: ${memory.opened.residentMB} and ${memory.opened.anonymousMB} MB`,
    `the service at most ${memory.serviceMostMB} MB of ${memory.serviceLimitMB} MB; limit met ${memory.limitMet} times`,
    `instructions, millions: bare Node ${work.bareNode}, --help ${work.help}, status ${work.status}, ready with a keystore ${work.ready}, with a sealed key and a configuration to read ${work.readySealed}; of each start ${work.sandbox} are systemd's and the kernel's`,
    `a run writes ${card.bytesPerRun} bytes in ${card.writesPerRun} writes and ${card.flushesPerRun} flushes; the daemon itself ${card.daemonBytesPerRun}; idle ${card.idleBytesPerHour} bytes an hour`,
    ...(gentle
      ? [
          `gentle, ${gentle.runs} runs in ${gentle.seconds} s: ${gentle.bytes} bytes in ${gentle.writes} writes and ${gentle.flushes} flushes; the daemon itself ${gentle.daemonBytes}`,
        ]
      : []),
    '',
  ].join('\n')
}
