// Which failures of a request prove that no payment has left.
import test from 'ava'
import { transportError } from '../../../agent/transport/transport-errors.ts'

const failure = (code: string, syscall?: string) =>
  Object.assign(new Error(code), { code, ...(syscall && { syscall }) })

const twice = (...errors: readonly Error[]) =>
  Object.assign(new AggregateError(errors, 'ECONNREFUSED'), { code: 'ECONNREFUSED' })

const cases: readonly {
  readonly what: string
  readonly error: Error
  readonly code: string
}[] = [
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPERM'].map((code) => ({
    what: `${code} while connecting`,
    error: failure(code, 'connect'),
    code: 'receiver_unreachable',
  })),
  ...['ENOTFOUND', 'EAI_AGAIN'].map((code) => ({
    what: `${code} for the name`,
    error: failure(code, 'getaddrinfo'),
    code: 'receiver_unreachable',
  })),
  {
    what: 'every address of the name refuses',
    error: twice(failure('ECONNREFUSED', 'connect'), failure('ECONNREFUSED', 'connect')),
    code: 'receiver_unreachable',
  },
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET'].map((code) => ({
    what: `${code} on a connection that has sent`,
    error: failure(code, 'read'),
    code: 'answer_lost',
  })),
  { what: 'EPIPE', error: failure('EPIPE', 'write'), code: 'answer_lost' },
  {
    what: 'no answer in time',
    error: failure('ETIMEDOUT'),
    code: 'answer_lost',
  },
  {
    what: 'a certificate of somebody else',
    error: failure('ERR_CERTIFICATE_NOT_PINNED'),
    code: 'receiver_untrusted',
  },
  { what: 'no HTTP', error: failure('HPE_INVALID_CONSTANT'), code: 'answer_malformed' },
]

for (const { what, error, code } of cases) {
  test(`${what}: ${code}`, (t) => {
    const told = transportError({ url: new URL('http://receiver/x') }, error)
    t.like(told, { code, cause: error })
  })
}
