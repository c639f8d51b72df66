// The daemon's state, as plain data.

import { errorFacts, type LogEntry } from '../control/log.ts'
import type { DaemonStatus } from '../control/status.ts'
import type { Engine } from './engine.ts'
import type { Settings } from './settings.ts'

export interface StatusContext {
  readonly started: number
  readonly file: string
  readonly wanted: Settings
  readonly refused: string | undefined
  readonly troubles: readonly LogEntry[]
  /** The port of the page. */
  readonly page: number | undefined
}

export function daemonStatus(engine: Engine, context: StatusContext): DaemonStatus {
  const { started, file, wanted, refused, troubles, page } = context
  const agent = engine.shared.current()
  const { facts, proxy } = engine
  return {
    pid: process.pid,
    started,
    configuration: { file, loaded: wanted.loaded, refused },
    waiting: waitingFor(engine.shared.problem()),
    paused: engine.paused,
    address: wanted.signer.address,
    token: facts && { symbol: facts.symbol, decimals: facts.decimals },
    jobs: engine.jobs?.status() ?? [],
    channels: agent?.channels() ?? [],
    budget: agent?.budget(),
    proxy: proxy && { port: proxy.port, socket: wanted.config.proxy?.socket },
    page: page === undefined ? undefined : { port: page },
    counters: engine.purchases.counters(),
    troubles,
  }
}

function waitingFor(problem: unknown): DaemonStatus['waiting'] {
  if (problem === undefined) return undefined
  const { code = 'internal', reason } = errorFacts(problem)
  return { code: String(code), message: String(reason) }
}
