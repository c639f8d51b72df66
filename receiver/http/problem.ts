// What a client sees when a request cannot be answered as it should (RFC 9457).
import type { FastifyReply } from 'fastify'

export interface Problem {
  readonly status: number
  /** Stable, one per cause. */
  readonly code: string
  readonly title: string
  /** What to do. Nothing of the machine's inside: that is for the log. */
  readonly detail: string
}

export const problemType = 'application/problem+json'

export function problemBody(problem: Problem): string {
  return JSON.stringify({ type: `urn:uraiden:problem:${problem.code}`, ...problem })
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).header('content-type', problemType).send(problemBody(problem))
}

/** For failures after the payment: an answer of 500 or more costs nothing. */
export const nothingCharged = 'Nothing was charged: the same payment is good for the next try.'
