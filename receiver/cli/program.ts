// The commands of uraiden-receiver and their options.
import { Command } from 'commander'
import { adminHash, adminToken } from './commands/admin.ts'
import { backup, restore } from './commands/backup.ts'
import { type ChannelsOptions, channels, stats } from './commands/books.ts'
import { closeAll } from './commands/close-all.ts'
import { configCheck, configSchema } from './commands/config.ts'
import { doctor } from './commands/doctor.ts'
import { keyAddress, keyImport, keyNew } from './commands/key.ts'
import { type StartOptions, start } from './commands/start.ts'
import { watch } from './commands/watch.ts'
import { withdraw } from './commands/withdraw.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { addGlobalOptions } from './options.ts'

/** Runs the command that `args` names. Rejects with the command’s error. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok
  const finish = async (command: Promise<ExitCode>) => {
    code = await command
  }
  const program = addGlobalOptions(new Command('uraiden-receiver'))
    .description('sells over HTTP and is paid through µRaiden channels')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'uraiden-receiver: ')),
    })
  program
    .command('start')
    .description('sell until it is stopped (SIGTERM, SIGINT)')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'TCP port; 0 takes a free one')
    .action((_: object, command: Command) => finish(start(command.optsWithGlobals<StartOptions>())))
  program
    .command('watch')
    .description('guard another receiver’s channels; configured in watchtower.yaml')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'TCP port; 0 takes a free one')
    .action((_: object, command: Command) => finish(watch(command.optsWithGlobals<StartOptions>())))
  program
    .command('channels')
    .description('channels with what is deposited, paid and still to collect')
    .option('--all', 'settled ones too')
    .option('--only <state>', 'open, agreed, closing or settled')
    .action((_: object, command: Command) =>
      finish(channels(command.optsWithGlobals<ChannelsOptions>())),
    )
  program
    .command('stats')
    .description('sums over all channels, and how the running receiver is')
    .action((_: object, command: Command) => finish(stats(command.optsWithGlobals())))
  program
    .command('doctor')
    .description('look at everything that selling needs')
    .action((_: object, command: Command) => finish(doctor(command.optsWithGlobals())))
  program
    .command('backup <file>')
    .description('copy the balance proofs, also while the receiver runs')
    .action((file: string, _: object, command: Command) =>
      finish(backup(file, command.optsWithGlobals())),
    )
  program
    .command('restore <file>')
    .description('put a backup back into the state; the receiver must be stopped')
    .action((file: string, _: object, command: Command) =>
      finish(restore(file, command.optsWithGlobals())),
    )
  addCollectCommands(program, finish)
  addAdminCommands(program, finish)
  addKeyCommands(program, finish)
  addConfigCommands(program, finish)
  await program.parseAsync(args, { from: 'user' })
  return code
}

type Finish = (command: Promise<ExitCode>) => Promise<void>

function addCollectCommands(program: Command, finish: Finish): void {
  const dryRun = ['--dry-run', 'say what would be done and what it costs; send nothing'] as const
  program
    .command('withdraw')
    .description('take out what open channels owe; they stay open')
    .option(...dryRun)
    .action((_: object, command: Command) => finish(withdraw(command.optsWithGlobals())))
  program
    .command('close-all')
    .description('end all channels that owe something, at the latest balance')
    .option(...dryRun)
    .action((_: object, command: Command) => finish(closeAll(command.optsWithGlobals())))
}

function addAdminCommands(program: Command, finish: Finish): void {
  const admin = program.command('admin').description('passwords and tokens for administrators')
  admin
    .command('hash')
    .description('a line for admin.users; asks for the password, or reads it from standard input')
    .action((_: object, command: Command) => finish(adminHash(command.optsWithGlobals())))
  admin
    .command('token <name>')
    .description('a new token for a program, and its line for admin.tokens')
    .action((name: string, _: object, command: Command) =>
      finish(adminToken(name, command.optsWithGlobals())),
    )
}

/** `--password-file` is an option of all commands. */
function addKeyCommands(program: Command, finish: Finish): void {
  const key = program.command('key').description('make and look at key files')
  key
    .command('new <file>')
    .description('write a new key, encrypted')
    .action((file: string, _: object, command: Command) =>
      finish(keyNew(file, command.optsWithGlobals())),
    )
  key
    .command('import <from> <to>')
    .description('write the key of a keystore or hex file as a new keystore')
    .action((from: string, to: string, _: object, command: Command) =>
      finish(keyImport(from, to, command.optsWithGlobals())),
    )
  key
    .command('address [file]')
    .description('the address of a key file, or of the configured one')
    .action((file: string | undefined, _: object, command: Command) =>
      finish(keyAddress(file, command.optsWithGlobals())),
    )
}

function addConfigCommands(program: Command, finish: Finish): void {
  const config = program.command('config').description('check the configuration')
  config
    .command('check [file]')
    .description('every problem with file, line and key')
    .action((file: string | undefined, _: object, command: Command) =>
      finish(configCheck(file, command.optsWithGlobals())),
    )
  config
    .command('schema')
    .description('JSON schema of receiver.yaml, for editors')
    .action(() => finish(configSchema()))
}
