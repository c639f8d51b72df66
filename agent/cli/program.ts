// The commands of uraiden-agent and their options.
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
import { agentConfig, loadAgentConfig } from '../program/configuration/config.ts'
import { passwordSources } from '../program/configuration/load.ts'
import { configFile } from '../program/configuration/places.ts'
import type { GlobalOptions } from './commands/session.ts'

/** Each is loaded when it is the command. */
const accept = () => import('./commands/accept.ts')
const books = () => import('./commands/books.ts')
const channels = () => import('./commands/channels.ts')
const daemon = () => import('./commands/daemon.ts')
const discover = () => import('./commands/discover.ts')
const doctor = () => import('./commands/doctor.ts')
const get = () => import('./commands/get.ts')
const init = () => import('./commands/init.ts')
const run = () => import('./commands/run.ts')
const seal = () => import('./commands/seal.ts')

export const agentProgram: ProgramDescription = {
  name: 'uraiden-agent',
  description: 'buys over HTTP and pays through µRaiden channels',
  build: (program, finish) => {
    program
      .option('-c, --config <file>', 'configuration (else $URAIDEN_AGENT_CONFIG, ~/.config, /etc)')
      .option('--json', 'answer in JSON; amounts are strings of the smallest unit')
    addInitCommand(program, finish)
    addPurchaseCommands(program, finish)
    addChannelCommands(program, finish)
    addBookCommands(program, finish)
    addReceiverCommands(program, finish)
    addDaemonCommands(program, finish)
    addKeyCommands(program, finish, keys)
      .option('--password-file <file>', 'its first line is the password')
      .command('seal [file]')
      .description('have systemd keep the key of a file, or of the configured one, for the service')
      .option('-o, --output <file>', 'not /etc/credstore.encrypted/agent-key')
      .action(runs(finish, late(seal, 'sealKey')))
    addConfigCommands(program, finish, configuration)
  },
}

const keys = keyCommands<GlobalOptions & { readonly passwordFile?: string }>({
  configured: ({ config }) => loadAgentConfig(configFile(config)),
  contextOf: ({ json, passwordFile }, configured) => ({
    output: createOutput(json ?? false),
    password: passwordSources(passwordFile ?? configured),
    advice: 'Send it tokens, and ether for the fees of transactions.',
  }),
})

const configuration = configCommands<GlobalOptions>({
  name: 'agent.yaml',
  schema: agentConfig,
  fileOf: (named, { config }) => named ?? configFile(config),
  load: (file, { config }) => loadAgentConfig(file ?? configFile(config)),
})

function addInitCommand(program: Command, finish: Finish): void {
  program
    .command('init')
    .description('write a first configuration, with a key of its own; asks at a terminal')
    .option('--rpc <url>', 'JSON-RPC address of an Ethereum node')
    .option('--contract <address>', 'the channels contract')
    .option('--receiver <name=url>', 'whom to buy from; may be given again', append, [])
    .option('--request <amount>', 'the most for one request, in tokens (0.01)')
    .option('--day <amount>', 'the most in a day, in tokens (1)')
    .option('--no-discover', 'do not look for receivers in the network')
    .option('-y, --yes', 'ask nothing: take what is usual')
    .action(runs(finish, late(init, 'init')))
}

function addPurchaseCommands(program: Command, finish: Finish): void {
  program
    .command('get <url>')
    .description('buy one answer; the URL may begin with a receiver’s name')
    .option('-o, --output <file>', 'write the body there')
    .option('-H, --header <header>', 'send a header; may be given again', append, [])
    .option('-d, --data <body>', 'send a body; @file sends a file')
    .option('-X, --request <method>', 'HTTP method (GET, or POST with -d)')
    .option('-L, --location', 'follow redirects; each hop is a purchase of its own')
    .option('-i, --include', 'print status and headers before the body')
    .option('--max-price <amount>', 'pay at most so much')
    .option('--job <name>', 'count it against the budget of a job too')
    .option('--dry-run', 'say what it costs; sign and send nothing')
    .action(runs(finish, late(get, 'get')))
}

function addChannelCommands(program: Command, finish: Finish): void {
  program
    .command('channels')
    .description('list the channels that are not closed')
    .option('--all', 'closed ones too')
    .action(runs(finish, late(channels, 'channels')))
  program
    .command('open <receiver> <deposit>')
    .description('open a channel')
    .option('--url <url>', 'any URL of the receiver, which may send the transaction')
    .action(runs(finish, late(channels, 'open')))
  program
    .command('topup <channel> <amount>')
    .description('raise a channel’s deposit')
    .option('--url <url>', 'any URL of the receiver, which may send the transaction')
    .action(runs(finish, late(channels, 'topUp')))
  program
    .command('close <channel>')
    .description('close together with the receiver, at once')
    .option('--url <url>', 'any URL of the receiver')
    .option('--uncooperative', 'without the receiver; settle after the challenge period')
    .option('--balance <amount>', 'what is owed, where a crash hides it (uncooperative only)')
    .action(runs(finish, late(channels, 'close')))
  program
    .command('settle')
    .description('end the channels whose challenge period is over')
    .option('--wait', 'wait for the challenge periods that still run')
    .action(runs(finish, late(channels, 'settle')))
  program
    .command('recover')
    .description('enter own channels that only the chain knows, after a disk was lost')
    .option('--from-block <number>', 'where to begin')
    .action(runs(finish, late(channels, 'recover')))
  program
    .command('sweep <address>')
    .description('send all tokens and ether of the account there; only without channels')
    .action(runs(finish, late(channels, 'sweep')))
}

function addBookCommands(program: Command, finish: Finish): void {
  program
    .command('budget')
    .description('show limits, and what is used of them')
    .action(runs(finish, late(books, 'budget')))
  program
    .command('history')
    .description('list the last purchases')
    .option('--by-day', 'what was spent on each of the last 30 days (400 with --json)')
    .option('--chain', 'what happened to own channels, from the chain')
    .option('--from-block <number>', 'where to begin on the chain')
    .action(runs(finish, late(books, 'history')))
}

function addReceiverCommands(program: Command, finish: Finish): void {
  program
    .command('discover')
    .description('list receivers that announce themselves in the local network, and their prices')
    .option('--wait <seconds>', 'how long to listen', '3')
    .action(runs(finish, late(discover, 'discover')))
  program
    .command('accept <receiver>')
    .description('take the receiver that announces this name now, in place of an earlier one')
    .action(runs(finish, late(accept, 'acceptReceiver')))
  program
    .command('doctor [url]')
    .description('look at everything a payment needs')
    .action(runs(finish, late(doctor, 'doctor')))
    .command('receiver <url>')
    .description('ask bound and unpaid, and say what is altered between agent and receiver')
    .action(runs(finish, late(doctor, 'doctorReceiver')))
}

function addDaemonCommands(program: Command, finish: Finish): void {
  program
    .command('run')
    .description('run the daemon: jobs, proxy, commands; until SIGTERM')
    .action(runs(finish, late(run, 'run')))
  program
    .command('status')
    .description('show what the daemon does, its channels, what is left of budgets')
    .option('-w, --watch', 'show it anew every two seconds, until Ctrl-C')
    .action(runs(finish, late(daemon, 'status')))
  program
    .command('pause [job]')
    .description('pause a job, or all jobs and the proxy')
    .action(runs(finish, late(daemon, 'pause')))
  program
    .command('resume [job]')
    .description('resume a paused job, or all jobs and the proxy')
    .action(runs(finish, late(daemon, 'resume')))
  program
    .command('run-job <job>')
    .description('run a job now')
    .action(runs(finish, late(daemon, 'runJob')))
  program
    .command('flush')
    .description('write to the card what waits for it in memory (card: gentle)')
    .action(runs(finish, late(daemon, 'flush')))
  program
    .command('reload')
    .description('read the configuration again; a bad one changes nothing')
    .action(runs(finish, late(daemon, 'reload')))
}

type Work = (...given: never[]) => Promise<number>

/** A command of a module that is not loaded yet. */
function late<Name extends string, Module extends Readonly<Record<Name, Work>>>(
  load: () => Promise<Module>,
  name: Name,
): (...given: Parameters<Module[Name]>) => Promise<number> {
  return async (...given) => (await load())[name](...(given as never[]))
}

/** The action of a command: `work` gets its arguments, then its options with those of the program. */
function runs<Arguments extends readonly unknown[], Options extends object>(
  finish: Finish,
  work: (...given: [...Arguments, Options]) => Promise<number>,
): (...given: readonly unknown[]) => Promise<void> {
  return (...given) => {
    // commander adds the command's own options and the command.
    const command = given.at(-1) as Command
    const named = given.slice(0, -2) as unknown as Arguments
    return finish(work(...named, command.optsWithGlobals<Options>()))
  }
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
