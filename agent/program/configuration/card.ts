// `card: gentle`: how often the card is written to, where what waits for it lies, and how many payments have to be
// reserved meanwhile.
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { mostTimesWithin } from '../../../platform/config/every.ts'
import { hour, type Milliseconds } from '../../../platform/time/clock.ts'
import type { AgentConfig } from './config.ts'

/** Between two flushes, where nothing else asks for one. */
export const flushInterval: Milliseconds = 2 * hour

/** Files in memory that take what is not on the card yet. */
export interface SpoolFiles {
  readonly ledger: string
  readonly jobs: string
}

/** Undefined where all goes to the card at once. `folder` is that of the state. */
export function spoolFiles(
  { card }: Pick<AgentConfig, 'card'>,
  folder: string,
  { environment, warn }: { environment: NodeJS.ProcessEnv; warn: (text: string) => void },
): SpoolFiles | undefined {
  if (card === 'careful') return undefined
  // systemd gives a service the one, and whoever logs in the other: both are in memory.
  const memory = environment.RUNTIME_DIRECTORY ?? environment.XDG_RUNTIME_DIR
  if (memory === undefined) {
    warn('card: gentle needs $RUNTIME_DIRECTORY, a folder in memory: everything is written at once')
    return undefined
  }
  const file = (name: string) => fileIn(memory, folder, name)
  return { ledger: file('ledger'), jobs: file('jobs') }
}

/**
 * With `careful`, for a service: what lies there outlasts its restart. The same file as with `gentle`, so that a change
 * of `card` loses nothing either.
 */
export function asideFile(
  { card }: Pick<AgentConfig, 'card'>,
  folder: string,
  { RUNTIME_DIRECTORY: memory }: NodeJS.ProcessEnv,
): string | undefined {
  return card === 'careful' && memory !== undefined ? fileIn(memory, folder, 'jobs') : undefined
}

function fileIn(memory: string, folder: string, name: string): string {
  const state = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 8)
  return join(memory, `uraiden-agent-${state}-${name}.spool`)
}

const usualReservation = 16

/** What of a configuration says how much is bought. */
interface Buying extends Pick<AgentConfig, 'reservation'> {
  readonly jobs: {
    readonly [name: string]: Pick<AgentConfig['jobs'][string], 'get' | 'post' | 'url' | 'every'>
  }
}

/** What the busiest receiver is paid until the next flush, and a quarter more: a run may try again. */
export function gentleReservation({ jobs, reservation = usualReservation }: Buying): number {
  const payments = new Map<string, number>()
  for (const { get, post, url, every } of Object.values(jobs)) {
    const receiver = receiverIn(get ?? post ?? url ?? '')
    const times = mostTimesWithin(every, flushInterval)
    payments.set(receiver, (payments.get(receiver) ?? 0) + times)
  }
  const most = Math.max(0, ...payments.values())
  return Math.max(reservation, usualReservation + Math.ceil(most * 1.25))
}

/** `living-room/temperature`, or a URL. */
function receiverIn(target: string): string {
  return URL.canParse(target) ? new URL(target).origin : (target.split('/')[0] ?? '')
}
