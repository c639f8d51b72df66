// How to pay from elsewhere, as text: pure functions.

/** As a shell takes it, whatever is in the URL. */
export function agentCommand(url: string): string {
  return `uraiden-agent get ${/^[\w:/.~%-]+$/.test(url) ? url : `'${url.replaceAll("'", "'\\''")}'`}`
}

/** The dark squares of a QR code as the path of an SVG; runs in a row are one piece. */
export function darkPath(rows: readonly (readonly boolean[])[]): string {
  return rows
    .flatMap((row, y) =>
      row.map((isDark, x) => {
        if (!isDark || row[x - 1]) return ''
        const end = row.indexOf(false, x)
        const width = (end < 0 ? row.length : end) - x
        return `M${x} ${y}h${width}v1h-${width}z`
      }),
    )
    .join('')
}
