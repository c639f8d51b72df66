// The figures beside their goals.
import type { CardFigures, Written } from './card.ts'
import type { MemoryFigures } from './memory.ts'
import type { Packages } from './packages.ts'
import type { WorkFigures } from './work.ts'

export interface Footprint {
  readonly packageMB?: Packages['megabytes']
  readonly memory?: MemoryFigures
  readonly work?: WorkFigures
  readonly idle: Written
  readonly careful: CardFigures
  readonly gentle: CardFigures
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
function rows({ packageMB, memory, work, careful, gentle, exposure }: Footprint): readonly Row[] {
  return [
    { name: 'package, arm64', value: packageMB?.arm64, unit: 'MB', goal: 26 },
    { name: 'package, armhf', value: packageMB?.armhf, unit: 'MB', goal: 18 },
    { name: 'idle, resident', value: memory?.idle.residentMB, unit: 'MB', goal: 62 },
    { name: 'idle, anonymous', value: memory?.idle.anonymousMB, unit: 'MB', goal: 18 },
    { name: 'paying, resident', value: memory?.paying.residentMB, unit: 'MB', goal: 66 },
    { name: 'paying, anonymous', value: memory?.paying.anonymousMB, unit: 'MB', goal: 21 },
    { name: 'ready, key sealed', value: work?.readyKept, unit: 'M instructions', goal: 700 },
    { name: 'get beside the daemon', value: work?.get, unit: 'M instructions', goal: 500 },
    { name: 'written a day, careful', value: careful.megabytesPerDay, unit: 'MB', goal: 15 },
    { name: 'written a day, gentle', value: gentle.megabytesPerDay, unit: 'MB', goal: 1 },
    { name: 'exposure', value: exposure, unit: '', goal: 1.1 },
  ]
}

export function describe(footprint: Footprint): string {
  const { memory, work, idle, careful, gentle } = footprint
  const goals = rows(footprint).map(
    ({ name, value, unit, goal }) =>
      `${name.padEnd(30)} ${value === undefined ? '-' : `${value} ${unit}`} (goal ${goal}${value !== undefined && value > goal ? ', missed' : ''})`,
  )
  return [
    ...goals,
    ...(memory ? describeMemory(memory) : []),
    ...(work ? describeWork(work) : []),
    `without a job: ${describeWritten(idle)}`,
    ...[
      { name: 'careful', figures: careful },
      { name: 'gentle', figures: gentle },
    ].map(
      ({ name, figures }) =>
        `${name}: ${describeWritten(figures)}; a start and its first runs ${figures.startBytes} bytes`,
    ),
    '',
  ].join('\n')
}

function describeMemory(memory: MemoryFigures): readonly string[] {
  return [
    `bare Node: ${memory.bareNode.residentMB} MB resident, ${memory.bareNode.anonymousMB} MB anonymous; the daemon in the life that opened its channel: ${memory.opened.residentMB} and ${memory.opened.anonymousMB} MB`,
    `the service at most ${memory.serviceMostMB} MB of ${memory.serviceLimitMB} MB; limit met ${memory.limitMet} times`,
  ]
}

function describeWork(work: WorkFigures): readonly string[] {
  return [
    `instructions, millions: bare Node ${work.bareNode}, --help ${work.help}, status ${work.status}, ready with a keystore ${work.ready}, with a sealed key and a configuration to read ${work.readySealed}; of each start ${work.sandbox} are systemd's and the kernel's`,
  ]
}

function describeWritten(written: Written): string {
  return `${written.runs} runs in ${written.seconds} s: ${written.bytes} bytes in ${written.writes} writes and ${written.flushes} flushes, in ${written.minutes.length} minutes; the daemon itself ${written.daemonBytes}; the system's card ${written.systemBytes}`
}
