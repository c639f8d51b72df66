// What a client sees when a request cannot be answered as it should (RFC 9457).
import type { FastifyReply } from 'fastify'
import { notStored } from '../paywall/caching.ts'

export interface Problem {
  readonly status: number
  /** Stable, one per cause. */
  readonly code: string
  readonly title: string
  /** What to do. Nothing of the machine's inside: that is for the log. */
  readonly detail: string
}

const problemType = 'application/problem+json'

/** It is about one request, and the next one may be right. */
export const problemHeaders = { 'content-type': problemType, ...notStored } as const

export function problemBody(problem: Problem): string {
  return JSON.stringify({ type: `urn:uraiden:problem:${problem.code}`, ...problem })
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).headers(problemHeaders).send(problemBody(problem))
}

/** For a request that could be read in two ways (protocol/target.ts). */
export const notPlain = {
  status: 400,
  code: 'path_ambiguous',
  title: 'Bad request',
  detail:
    'Write the path as it is: from its first slash on, without dot segments, backslashes, semicolons, control characters, fragments and encoded slashes or dots.',
} as const satisfies Problem

/** With it a browser asks for a script to make a service worker of (Service Workers section 8.3). */
export const workerHeader = 'service-worker'

/** What is sold would stand between the payer and all other goods, and the paywall's own page. */
export const noWorkers = {
  status: 403,
  code: 'worker_refused',
  title: 'No service workers here',
  detail: 'What is sold here does not become a service worker. Ask for it as a page does.',
} as const satisfies Problem

/** For failures after the payment: an answer of 500 or more costs nothing. */
export const nothingCharged = 'Nothing was charged: the same payment is good for the next try.'
