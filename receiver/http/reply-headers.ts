// The headers of an answer that are part of what was paid for; the rest belongs to one connection.
import type { Reply } from '../channels/store.ts'

const ofTheConnection: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
])

export function keptHeaders(headers: object): Reply['headers'] {
  const kept: { [name: string]: string | readonly string[] } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || ofTheConnection.has(name.toLowerCase())) continue
    kept[name] = Array.isArray(value) ? value.map(String) : String(value)
  }
  return kept
}
