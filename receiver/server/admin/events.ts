// GET /admin/events: the statistics whenever they change, as server-sent events (WHATWG HTML section
// 9.2). Asked for with fetch, which can send a token.
import { PassThrough } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Receiver } from '../../core/receiver.ts'
import { sendProblem } from '../../http/problem.ts'
import type { BuyerNames } from './buyers.ts'
import { adminStats } from './views.ts'

/** Milliseconds between two looks. */
const lookEvery = 1000

/** Looks without a change until a comment shows that the connection lives. */
const quietLooks = 15

/** Streams at a time: each one looks for itself. */
const mostStreams = 20

export function eventRoutes(
  app: FastifyInstance,
  receiver: Receiver,
  buyers: BuyerNames | undefined,
): void {
  const streams = new Set<PassThrough>()
  // A server that waits for its requests would wait for ever for these.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end()
  })
  app.get<{ Querystring: { readonly count?: string } }>('/admin/events', async (request, reply) => {
    if (streams.size >= mostStreams) {
      reply.header('retry-after', '10')
      return sendProblem(reply, {
        status: 503,
        code: 'too_many_streams',
        title: 'Too many streams',
        detail: 'Close another dashboard, or ask for /admin/stats.',
      })
    }
    const stream = new PassThrough()
    streams.add(stream)
    const most = Number(request.query.count ?? Number.POSITIVE_INFINITY)
    const stop = follow(() => adminStats(receiver, buyers), stream, most)
    stream.once('close', () => {
      stop()
      streams.delete(stream)
    })
    reply.header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
    return reply.send(stream)
  })
}

/** Ends after `most` events. */
function follow(statsOf: () => object, stream: PassThrough, most: number): () => void {
  let last = ''
  let quiet = 0
  let sent = 0
  const look = () => {
    // A reader that does not keep up gets the newest state later, not all of them.
    if (stream.writableNeedDrain) return
    const stats = JSON.stringify(statsOf())
    if (stats === last) {
      quiet++
      if (quiet % quietLooks === 0) stream.write(':\n\n')
      return
    }
    last = stats
    quiet = 0
    sent++
    stream.write(`data: ${stats}\n\n`)
    if (sent >= most) stream.end()
  }
  const timer = setInterval(look, lookEvery)
  look()
  return () => clearInterval(timer)
}
