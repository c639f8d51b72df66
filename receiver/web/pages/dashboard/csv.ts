// What the dashboard saves as files: a pure function.
/** RFC 4180. Amounts in the smallest unit: spreadsheets round what has a point. */
export function csvOf(names: readonly string[], rows: readonly (readonly string[])[]): string {
  return [names, ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
}

/** A quote before =, +, - or @ keeps a spreadsheet from taking a cell for a formula. */
function quoted(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
