// The head of a response of node:http, brought together before it is sent.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { paidCaching } from '../paywall/caching.ts'

/** Of writeHead: status, perhaps its text, and headers by name or as a flat list. */
export function takeHead(response: ServerResponse, [status, ...rest]: readonly unknown[]): void {
  response.statusCode = Number(status)
  if (typeof rest[0] === 'string') response.statusMessage = rest[0]
  const headers = rest.find((each) => typeof each === 'object' && each !== null)
  if (headers === undefined) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
      if (value !== undefined) response.setHeader(name, value)
    }
    return
  }
  const flat: readonly unknown[] = headers.flat()
  const seen = new Set<string>()
  for (let at = 0; at < flat.length; at += 2) {
    const name = `${flat[at]}`
    if (seen.has(name.toLowerCase())) response.appendHeader(name, `${flat[at + 1]}`)
    else response.setHeader(name, `${flat[at + 1]}`)
    seen.add(name.toLowerCase())
  }
}

/** Of an answer that was paid for, before it begins. */
export function keepToBuyer(response: ServerResponse): void {
  response.setHeader('cache-control', paidCaching(response.getHeader('cache-control')))
}
