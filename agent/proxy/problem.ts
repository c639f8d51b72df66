// How a refusal is told to a program: a status, which follows from the catalogues of errors, and problem
// details (RFC 9457).

import { platformErrors } from '../../platform/errors/index.ts'
import {
  type ErrorCatalogue,
  type ErrorEntry,
  type ErrorKind,
  protocolErrors,
} from '../../protocol/errors.ts'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { agentError, agentErrors } from '../errors/index.ts'
import { type Field, proxyName } from './fields.ts'

export interface Problem {
  readonly status: number
  readonly fields: readonly Field[]
  readonly body: string
}

interface Words {
  readonly title: string
  /** RFC 9209 section 2.3. */
  readonly proxyError: string
}

const own: ErrorCatalogue = agentErrors
/** Their statuses are those of a receiver's API, and say nothing of a proxy. */
const below: ErrorCatalogue = { ...protocolErrors, ...platformErrors }

/** Whose matter it is says what the program should do: correct its request, give up, or try again. */
const statusOfKind: { readonly [Kind in ErrorKind]: number } = {
  usage: 400,
  refused: 402,
  receiver: 502,
  chain: 503,
  state: 503,
  key: 500,
  failed: 500,
}

const requestError = 'http_request_error'
const denied = 'http_request_denied'

const wordsOfStatus: { readonly [status: number]: Words } = {
  400: { title: 'Bad request', proxyError: requestError },
  402: { title: 'Not paid', proxyError: denied },
  403: { title: 'Refused by the proxy', proxyError: denied },
  405: { title: 'Method not allowed', proxyError: requestError },
  407: { title: 'Proxy authentication required', proxyError: denied },
  413: { title: 'Content too large', proxyError: requestError },
  422: { title: 'Key of another request', proxyError: requestError },
  501: { title: 'Unknown transfer coding', proxyError: requestError },
  502: { title: 'The receiver breaks the rules', proxyError: 'http_protocol_error' },
  503: { title: 'Cannot pay now', proxyError: 'destination_unavailable' },
  504: { title: 'No answer in time', proxyError: 'connection_timeout' },
  508: { title: 'Loop', proxyError: 'proxy_loop_detected' },
}

const unexpected: Words = { title: 'Internal error', proxyError: 'proxy_internal_error' }
const noAnswer: Words = { title: 'No answer', proxyError: 'http_response_incomplete' }
const noBooks: Words = { title: 'Cannot keep books now', proxyError: 'proxy_internal_error' }

/** Where a status alone says too little. */
const wordsOfCode: { readonly [code: string]: Words } = {
  receiver_unreachable: { title: 'Unreachable', proxyError: 'connection_refused' },
  aborted: noAnswer,
  answer_lost: noAnswer,
  answer_malformed: noAnswer,
  answer_too_large: noAnswer,
  ledger_damaged: noBooks,
  state_unreadable: noBooks,
}

const fieldsOfStatus: { readonly [status: number]: readonly Field[] } = {
  407: [['Proxy-Authenticate', `Basic realm="${proxyName}", charset="UTF-8"`]],
  503: [['Retry-After', '10']],
}

/** What the receiver asks for contradicts its contract; a program's own amount in another token is rarer. */
const statusOfOthers: ReadonlyMap<string, number> = new Map([['wrong_token', 402]])

/** An error that is none of ours is a defect: its text stays in the log. */
export function problemOf(thrown: unknown): Problem {
  const error = isUraidenError(thrown) ? thrown : internal(thrown)
  const { code, message, hint } = error
  const status = statusOf(code)
  const { title, proxyError } = wordsOf(code, status)
  const type = `urn:uraiden:problem:${code}`
  return {
    status,
    fields: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
      ['Proxy-Status', `${proxyName}; error=${proxyError}; details="${code}"`],
      ...(fieldsOfStatus[status] ?? []),
    ],
    body: `${JSON.stringify({ type, title, status, detail: `${message} ${hint}`, code })}\n`,
  }
}

function statusOf(code: string): number {
  const entry = entryIn(own, code)
  if (entry !== undefined) return entry.status ?? statusOfKind[entry.kind]
  const { kind = 'failed' } = entryIn(below, code) ?? {}
  return statusOfOthers.get(code) ?? statusOfKind[kind]
}

function wordsOf(code: string, status: number): Words {
  if (Object.hasOwn(wordsOfCode, code)) return wordsOfCode[code] ?? unexpected
  if (entryIn(below, code)?.kind === 'state') return noBooks
  return wordsOfStatus[status] ?? unexpected
}

function entryIn(catalogue: ErrorCatalogue, code: string): ErrorEntry | undefined {
  return Object.hasOwn(catalogue, code) ? catalogue[code] : undefined
}

function internal(cause: unknown): UraidenError {
  return agentError({
    code: 'internal',
    message: 'Something went wrong inside the agent.',
    cause,
  })
}
