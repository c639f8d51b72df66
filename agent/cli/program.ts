// The commands of uraiden-agent and their options.
import type { Command } from 'commander'
import {
  addConfigCommands,
  addKeyCommands,
  type Finish,
  type ProgramDescription,
} from '../../platform/cli/program.ts'
import { acceptReceiver } from './commands/accept.ts'
import { budget, history } from './commands/books.ts'
import {
  type CloseCommandOptions,
  channels,
  close,
  open,
  recover,
  settle,
  sweep,
  topUp,
} from './commands/channels.ts'
import { configCheck, configSchema } from './commands/config.ts'
import { pause, reload, resume, runJob, status } from './commands/daemon.ts'
import { discover } from './commands/discover.ts'
import { doctor } from './commands/doctor.ts'
import { type GetOptions, get } from './commands/get.ts'
import { type KeyOptions, keyAddress, keyImport, keyNew } from './commands/key.ts'
import { run } from './commands/run.ts'
import type { GlobalOptions } from './commands/session.ts'

export const agentProgram: ProgramDescription = {
  name: 'uraiden-agent',
  description: 'buys over HTTP and pays through µRaiden channels',
  build: (program, finish) => {
    program
      .option('-c, --config <file>', 'configuration (else $URAIDEN_AGENT_CONFIG, ~/.config, /etc)')
      .option('--json', 'answer in JSON; amounts are strings of the smallest unit')
    addBuyCommands(program, finish)
    addDaemonCommands(program, finish)
    addKeyCommands<KeyOptions>(program, finish, { keyNew, keyImport, keyAddress }).option(
      '--password-file <file>',
      'its first line is the password',
    )
    addConfigCommands<GlobalOptions>(program, finish, {
      name: 'agent.yaml',
      configCheck,
      configSchema,
    })
  },
}

function addBuyCommands(program: Command, finish: Finish): void {
  program
    .command('get <url>')
    .description('buy one answer; the URL may begin with a receiver’s name')
    .option('-o, --output <file>', 'write the body there')
    .option('-H, --header <header>', 'send a header; may be given again', append, [])
    .option('-d, --data <body>', 'send a body; @file sends a file')
    .option('-X, --request <method>', 'HTTP method (GET, or POST with -d)')
    .option('--max-price <amount>', 'pay at most so much')
    .option('--job <name>', 'count it against the budget of a job too')
    .option('--dry-run', 'say what it costs; sign and send nothing')
    .action((url: string, _: object, command: Command) =>
      finish(get(url, command.optsWithGlobals<GetOptions>())),
    )
  program
    .command('channels')
    .description('channels that are not closed')
    .option('--all', 'closed ones too')
    .action((_: object, command: Command) => finish(channels(command.optsWithGlobals())))
  program
    .command('open <receiver> <deposit>')
    .description('open a channel')
    .option('--url <url>', 'any URL of the receiver, which may send the transaction')
    .action((receiver: string, deposit: string, _: object, command: Command) =>
      finish(open(receiver, deposit, command.optsWithGlobals())),
    )
  program
    .command('topup <channel> <amount>')
    .description('raise a channel’s deposit')
    .option('--url <url>', 'any URL of the receiver, which may send the transaction')
    .action((channel: string, amount: string, _: object, command: Command) =>
      finish(topUp(channel, amount, command.optsWithGlobals())),
    )
  program
    .command('close <channel>')
    .description('close together with the receiver, at once')
    .option('--url <url>', 'any URL of the receiver')
    .option('--uncooperative', 'without the receiver; settle after the challenge period')
    .option('--balance <amount>', 'what is owed, where a crash hides it (uncooperative only)')
    .action((channel: string, _: object, command: Command) =>
      finish(close(channel, command.optsWithGlobals<CloseCommandOptions>())),
    )
  program
    .command('settle')
    .description('end the channels whose challenge period is over')
    .option('--wait', 'wait for the challenge periods that still run')
    .action((_: object, command: Command) => finish(settle(command.optsWithGlobals())))
  program
    .command('recover')
    .description('enter own channels that only the chain knows, after a disk was lost')
    .option('--from-block <number>', 'where to begin')
    .action((_: object, command: Command) => finish(recover(command.optsWithGlobals())))
  program
    .command('sweep <address>')
    .description('send all tokens and ether of the account there; only without channels')
    .action((to: string, _: object, command: Command) =>
      finish(sweep(to, command.optsWithGlobals())),
    )
  program
    .command('budget')
    .description('limits, and what is used of them')
    .action((_: object, command: Command) => finish(budget(command.optsWithGlobals())))
  program
    .command('history')
    .description('the last purchases')
    .option('--chain', 'what happened to own channels, from the chain')
    .option('--from-block <number>', 'where to begin on the chain')
    .action((_: object, command: Command) => finish(history(command.optsWithGlobals())))
  program
    .command('discover')
    .description('receivers that announce themselves in the local network, and their prices')
    .option('--wait <seconds>', 'how long to listen', '3')
    .action((_: object, command: Command) => finish(discover(command.optsWithGlobals())))
  program
    .command('accept <receiver>')
    .description(
      'the receiver that announces this name now is the right one, in place of an earlier',
    )
    .action((receiver: string, _: object, command: Command) =>
      finish(acceptReceiver(receiver, command.optsWithGlobals())),
    )
  program
    .command('doctor [url]')
    .description('look at everything a payment needs')
    .action((url: string | undefined, _: object, command: Command) =>
      finish(doctor(url, command.optsWithGlobals())),
    )
}

function addDaemonCommands(program: Command, finish: Finish): void {
  program
    .command('run')
    .description('the daemon: jobs, proxy, commands; until SIGTERM')
    .action((_: object, command: Command) => finish(run(command.optsWithGlobals())))
  program
    .command('status')
    .description('what the daemon does, its channels, what is left of budgets')
    .action((_: object, command: Command) => finish(status(command.optsWithGlobals())))
  program
    .command('pause [job]')
    .description('a job, or all jobs and the proxy')
    .action((job: string | undefined, _: object, command: Command) =>
      finish(pause(job, command.optsWithGlobals())),
    )
  program
    .command('resume [job]')
    .description('goes on')
    .action((job: string | undefined, _: object, command: Command) =>
      finish(resume(job, command.optsWithGlobals())),
    )
  program
    .command('run-job <job>')
    .description('run a job now')
    .action((job: string, _: object, command: Command) =>
      finish(runJob(job, command.optsWithGlobals())),
    )
  program
    .command('reload')
    .description('read the configuration again; a bad one changes nothing')
    .action((_: object, command: Command) => finish(reload(command.optsWithGlobals())))
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
