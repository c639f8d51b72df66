// The commands of uraiden-agent and their options.
import type { Command } from 'commander'
import {
  addConfigCommands,
  addKeyCommands,
  type Finish,
  type ProgramDescription,
} from '../../platform/cli/program.ts'
import { configName } from '../program/configuration/places.ts'

/** Each is loaded when it is the command. */
const accept = () => import('./commands/accept.ts')
const books = () => import('./commands/books.ts')
const configuration = () => import('./commands/configuration.ts')
const channels = () => import('./commands/channels.ts')
const daemon = () => import('./commands/daemon.ts')
const discover = () => import('./commands/discover.ts')
const doctor = () => import('./commands/doctor.ts')
const get = () => import('./commands/get.ts')
const init = () => import('./commands/init.ts')
const keys = () => import('./commands/keys.ts')
const run = () => import('./commands/run.ts')
const seal = () => import('./commands/seal.ts')

/** Of commands, by their names. */
interface Kind {
  readonly names: readonly string[]
  readonly add: (program: Command, finish: Finish) => void
}

/** In the order in which help lists them. */
const kinds: readonly Kind[] = [
  { names: ['init'], add: addInitCommand },
  { names: ['get'], add: addPurchaseCommands },
  {
    names: ['channels', 'open', 'topup', 'close', 'settle', 'recover', 'sweep'],
    add: addChannelCommands,
  },
  { names: ['budget', 'history'], add: addBookCommands },
  { names: ['discover', 'accept', 'doctor'], add: addReceiverCommands },
  {
    names: ['run', 'status', 'pause', 'resume', 'run-job', 'flush', 'reload'],
    add: addDaemonCommands,
  },
  { names: ['key'], add: addKeys },
  { names: ['config'], add: addConfiguration },
]

/** With the commands of `command`’s kind alone: the others, with their options, are work for nothing then. */
export function agentProgramFor(command: string | undefined): ProgramDescription {
  const asked = kinds.filter(({ names }) => names.some((name) => name === command))
  return {
    name: 'uraiden-agent',
    description: 'buys over HTTP and pays through µRaiden channels',
    build: (program, finish) => {
      program
        .option(
          '-c, --config <file>',
          'configuration (else $URAIDEN_AGENT_CONFIG, ~/.config, /etc)',
        )
        .option('--json', 'answer in JSON; amounts are strings of the smallest unit')
      for (const { add } of asked.length > 0 ? asked : kinds) add(program, finish)
    },
  }
}

/** With all commands. */
export const agentProgram = agentProgramFor(undefined)

function addKeys(program: Command, finish: Finish): void {
  addKeyCommands(program, finish, {
    keyNew: late(keys, 'keyNew'),
    keyImport: late(keys, 'keyImport'),
    keyAddress: late(keys, 'keyAddress'),
  })
    .option('--password-file <file>', 'its first line is the password')
    .command('seal [file]')
    .description('have systemd keep the key of a file, or of the configured one, for the service')
    .option('-o, --output <file>', 'not /etc/credstore.encrypted/agent-key')
    .action(runs(finish, late(seal, 'sealKey')))
}

function addConfiguration(program: Command, finish: Finish): void {
  addConfigCommands(program, finish, {
    name: configName,
    configCheck: late(configuration, 'configCheck'),
    configSchema: late(configuration, 'configSchema'),
  })
}

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
