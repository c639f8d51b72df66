// The sink that is standard output: one line for each entry.
import type { Writable } from 'node:stream'
import { UraidenError } from '../../../protocol/index.ts'
import type { Sink } from './types.ts'

export function createStreamSink(stream: Writable): Sink {
  // Each write is told of its own error; without a listener the stream's would end the process.
  stream.on('error', ignore)
  return {
    deliver: async (entries) => {
      const lines = entries.flatMap(({ payload }) => [payload, Buffer.from('\n')])
      await new Promise<void>((resolve, reject) => {
        stream.write(Buffer.concat(lines), (error) => (error ? reject(gone(error)) : resolve()))
      })
      return entries.length
    },
    stop: async () => {
      stream.off('error', ignore)
    },
  }
}

function ignore(): void {}

function gone(cause: Error): UraidenError {
  return new UraidenError({
    code: 'output_closed',
    message: `Nobody reads standard output any more (${cause.message}).`,
    hint: 'What was bought waits in the queue.',
    cause,
  })
}
