// JSON lines (https://jsonlines.org): how an entry becomes one, and what the last one of a file says.
import { readablePayload } from './entry.ts'
import type { Entry } from './types.ts'

/** The payload is `data` when it is JSON, else `text`, else `base64`. */
export function jsonLine({ id, job, time, cost, payload }: Entry): string {
  const bought = { id, job, time: new Date(time).toISOString(), cost }
  return `${JSON.stringify({ ...bought, ...readable(payload) })}\n`
}

function readable(payload: Uint8Array): object {
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
