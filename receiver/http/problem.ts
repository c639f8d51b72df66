// What a client sees when a configured resource cannot be had (RFC 9457).
import type { FastifyReply } from 'fastify'

export interface Problem {
  readonly status: number
  /** Stable, one per cause. */
  readonly code: string
  readonly title: string
  /** What to do. Nothing of the machine's inside: that is for the log. */
  readonly detail: string
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(problemBody(problem))
}

export function problemBody(problem: Problem): string {
  return JSON.stringify({ type: `urn:uraiden:problem:${problem.code}`, ...problem })
}

/** For failures after the payment: an answer of 500 or more costs nothing. */
export const nothingCharged = 'Nothing was charged: the same payment is good for the next try.'
