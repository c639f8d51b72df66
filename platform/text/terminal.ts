// What others have written, such as a receiver's words or a Raspberry Pi's, on a person's terminal: escapes
// there move the cursor, retitle the window, or forge a line of ours.

/** Controls of ASCII and ISO 6429 but tab and line feed; what turns the direction of a text. */
const controls = /[^\P{Cc}\t\n]|[\u2028-\u202e\u2066-\u2069]/gu

/** With `�` in their places. */
export function withoutControls(text: string): string {
  return text.replace(controls, '\ufffd')
}

const colour = new RegExp(`(${'\u001b'}\\[(?:0|31|32|33)m)`)

/** The same for a text in which there may be colours of `createOutput`. */
export function colouredWithoutControls(text: string): string {
  const parts = text.split(colour)
  return parts.map((part, index) => (index % 2 === 1 ? part : withoutControls(part))).join('')
}

/** In JSON they are written in another way, and the value stays as it was. */
export function jsonWithoutControls(json: string): string {
  return json.replace(
    controls,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
