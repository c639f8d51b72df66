// The state whenever it changes, as server-sent events (WHATWG HTML section 9.2). One look serves all
// who listen, and nobody looks when nobody listens.
import type { ServerResponse } from 'node:http'
import type { Milliseconds } from '../../../platform/time/clock.ts'

export interface EventsOptions {
  /** The state, as JSON. */
  readonly look: () => string
  /** Between two looks. */
  readonly every: Milliseconds
  /** At a time. */
  readonly mostStreams: number
}

export interface Events {
  /** False when there are too many. */
  readonly join: (response: ServerResponse) => boolean
  readonly size: () => number
  readonly close: () => void
}

/** Looks without a change until a comment shows whether the connection lives. */
const quietLooks = 15

interface Stream {
  last: string
  quiet: number
}

export function createEvents({ look, every, mostStreams }: EventsOptions): Events {
  const streams = new Map<ServerResponse, Stream>()
  let timer: NodeJS.Timeout | undefined

  function tell(response: ServerResponse, stream: Stream, state: string): void {
    // A reader that does not keep up gets the newest state later, not all of them.
    if (response.writableNeedDrain) return
    if (state === stream.last) {
      stream.quiet++
      if (stream.quiet % quietLooks === 0) response.write(':\n\n')
      return
    }
    stream.last = state
    stream.quiet = 0
    response.write(`data: ${state}\n\n`)
  }

  function leave(response: ServerResponse): void {
    streams.delete(response)
    if (streams.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    join: (response) => {
      if (streams.size >= mostStreams) return false
      const stream = { last: '', quiet: 0 }
      streams.set(response, stream)
      response.once('close', () => leave(response))
      timer ??= setInterval(() => {
        const state = look()
        for (const [each, known] of streams) tell(each, known, state)
      }, every)
      tell(response, stream, look())
      return true
    },
    size: () => streams.size,
    close: () => {
      for (const response of streams.keys()) response.end()
    },
  }
}
