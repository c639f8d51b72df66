// What a page says that a command prints, beside what it printed.

/** Lines of `documented` of which `printed` has none like it: numbers, hashes, bars and the home folder may differ. */
export function notPrinted(documented: string, printed: string, home: string): readonly string[] {
  const lines = new Set(printed.split('\n').map((line) => form(line, home)))
  return documented.split('\n').filter((line) => !lines.has(form(line, '/home/me')))
}

function form(line: string, home: string): string {
  return line
    .replaceAll(home, '~')
    .replaceAll(/0x[0-9a-fA-F]*(…[0-9a-fA-F]*)?/g, 'HASH')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}/g, 'HASH')
    .replaceAll(/[█▏▎▍▌▋▊▉·]+/g, 'BAR')
    .replaceAll(/\d+([.,]\d+)*(e-\d+)?/g, 'N')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
