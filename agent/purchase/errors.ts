// Why a payment was not made, or made and not honoured. Each says what became of the money.

import {
  type Address,
  formatAmount,
  isUraidenError,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export function cheated(receiver: Address, balance: TokenAmount, token: TokenUnit): UraidenError {
  return agentError({
    code: 'receiver_cheats',
    message: `The receiver ${receiver} keeps the payment that makes ${formatAmount(balance, token)} and refuses what was paid for.`,
  })
}

export function unproven(receiver: Address, claimed: TokenAmount | undefined): UraidenError {
  return agentError({
    code: 'balance_unproven',
    message: `The receiver ${receiver} says the channel stands at ${claimed ?? 'no balance'}, without our signature under it.`,
  })
}

/** The key is not said: it may be another program's. */
export function keyReused(before: string): UraidenError {
  return agentError({
    code: 'idempotency_key_reused',
    message: `This idempotency key belongs to another request: ${before}, or one with another body.`,
  })
}

export function proofRefused(receiver: Address): UraidenError {
  return agentError({
    code: 'proof_refused',
    message: `The receiver ${receiver} refuses our balance proof as invalid.`,
  })
}

export function channelDisowned(receiver: Address): UraidenError {
  return agentError({
    code: 'channel_disowned',
    message: `The receiver ${receiver} does not know a channel that is open on the chain.`,
  })
}

export function refusedRepeatedly(receiver: Address): UraidenError {
  return agentError({
    code: 'payment_refused',
    message: `The receiver ${receiver} refuses every payment.`,
  })
}

export function notConfirmed(receiver: Address): UraidenError {
  return agentError({
    code: 'channel_unconfirmed',
    message: `The receiver ${receiver} has not seen our channel confirmed in time.`,
    hint: 'The payment stays reserved. Try again when more blocks are mined.',
  })
}

export function notAReceiver(url: URL, cause: UraidenError): UraidenError {
  return agentError({
    code: 'terms_unreadable',
    message: `${url.origin} answers 402, but its terms cannot be read: ${cause.message}`,
    hint: cause.hint,
    cause,
  })
}

export function notAuthentic({ origin }: URL): UraidenError {
  return agentError({
    code: 'answer_not_authentic',
    message: `Nothing proves that what came from ${origin} is the receiver’s answer to this request.`,
  })
}

/** The transport's error, with the key that repeats the request without paying twice. */
export function lostWithKey(error: UraidenError, key: string): UraidenError {
  const { code, message } = error
  return new UraidenError({
    code,
    message,
    hint: `The payment stays counted. Repeat the request with the idempotency key ${key}: the same proof pays for it.`,
    cause: error,
  })
}

/** The same where an authorization by x402 was sent: nothing is said but what helps there. */
export function lostWithAuthorization(error: unknown): unknown {
  if (!isUraidenError(error)) return error
  const { code, message } = error
  return new UraidenError({
    code,
    message,
    hint: 'The payment stays counted. Repeat the request: the same authorization pays for it while it is good.',
    cause: error,
  })
}
