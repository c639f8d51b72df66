// Makes a got instance pay, `gotPayments(agent)`, or with `mine.extend(gotPayments(agent))` one with options
// of its own.
import { Readable } from 'node:stream'
import got, { type Got, type NormalizedOptions } from 'got'
import type { HeaderFields } from '../protocol/index.ts'
import type { Agent, RequestOptions } from './options.ts'

/**
 * A got instance whose requests are sent and paid by `agent`. The agent's own time limits and TLS trust
 * hold. got repeats nothing, because a repeated request would be paid twice, and follows no redirect.
 * @example
 * const paid = gotPayments(agent, { job: 'weather' })
 * const reading = await paid('http://192.168.1.10:8080/reading').json()
 */
export function gotPayments(
  agent: Agent,
  payment: Pick<RequestOptions, 'job' | 'mostPrice'> = {},
): Got {
  return got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    // The agent's transport decodes; done twice it would fail.
    decompress: false,
    hooks: {
      beforeRequest: [
        async (options) => {
          const { status, headers, body } = await agent.stream(String(options.url), {
            ...payment,
            method: options.method,
            headers: headerFields(options.headers),
            ...bodyOf(options),
            ...(options.signal && { signal: options.signal }),
          })
          return incoming(status, headers, body) as never
        },
      ],
    },
  })
}

function bodyOf({ body }: NormalizedOptions): { readonly body?: string | Uint8Array } {
  if (body === undefined) return {}
  if (typeof body === 'string' || body instanceof Uint8Array) return { body }
  throw new TypeError('a body that is paid for must be text or bytes: it may have to be sent again')
}

function headerFields(headers: NodeJS.Dict<string | string[]>): HeaderFields {
  const fields: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) fields[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return fields
}

/** What got reads of an answer in place of a node:http IncomingMessage. */
function incoming(
  statusCode: number,
  received: NodeJS.Dict<string | string[]>,
  body: Readable,
): Readable {
  const { 'content-encoding': _, ...headers } = received
  return Object.assign(Readable.from(body), { statusCode, headers, rawHeaders: [], complete: true })
}
