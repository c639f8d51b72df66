// What the command lines of both programs have in common: version, help, usage errors, and the
// commands `key` and `config`.
import { Command } from 'commander'
import { version } from '../system/version.ts'

/** Takes what a command resolves with: the exit code. */
export type Finish = (command: Promise<number>) => Promise<void>

export interface ProgramDescription {
  /** As a person types it. */
  readonly name: string
  readonly description: string
  /** Adds options and commands; each command's action ends in `finish`. */
  readonly build: (program: Command, finish: Finish) => void
}

/**
 * Runs the command that `args` names and resolves with its exit code.
 * @throws CommanderError for a usage error, which is printed already, and after help and version
 */
export async function runProgram(
  description: ProgramDescription,
  args: readonly string[],
): Promise<number> {
  let code = 0
  const program = commandOf(description, async (command) => {
    code = await command
  })
  await program.parseAsync(args, { from: 'user' })
  return code
}

/** All commands and options, ready to be parsed or described. */
export function commandOf(
  { name, description, build }: ProgramDescription,
  finish: Finish,
): Command {
  const program = new Command(name)
    .description(description)
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, `${name}: `)),
    })
  build(program, finish)
  return program
}

export interface KeyCommands<Options> {
  readonly keyNew: (file: string, options: Options) => Promise<number>
  readonly keyImport: (from: string, to: string, options: Options) => Promise<number>
  readonly keyAddress: (file: string | undefined, options: Options) => Promise<number>
}

/** Returns `key`, whose options all of its commands have. */
export function addKeyCommands<Options extends object>(
  program: Command,
  finish: Finish,
  { keyNew, keyImport, keyAddress }: KeyCommands<Options>,
): Command {
  const key = program.command('key').description('make and look at key files')
  key
    .command('new <file>')
    .description('write a new key, encrypted')
    .action((file: string, _: object, command: Command) =>
      finish(keyNew(file, command.optsWithGlobals<Options>())),
    )
  key
    .command('import <from> <to>')
    .description('write the key of a keystore or hex file as a new keystore')
    .action((from: string, to: string, _: object, command: Command) =>
      finish(keyImport(from, to, command.optsWithGlobals<Options>())),
    )
  key
    .command('address [file]')
    .description('print the address of a key file, or of the configured one')
    .action((file: string | undefined, _: object, command: Command) =>
      finish(keyAddress(file, command.optsWithGlobals<Options>())),
    )
  return key
}

export interface ConfigCommands<Options> {
  /** The configuration's usual file name. */
  readonly name: string
  readonly configCheck: (file: string | undefined, options: Options) => Promise<number>
  readonly configSchema: () => Promise<number>
}

export function addConfigCommands<Options extends object>(
  program: Command,
  finish: Finish,
  { name, configCheck, configSchema }: ConfigCommands<Options>,
): void {
  const config = program.command('config').description('check the configuration')
  config
    .command('check [file]')
    .description('list every problem with file, line and key')
    .action((file: string | undefined, _: object, command: Command) =>
      finish(configCheck(file, command.optsWithGlobals<Options>())),
    )
  config
    .command('schema')
    .description(`print the JSON schema of ${name}, for editors`)
    .action(() => finish(configSchema()))
}
