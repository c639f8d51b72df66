// What an error of got means for a payment: nothing left, or nobody knows.

import type { RequestError } from 'got'
import type { UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export interface FailedRequest {
  readonly url: URL
  readonly signal?: AbortSignal
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_CERTIFICATE_NOT_PINNED',
])

const stillCounted =
  'If a payment was on its way, it stays counted until the receiver says where the channel stands.'

/** Why no answer came, and what became of a payment that was on its way. */
export function transportError({ url, signal }: FailedRequest, error: RequestError): UraidenError {
  const { message } = error
  // An aborted signal's reason has a number there.
  const code = String(error.code)
  if (signal?.aborted) {
    const told = `The request to ${url.origin} was aborted.`
    return agentError({ code: 'aborted', message: told, hint: stillCounted, cause: error })
  }
  if (leftNothing(error)) {
    return agentError({
      code: 'receiver_unreachable',
      message: `${url.origin} cannot be reached (${code}).`,
      hint: 'Check the address, the network, and that the receiver runs. Nothing was sent.',
      cause: error,
    })
  }
  if (untrusted.has(code)) {
    return agentError({
      code: 'receiver_untrusted',
      message: `${url.origin} shows a certificate that is not trusted: ${message}.`,
      cause: error,
    })
  }
  if (code.startsWith('HPE_')) {
    return agentError({
      code: 'answer_malformed',
      message: `The answer of ${url.origin} is not HTTP that can be read (${code}).`,
      hint: stillCounted,
      cause: error,
    })
  }
  return agentError({
    code: 'answer_lost',
    message: `No answer came from ${url.origin} (${code}).`,
    hint: stillCounted,
    cause: error,
  })
}

/**
 * DNS and TCP failed before the first byte of the request. By what was being done and not by the error's
 * code: a host becomes unreachable on a connection that has sent, too.
 */
function leftNothing(error: RequestError): boolean {
  const { event } = error as { readonly event?: unknown }
  if (event === 'lookup' || event === 'connect') return true
  const { cause } = error
  // One for each address of the name.
  const causes: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause]
  return causes.length > 0 && causes.every(isOfConnecting)
}

function isOfConnecting(cause: unknown): boolean {
  const { syscall } = Object(cause) as { readonly syscall?: unknown }
  return syscall === 'connect' || syscall === 'getaddrinfo'
}
