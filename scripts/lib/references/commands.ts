// docs/reference/commands.md: every command and option of both programs.
import {
  allCommands,
  type CommandModel,
  type OptionModel,
  type ProgramModel,
  programs,
} from '../manuals/model.ts'

export function commandReference(): string {
  return `# Commands

Every command and option of both programs, in the words of \`--help\`. What the
commands do in detail is in [uraiden-agent](agent-cli.md) and
[uraiden-receiver](receiver-cli.md). \`npm run reference\` writes this page.
${programs.map(section).join('')}`
}

function section(program: ProgramModel): string {
  const commands = allCommands(program).filter(({ path }) => path.length > 0)
  const all = `\n## ${program.name}\n\n${sentence(program.says)}\n\n${table(program.options)}`
  return `${all}${commands.map((command) => entry(program.name, command)).join('')}`
}

function entry(name: string, { path, takes, says, options }: CommandModel): string {
  const words = takes.map((each) => (each.isRequired ? `<${each.name}>` : `[${each.name}]`))
  const own = options.filter(({ long }) => long !== '--help')
  const heading = `### ${name} ${path.join(' ')}`
  const line = [name, ...path, ...words].join(' ')
  return `\n${heading}\n\n${sentence(says)}\n\n    ${line}\n${own.length === 0 ? '' : `\n${table(own)}`}`
}

function table(options: readonly OptionModel[]): string {
  const rows = options.map(({ short, long, value, says }) => {
    const flags = short === undefined ? long : `${short}, ${long}`
    return `| \`${flags}${value === undefined ? '' : ` <${value}>`}\` | ${cell(says)} |\n`
  })
  return `| option | |\n|---|---|\n${rows.join('')}`
}

function sentence(says: string): string {
  return `${plain(says.charAt(0).toUpperCase())}${plain(says.slice(1))}.`
}

function cell(text: string): string {
  return plain(text).replaceAll('|', '\\|')
}

/** No beginning of an element. */
function plain(text: string): string {
  return text.replaceAll('<', '\\<')
}
