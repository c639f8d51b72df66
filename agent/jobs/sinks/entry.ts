// Entries as records: JSON, the payload as text where it is UTF-8.
import type { Entry } from './types.ts'

type Payload = { readonly text: string } | { readonly base64: string }

/** Bytes that are not UTF-8 come as base64. */
export function readablePayload(payload: Uint8Array): Payload {
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
