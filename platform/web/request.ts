// Requests of node:http, as small servers read them.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readAtMost } from '../http/read-at-most.ts'

/** A request and where it is answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * All content, or undefined when it is more than `most` bytes. The request is left intact then: a refusal
 * still has to go back on its connection.
 */
export function readContent(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  return readAtMost(request.iterator({ destroyOnReturn: false }), most)
}
