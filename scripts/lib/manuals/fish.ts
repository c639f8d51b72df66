// Completion for fish: a line for each command and option, with the condition under which it is offered.
import { type CommandModel, isFile, type OptionModel, type ProgramModel } from './model.ts'

export function fishCompletion(program: ProgramModel): string {
  return `# fish completion of ${program.name}(1); made by npm run manuals
complete -c ${program.name} -f
${linesOf(program, program.name).join('')}`
}

function linesOf(command: CommandModel, program: string): readonly string[] {
  const names = command.commands.map(({ path }) => path.at(-1))
  const within = command.path.map((name) => `__fish_seen_subcommand_from ${name}`)
  const none = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(' ')}`]
  const here = [...within, ...none].join('; and ')
  // Options of the program are taken behind any command, too.
  const options = command.path.length === 0 ? '' : condition(within.join('; and '))
  const files = command.takes.some(({ name }) => isFile(name))
  return [
    ...command.commands.map(
      ({ path, says }) =>
        `complete -c ${program}${condition(here)} -a ${path.at(-1)} -d ${quoted(says)}\n`,
    ),
    ...command.options.map((option) => `complete -c ${program}${options}${optionOf(option)}\n`),
    ...(files ? [`complete -c ${program}${options} -F\n`] : []),
    ...command.commands.flatMap((each) => linesOf(each, program)),
  ]
}

function optionOf({ short, long, value, says }: OptionModel): string {
  const flags = `${short === undefined ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`
  const takes = value === undefined ? '' : isFile(value) ? ' -r -F' : ' -x'
  return `${flags}${takes} -d ${quoted(says)}`
}

function condition(text: string): string {
  return text === '' ? '' : ` -n '${text}'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
