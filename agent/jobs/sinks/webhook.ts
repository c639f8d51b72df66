// The sink that is a URL: each entry is one request. Its id is the idempotency key, so that a receiver of
// the hook can tell a repetition.

import { headersIn, urlIn } from '../../../platform/http/webhook-files.ts'
import { printedUrl } from '../../../platform/text/printed.ts'
import type { HeaderFields, UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { Entry, Sink } from './types.ts'

export interface WebhookOptions {
  /** Given here or in `urlFile`. */
  readonly url?: string | undefined
  readonly urlFile?: string | undefined
  readonly method: 'POST' | 'PUT'
  readonly headers: HeaderFields
  readonly headersFile?: string | undefined
  /** For one answer, in milliseconds. */
  readonly timeout: number
}

/** About this body and no other: it will be refused again, and the next ones perhaps not. */
const refusing = new Set([400, 413, 415, 422])

export function createWebhookSink(options: WebhookOptions): Sink {
  const stopping = new AbortController()
  return {
    deliver: async (entries) => {
      for (const [arrived, entry] of entries.entries()) {
        try {
          await send(options, entry, stopping.signal)
        } catch (error) {
          if (arrived > 0) return arrived
          throw error
        }
      }
      return entries.length
    },
    stop: async () => stopping.abort(),
  }
}

async function send(options: WebhookOptions, entry: Entry, signal: AbortSignal): Promise<void> {
  const url = options.url ?? (await urlIn(options.urlFile ?? '', fileUnusable))
  const headers = { ...options.headers, ...(await headersIn(options.headersFile, fileUnusable)) }
  const status = await statusOf({ ...options, url, headers }, entry, signal)
  if (status >= 200 && status < 300) return
  throw agentError({
    code: refusing.has(status) ? 'entry_refused' : 'webhook_failed',
    message: `The webhook ${printedUrl(url)} answers with HTTP status ${status}.`,
    hint: 'Look at what answers there. What was bought waits in the queue, unless this status refuses it.',
  })
}

function fileUnusable(file: string, why: string): UraidenError {
  return agentError({
    code: 'webhook_failed',
    message: `The webhook’s file ${file} cannot be used: ${why}.`,
    hint: 'Correct the file. What was bought waits in the queue.',
  })
}

function entryHeaders({ id, job, time, contentType, authentic }: Entry): HeaderFields {
  return {
    'Content-Type': contentType,
    'Idempotency-Key': id,
    'X-Uraiden-Job': job,
    'X-Uraiden-Time': new Date(time).toISOString(),
    ...(authentic !== undefined && { 'X-Uraiden-Authentic': `${authentic}` }),
  }
}

function statusOf(
  { url, method, headers, timeout }: WebhookOptions & { readonly url: string },
  entry: Entry,
  signal: AbortSignal,
): Promise<number> {
  const fields = { ...entryHeaders(entry), ...headers }
  const body = Buffer.from(entry.payload)
  return requestStatus({ url, method, headers: fields, body, timeout }, signal, (code) =>
    agentError({
      code: 'webhook_failed',
      message: `The webhook ${printedUrl(url)} cannot be reached (${code}).`,
      hint: 'Check the URL and the network. What was bought waits in the queue.',
    }),
  )
}

interface SinkRequest {
  readonly url: string
  readonly method: 'POST' | 'PUT'
  readonly headers: HeaderFields
  readonly body: Buffer
  /** In milliseconds. */
  readonly timeout: number
}

/** `unreachable` makes the error where there is no answer. @throws what it makes */
export async function requestStatus(
  { url, method, headers, body, timeout }: SinkRequest,
  signal: AbortSignal,
  unreachable: (code: string) => UraidenError,
): Promise<number> {
  // With the first delivery: a daemon that waits does without its memory.
  const { default: got, RequestError } = await import('got')
  try {
    const { statusCode } = await got(url, {
      method,
      headers,
      body,
      timeout: { request: timeout },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      signal,
    })
    return statusCode
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    throw unreachable(error.code)
  }
}
