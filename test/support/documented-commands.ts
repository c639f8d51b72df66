// The command lines of our own programs in a Markdown page's blocks of code.

export interface DocumentedCommand {
  /** Of the script or program: `chain`, `bench gas`, `uraiden-agent`. */
  readonly name: string
  readonly args: readonly string[]
  readonly text: string
  /** Of the page, counted from 1. */
  readonly line: number
}

interface Line {
  readonly text: string
  readonly line: number
}

/** Lines of shell, as they are typed: without prompts, continued lines as one. */
export function shellLines(page: string): readonly Line[] {
  const blocks = [...page.matchAll(/^( *)```(?:sh|bash|console)?\n(.*?)^\1```/gms)]
  return blocks.flatMap(({ 2: content = '', index }) => {
    const first = page.slice(0, index).split('\n').length + 1
    const lines = joined(content).map(({ text, line }) => ({
      text: text.trim(),
      line: line + first,
    }))
    const typed = lines.filter(({ text }) => text.startsWith('$ '))
    // Where there are prompts, all else is what is answered.
    const own = typed.length > 0 ? typed : lines
    return own.map(({ text, line }) => ({ text: text.replace(/^\$ /, ''), line }))
  })
}

export function documentedCommands(page: string): readonly DocumentedCommand[] {
  return shellLines(page).flatMap(({ text, line }) => {
    const [, name = '', rest = ''] =
      /^(?:sudo )?(?:\.\/scripts\/|(?:\.\/)?deploy\/pi\/|(?=uraiden-(?:agent|receiver)(?: |$)))([a-z][a-z-]*)(?: (.*)|$)/.exec(
        text,
      ) ?? []
    if (name === '') return []
    const args = words(rest)
    const [own = ''] = args
    // One script for several programs.
    return ['bench', 'torture'].includes(name)
      ? own === 'NAME' || own === ''
        ? []
        : [{ name: `${name} ${own}`, args: args.slice(1), text, line }]
      : [{ name, args, text, line }]
  })
}

function joined(content: string): readonly Line[] {
  const lines: Line[] = []
  let open: Line | undefined
  for (const [line, text] of content.split('\n').entries()) {
    const whole = open === undefined ? { text, line } : { ...open, text: `${open.text}${text}` }
    open = whole.text.endsWith('\\') ? { ...whole, text: whole.text.slice(0, -1) } : undefined
    if (open === undefined) lines.push(whole)
  }
  return lines
}

const anAddress = `0x${'12'.repeat(20)}`

/** What a shell makes of them, up to a comment, a pipe, a redirection or the next command. */
function words(text: string): readonly string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(
    /\s+|\$\([^)]*\)|(?:"[^"]*"|'[^']*'|\$\([^)]*\)|[^\s"'|&;<>])+|./g,
  )) {
    if (/^\s/.test(word)) continue
    if (/^[#|&;<>]/.test(word)) break
    const plain = word.replaceAll(/^["']|["']$/g, '')
    // A variable, a command's output, or what a person has to fill in.
    found.push(/^\$|^0x…$/.test(plain) ? anAddress : plain)
  }
  return found
}
