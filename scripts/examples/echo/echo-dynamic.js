// The same at a price that depends on the request: a number costs as many units as it says, any other
// text as many as it has characters.
export { handler } from './echo.js'

export function price(_request, { text }) {
  return /^\d{1,18}$/.test(text) ? BigInt(text) : BigInt(text.length)
}
