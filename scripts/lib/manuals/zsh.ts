// Completion for zsh: a function for each command that has commands, each of which hands on to the next.
import {
  type CommandModel,
  isFile,
  type OptionModel,
  optionsBehind,
  type ProgramModel,
} from './model.ts'

export function zshCompletion(program: ProgramModel): string {
  const start = `_${program.name}`
  return `#compdef ${program.name}
# made by npm run manuals
${functionOf(program, start, program)}
${start} "$@"
`
}

function functionOf(program: ProgramModel, name: string, command: CommandModel): string {
  const options = optionsBehind(program, command).map(argumentOf)
  if (command.commands.length === 0) {
    const files = command.takes.some((each) => isFile(each.name)) ? ["'*:file:_files'"] : []
    return `${name}() {\n  _arguments -s ${lines([...options, ...files])}\n}\n`
  }
  const below = command.commands.map((each) => ({ each, name: `${name}_${each.path.at(-1)}` }))
  const described = below.map(({ each }) => `    '${each.path.at(-1)}:${quoted(each.says)}'\n`)
  const cases = below.map(({ each, name }) => `    ${each.path.at(-1)}) ${name} ;;\n`)
  const rest = ["'1: :->command'", "'*:: :->rest'"]
  return `${below.map(({ each, name }) => functionOf(program, name, each)).join('')}${name}() {
  local context state line
  typeset -A opt_args
  local -a commands=(
${described.join('')}  )
  _arguments -C -s ${lines([...options, ...rest])}
  case $state in
    command) _describe command commands ;;
    rest) case $line[1] in
${cases.join('')}    esac ;;
  esac
}
`
}

function lines(all: readonly string[]): string {
  return all.map((each) => `\\\n    ${each}`).join(' ')
}

function argumentOf({ short, long, value, says }: OptionModel): string {
  const text = `[${quoted(says).replaceAll('[', '\\[').replaceAll(']', '\\]')}]`
  const takes = value === undefined ? '' : `:${value}:${isFile(value) ? '_files' : ' '}`
  // One that may be given again is completed again.
  if (short === undefined) return `'*${long}${text}${takes}'`
  return `'*'{${short},${long}}'${text}${takes}'`
}

/** Inside single quotes; a colon would end the word. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(':', '\\:')
}
