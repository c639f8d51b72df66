// What the command line of a program is, as data: manual pages, completions and references are written from it,
// so that they say what --help says.
import type { Argument, Command, Option } from 'commander'
import { agentProgram } from '../../../agent/cli/program.ts'
import { commandOf } from '../../../platform/cli/program.ts'
import { receiverProgram } from '../../../receiver/cli/program.ts'

export interface OptionModel {
  /** As it is typed: `-c`. */
  readonly short?: string
  /** `--config`. */
  readonly long: string
  /** What it takes: `file`. An option without is a switch. */
  readonly value?: string
  readonly says: string
}

export interface CommandModel {
  /** From the program on: `[]`, `['key', 'new']`. */
  readonly path: readonly string[]
  readonly takes: readonly { readonly name: string; readonly isRequired: boolean }[]
  readonly says: string
  readonly options: readonly OptionModel[]
  readonly commands: readonly CommandModel[]
}

export interface ProgramModel extends CommandModel {
  readonly name: 'uraiden-agent' | 'uraiden-receiver'
}

export const programs: readonly ProgramModel[] = [agentProgram, receiverProgram].map(
  (description) => {
    const command = commandOf(description, async () => undefined)
    const name = description.name as ProgramModel['name']
    return { name, ...modelOf(command, []) }
  },
)

/** The command and all below it, in the order in which they are defined. */
export function allCommands(command: CommandModel): readonly CommandModel[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

/** What is taken behind a command: its own options, and those of the commands above it. */
export function optionsBehind(
  program: ProgramModel,
  { path }: CommandModel,
): readonly OptionModel[] {
  const above = allCommands(program).filter((each) =>
    each.path.every((name, at) => name === path[at]),
  )
  const found = new Map(
    above.toReversed().flatMap(({ options }) => options.map((option) => [option.long, option])),
  )
  // Only the program itself has a version.
  if (path.length > 0) found.delete('--version')
  return [...found.values()]
}

/** Values that are completed with the names of files. */
export function isFile(value: string | undefined): boolean {
  return value !== undefined && /^(file|folder|from|to)$/.test(value)
}

function modelOf(command: Command, path: readonly string[]): CommandModel {
  const help = command.createHelp()
  return {
    path,
    takes: command.registeredArguments.map(argumentModel),
    says: command.description(),
    options: help.visibleOptions(command).map(optionModel),
    commands: command.commands.map((each) => modelOf(each, [...path, each.name()])),
  }
}

function argumentModel(argument: Argument): CommandModel['takes'][number] {
  return { name: argument.name(), isRequired: argument.required }
}

function optionModel({ short, long = '', flags, description }: Option): OptionModel {
  const value = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1]
  return {
    ...(short !== undefined && { short }),
    long,
    ...(value !== undefined && { value }),
    says: description,
  }
}
