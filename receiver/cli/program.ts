// The commands of uraiden-receiver and their options.
import type { Command } from 'commander'
import { configCommands } from '../../platform/cli/config.ts'
import { keyCommands } from '../../platform/cli/keys.ts'
import { createOutput } from '../../platform/cli/output.ts'
import {
  addConfigCommands,
  addKeyCommands,
  type Finish,
  type ProgramDescription,
} from '../../platform/cli/program.ts'
import { loadReceiverConfig, receiverConfig, receiverNames } from '../program/config.ts'
import { passwordSources } from '../program/settings.ts'
import { adminHash, adminToken } from './commands/admin.ts'
import { backup, restore } from './commands/backup.ts'
import { type ChannelsOptions, channels, stats } from './commands/books.ts'
import { type CollectOptions, closeAll, closeOne, withdraw } from './commands/collect.ts'
import { doctor } from './commands/doctor.ts'
import { type InitOptions, init } from './commands/init.ts'
import { type MigrateOptions, migrate } from './commands/migrate.ts'
import { addGlobalOptions, configOptions, type GlobalOptions } from './commands/options.ts'
import { type RequestKeyOptions, requestKey } from './commands/request-key.ts'
import { configFile, openConfig } from './commands/session.ts'
import { type StartOptions, start } from './commands/start.ts'
import { watch } from './commands/watch.ts'

export const receiverProgram: ProgramDescription = {
  name: 'uraiden-receiver',
  description: 'sells over HTTP and is paid through µRaiden channels',
  build: (program, finish) => {
    addGlobalOptions(program)
    addInitCommand(program, finish)
    addSellCommands(program, finish)
    addCollectCommands(program, finish)
    addAdminCommands(program, finish)
    addRequestKeyCommand(addKeyCommands(program, finish, keys), finish)
    addConfigCommands(program, finish, configuration)
  },
}

const keys = keyCommands<GlobalOptions>({
  configured: openConfig,
  contextOf: ({ json, passwordFile, privateKeyPasswordFile }, configured) => ({
    output: createOutput(json ?? false),
    password: passwordSources(receiverNames, passwordFile ?? privateKeyPasswordFile ?? configured),
    advice: 'Send it ether for the fees of transactions; it needs no tokens.',
  }),
})

function addRequestKeyCommand(key: Command, finish: Finish): void {
  key
    .command('request')
    .description('have a new request key signed where the account’s key is')
    .option('--signature <hex>', 'of what was printed before: the key is used from the next start')
    .option('--address <address>', 'the receiver’s; else that of the configured key')
    .action((_: object, command: Command) =>
      finish(requestKey(command.optsWithGlobals<RequestKeyOptions>())),
    )
}

const configuration = configCommands<GlobalOptions>({
  name: receiverNames.file,
  schema: receiverConfig,
  fileOf: (named, options) => named ?? configFile(options, receiverNames),
  load: (file, options) => loadReceiverConfig({ file, options: configOptions(options) }),
})

function addInitCommand(program: Command, finish: Finish): void {
  program
    .command('init')
    .description('write a first configuration, with a key of its own; asks at a terminal')
    .option('--listen <place>', 'address and port (0.0.0.0:5000)')
    .option('--path <path>', 'of what is sold (/load)')
    .option('--price <amount>', 'of it, in tokens (0.005)')
    .option('--command <command>', 'whose output is sold')
    .option('-y, --yes', 'ask nothing: take what is usual')
    .action((_: object, command: Command) => finish(init(command.optsWithGlobals<InitOptions>())))
}

function addSellCommands(program: Command, finish: Finish): void {
  program
    .command('start')
    .description('sell until it is stopped (SIGTERM, SIGINT)')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'TCP port; 0 takes a free one')
    .option('--no-wait', 'end when the Ethereum node does not answer')
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
  program
    .command('migrate')
    .description('move the state into a database, or back into a folder; nobody may use it')
    .option('--from <place>', 'folder, or postgres://…; else that of the configuration')
    .option('--to <place>', 'the same')
    .action((_: object, command: Command) =>
      finish(migrate(command.optsWithGlobals<MigrateOptions>())),
    )
}

function addCollectCommands(program: Command, finish: Finish): void {
  const dryRun = ['--dry-run', 'say what would be done and what it costs; send nothing'] as const
  const least = ['--least <amount>', 'leave channels that owe less: 0.01 TKN, 5 units'] as const
  const original = ['--minimum-amount <amount>', 'the same as --least'] as const
  program
    .command('withdraw')
    .description('take out what open channels owe; they stay open')
    .option(...dryRun)
    .option(...least)
    .option(...original)
    .action((_: object, command: Command) => finish(withdraw(command.optsWithGlobals())))
  program
    .command('close-all')
    .description('end all channels that owe something, at the latest balance')
    .option('--every', 'also those that have paid and owe nothing any more')
    .option(...dryRun)
    .option(...least)
    .option(...original)
    .action((_: object, command: Command) => finish(closeAll(command.optsWithGlobals())))
  program
    .command('close <channel>')
    .description('end one channel, named <sender>/<open block>, at the latest balance')
    .option(...dryRun)
    .action((channel: string, _: object, command: Command) =>
      finish(closeOne(channel, command.optsWithGlobals<CollectOptions>())),
    )
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
