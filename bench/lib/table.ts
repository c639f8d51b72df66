/** As Markdown has them. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n')
}

/** A figure, or a dash for what was not measured. */
export function cell(value: number | undefined, digits = 0): string {
  return value?.toFixed(digits) ?? '–'
}
