// Which failures of a request prove that no payment has left.
import test from 'ava'
import type { RequestError } from 'got'
import { transportError } from '../../../agent/transport/transport-errors.ts'

const failure = (code: string, syscall?: string) =>
  Object.assign(new Error(code), { code, ...(syscall && { syscall }) })

const failed = (cause: Error, more: object = {}) => {
  const { code } = cause as { readonly code?: string }
  return Object.assign(new Error(cause.message, { cause }), { code, ...more }) as RequestError
}

const twice = (...errors: readonly Error[]) =>
  Object.assign(new AggregateError(errors, 'ECONNREFUSED'), { code: 'ECONNREFUSED' })

const cases: readonly {
  readonly what: string
  readonly error: RequestError
  readonly code: string
}[] = [
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPERM'].map((code) => ({
    what: `${code} while connecting`,
    error: failed(failure(code, 'connect')),
    code: 'receiver_unreachable',
  })),
  ...['ENOTFOUND', 'EAI_AGAIN'].map((code) => ({
    what: `${code} for the name`,
    error: failed(failure(code, 'getaddrinfo')),
    code: 'receiver_unreachable',
  })),
  {
    what: 'every address of the name refuses',
    error: failed(twice(failure('ECONNREFUSED', 'connect'), failure('ECONNREFUSED', 'connect'))),
    code: 'receiver_unreachable',
  },
  ...['lookup', 'connect'].map((event) => ({
    what: `no end of ${event}`,
    error: failed(failure('ETIMEDOUT'), { event }),
    code: 'receiver_unreachable',
  })),
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET'].map((code) => ({
    what: `${code} on a connection that has sent`,
    error: failed(failure(code, 'read')),
    code: 'answer_lost',
  })),
  { what: 'EPIPE', error: failed(failure('EPIPE', 'write')), code: 'answer_lost' },
  {
    what: 'no answer in time',
    error: failed(failure('ETIMEDOUT'), { event: 'request' }),
    code: 'answer_lost',
  },
  {
    what: 'a certificate of somebody else',
    error: failed(failure('ERR_CERTIFICATE_NOT_PINNED')),
    code: 'receiver_untrusted',
  },
  { what: 'no HTTP', error: failed(failure('HPE_INVALID_CONSTANT')), code: 'answer_malformed' },
]

for (const { what, error, code } of cases) {
  test(`${what}: ${code}`, (t) => {
    t.is(transportError({ url: new URL('http://receiver/x') }, error).code, code)
  })
}
