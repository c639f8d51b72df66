// Fields of JSON bodies, each read by one parser; an error names the field.
import { isUraidenError, shorten, UraidenError } from '../../../protocol/index.ts'

/**
 * A text field. Numbers are taken where they are exact.
 * @throws UraidenError `field_missing`, `field_invalid`
 */
export function field<Value>(body: unknown, name: string, parse: (text: string) => Value): Value {
  const given = (body as { readonly [field: string]: unknown } | null | undefined)?.[name]
  const text = typeof given === 'number' && Number.isSafeInteger(given) ? `${given}` : given
  if (typeof text !== 'string') {
    throw new UraidenError({
      code: 'field_missing',
      message: `${name}: it is missing, or neither text nor an exact number.`,
      hint: 'Send a JSON object; write amounts as decimal strings.',
    })
  }
  try {
    return parse(text)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    throw new UraidenError({
      code: 'field_invalid',
      message: `${name}: ${shorten(error.message, 300)}`,
      hint: error.hint,
    })
  }
}
