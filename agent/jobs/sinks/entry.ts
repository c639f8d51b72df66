// Entries as JSON: records of a queue, and lines of a file (https://jsonlines.org). A payload is text where
// it is UTF-8.
import { readJson } from './json-text.ts'
import type { Entry } from './types.ts'

type Payload = { readonly text: string } | { readonly base64: string }

/** Bytes that are not UTF-8 come as base64. */
function readablePayload(payload: Uint8Array): Payload {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload) }
  } catch {
    return { base64: Buffer.from(payload).toString('base64') }
  }
}

export function encodeEntry({ payload, ...facts }: Entry): string {
  return JSON.stringify({ ...facts, ...readablePayload(payload) })
}

export function decodeEntry(record: string): Entry {
  const { text, base64, ...facts } = JSON.parse(record)
  const payload = typeof text === 'string' ? Buffer.from(text) : Buffer.from(base64, 'base64')
  return { ...facts, payload }
}

/** The payload is `data` when it is JSON, with its numbers as they are; else `text`, else `base64`. */
export function jsonLine({ id, job, time, cost, asset, authentic, payload }: Entry): string {
  const paid = asset === undefined ? { cost } : { cost, asset }
  const bought = { id, job, time: new Date(time).toISOString(), ...paid, authentic }
  const readable = readablePayload(payload)
  const data = 'text' in readable ? readJson(readable.text) : undefined
  if (data === undefined) return `${JSON.stringify({ ...bought, ...readable })}\n`
  return `${JSON.stringify(bought).slice(0, -1)},"data":${data.text()}}\n`
}

/** What our own lines say of themselves; undefined for a line of somebody else. */
export function lineFacts(
  line: string,
): { readonly id: string; readonly time: number } | undefined {
  try {
    const { id, time } = JSON.parse(line)
    const at = Date.parse(time)
    return typeof id === 'string' && !Number.isNaN(at) ? { id, time: at } : undefined
  } catch {
    return undefined
  }
}
