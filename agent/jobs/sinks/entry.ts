// Entries as JSON: records of a queue, and lines of a file (https://jsonlines.org). A payload is text where
// it is UTF-8.
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

/** The payload is `data` when it is JSON, else `text`, else `base64`. */
export function jsonLine({ id, job, time, cost, authentic, payload }: Entry): string {
  const bought = { id, job, time: new Date(time).toISOString(), cost, authentic }
  return `${JSON.stringify({ ...bought, ...dataOf(payload) })}\n`
}

function dataOf(payload: Uint8Array): object {
  const readable = readablePayload(payload)
  if (!('text' in readable)) return readable
  try {
    return { data: JSON.parse(readable.text) }
  } catch {
    return readable
  }
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
