// A manual page, https://man7.org/linux/man-pages/man7/man-pages.7.html, in the language of man(7).
import { allCommands, type CommandModel, type OptionModel, type ProgramModel } from './model.ts'
import { type Prose, prose } from './prose.ts'

export function manualPage(program: ProgramModel): string {
  const own = prose[program.name]
  const sections = [
    ['NAME', [`${text(program.name)} \\- ${text(own.summary)}`]],
    [
      'SYNOPSIS',
      [`.B ${text(program.name)}`, '.RI [ options ]', '.I command', '.RI [ arguments ]'],
    ],
    [
      'DESCRIPTION',
      own.description.flatMap((each, at) => [...(at === 0 ? [] : ['.PP']), text(each)]),
    ],
    ['OPTIONS', program.options.flatMap(optionLines)],
    ['COMMANDS', own.groups.flatMap(([title, names]) => groupLines(program, title, names))],
    ['EXAMPLES', own.examples.flatMap(exampleLines)],
    ['FILES', own.files.flatMap(([file, says]) => ['.TP', `.I ${text(file)}`, text(says)])],
    ['EXIT STATUS', own.exit.flatMap(([code, says]) => ['.TP', `.B ${code}`, text(says)])],
    ['SEE ALSO', seeAlso(program, own)],
  ] as const
  const title = `.TH ${program.name.toUpperCase()} 1 "" "uRaiden for Raspberry Pi" "User Commands"`
  const body = sections.flatMap(([heading, lines]) => [`.SH ${heading}`, ...lines])
  return `.\\" Made by npm run manuals.\n${[title, ...body].join('\n')}\n`
}

function groupLines(
  program: ProgramModel,
  title: string,
  names: readonly string[],
): readonly string[] {
  const commands = names.flatMap((name) => {
    const found = program.commands.find(({ path }) => path[0] === name)
    if (found === undefined) throw new Error(`${program.name} has no command ${name}`)
    return allCommands(found)
  })
  return [`.SS ${title}`, ...commands.flatMap(commandLines)]
}

function commandLines(command: CommandModel): readonly string[] {
  const own = command.options.filter(({ long }) => long !== '--help')
  // What only leads to others says nothing that they do not say, unless it has options for all of them.
  if (command.commands.length > 0 && command.takes.length === 0 && own.length === 0) return []
  const takes = command.takes.map(({ name, isRequired }) =>
    isRequired ? ` \\fI${text(name)}\\fR` : ` [\\fI${text(name)}\\fR]`,
  )
  const options = own.length === 0 ? [] : ['.RS', ...own.flatMap(optionLines), '.RE']
  return [
    '.TP',
    `\\fB${text(command.path.join(' '))}\\fR${takes.join('')}`,
    text(sentence(command.says)),
    ...options,
  ]
}

function optionLines({ short, long, value, says }: OptionModel): readonly string[] {
  const flags = [short, long].flatMap((flag) =>
    flag === undefined ? [] : [`\\fB${text(flag)}\\fR`],
  )
  const takes = value === undefined ? '' : ` \\fI${text(value)}\\fR`
  return ['.TP', `${flags.join(', ')}${takes}`, text(sentence(says))]
}

function exampleLines([says, lines]: Prose['examples'][number]): readonly string[] {
  return ['.PP', text(says), '.PP', '.RS 4', '.EX', ...lines.map(text), '.EE', '.RE']
}

function seeAlso({ name }: ProgramModel, { document }: Prose): readonly string[] {
  const other = name === 'uraiden-agent' ? 'uraiden-receiver' : 'uraiden-agent'
  return [
    `.BR ${text(other)} (1),`,
    '.BR systemctl (1),',
    `.I /usr/share/doc/${text(name)}/${text(document)}`,
  ]
}

function sentence(says: string): string {
  return `${says.charAt(0).toUpperCase()}${says.slice(1)}${/[.!?]$/.test(says) ? '' : '.'}`
}

/** In ASCII, and nothing that troff takes for its own. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('µ', '\\(mc')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1')
}
