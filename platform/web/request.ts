// Requests of node:http, as small servers read them.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request and where it is answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * All content, or undefined when it is more than `most` bytes. The request is left intact then: a refusal
 * still has to go back on its connection.
 */
export async function readContent(
  request: IncomingMessage,
  most: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size > most) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
