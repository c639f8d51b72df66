// A message as text: the part of the agent's templates that a message needs.
import type { Alert } from '../../platform/alerts/told.ts'

export interface Message extends Alert {
  /** RFC 3339. */
  readonly time: string
  /** Whose it is. */
  readonly receiver: string
}

const fields = ['time', 'alert', 'subject', 'state', 'text', 'receiver'] as const
const slot = /\{\{\s*(.*?)\s*\}\}/g

/** The first slot of a template that no message can fill. */
export function unknownField(template: string): string | undefined {
  const named = [...template.matchAll(slot)].map(([, path = '']) => path)
  return named.find((path) => !fields.some((field) => `$.${field}` === path))
}

/** JSON without a template. */
export function bodyOf(message: Message, template: string | undefined): string {
  if (template === undefined) return JSON.stringify(message)
  return template.replace(slot, (_, path: string) => {
    const field = fields.find((each) => `$.${each}` === path)
    return field === undefined ? '' : message[field]
  })
}
