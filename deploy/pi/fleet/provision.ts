// deploy/pi/provision: see its --help.
import { Command, Option } from 'commander'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { isUraidenError, parseTypedAddress } from '../../../protocol/index.ts'
import { argument, integer, several } from '../../../scripts/lib/shared/arguments.ts'
import { type ApplyCommand, apply } from './commands/apply.ts'
import { type FirstBootCommand, firstBoot } from './commands/first-boot.ts'
import { type FundCommand, fund } from './commands/fund.ts'
import { type InitCommand, init } from './commands/init.ts'
import { type LogsCommand, logs } from './commands/logs.ts'
import { type RetireCommand, retire } from './commands/retire.ts'
import { rollback } from './commands/rollback.ts'
import { status } from './commands/status.ts'
import { type UpdateCommand, update } from './commands/update.ts'
import { inventoryJsonSchema } from './hosts/inventory.ts'
import type { FleetCommand } from './hosts/session.ts'

const program = new Command('provision')
  .description('sets up Raspberry Pis over SSH: docs/guides/provisioning.md')
  .showHelpAfterError()

/** Options of what goes to hosts. */
function fleetCommand(name: string, description: string): Command {
  return program
    .command(`${name} [hosts...]`)
    .description(description)
    .option('-i, --inventory <file>', 'which hosts there are', 'fleet.yaml')
    .option('-p, --parallel <hosts>', 'how many at a time', integer(1, 100), 8)
    .option('--accept-new', 'take the host key of a host that is not known yet')
    .option('--json', 'one JSON object at the end')
}

const wait = new Option('--wait <seconds>', 'longest wait until a host is healthy')
  .argParser(integer(1, 3600))
  .default(120)

program
  .command('init')
  .description('writes a first inventory and its template; asks at a terminal')
  .option('-i, --inventory <file>', 'where it goes; agent.yaml comes beside it', 'fleet.yaml')
  .option(
    '--host <name=address>',
    'a Raspberry Pi; may be given again',
    several((text: string) => text),
    [],
  )
  .option('--user <name>', 'of ssh there')
  .option('--rpc <url>', 'JSON-RPC address of an Ethereum node, as the Pis reach it')
  .option('--contract <address>', 'the channels contract')
  .option('--receiver <name=url>', 'where they buy')
  .option('--request <amount>', 'most for one request, in tokens')
  .option('--day <amount>', 'most in a day for each, in tokens')
  .option('-y, --yes', 'ask nothing: take what is usual')
  .option('--json', 'one JSON object at the end')
  .action((options: InitCommand) => run(() => init(options)))

fleetCommand('apply', 'installs, configures and starts what is not as the inventory says')
  .option('--dry-run', 'only say what would be done')
  .option('--to <version>', 'of the package, where the folder has several')
  .option(
    '--new-account <host>',
    'this host was set up anew and has another account; may be given again',
    (host: string, before: readonly string[]) => [...before, host],
    [],
  )
  .option('--host <[user@]address[:port]>', 'one host, without an inventory; needs the next three')
  .option('--rpc <url>', 'JSON-RPC address of an Ethereum node, for --host')
  .option('--contract <address>', 'the channels contract, for --host', argument(parseTypedAddress))
  .option('--template <file>', 'agent.yaml, for --host')
  .option('--packages <folder>', 'where the packages are, for --host', 'dist-pi')
  .addOption(wait)
  .action((hosts: string[], options: ApplyCommand) => run(() => apply(hosts, options)))

fleetCommand('status', 'versions, health, budgets, channels and last errors').action(
  (hosts: string[], options: FleetCommand) => run(() => status(hosts, options)),
)

fleetCommand('logs', 'the last lines of the services, of all hosts in the order of time')
  .option('-n, --lines <number>', 'of each host', integer(1, 10_000), 50)
  .option('--since <time>', 'as journalctl takes it: today, or "1 hour ago"')
  .action((hosts: string[], options: LogsCommand) => run(() => logs(hosts, options)))

fleetCommand('update', 'installs another version: one host first, then the others')
  .option('--to <version>', 'of the package, where the folder has several')
  .option('--canary <host>', 'which one goes first (the first that is named)')
  .addOption(wait)
  .action((hosts: string[], options: UpdateCommand) => run(() => update(hosts, options)))

fleetCommand('rollback', 'puts the earlier version back; ledger and configuration stay')
  .option('--to <version>', 'which one, instead of the newest below the one there')
  .option('--canary <host>', 'which one goes first (the first that is named)')
  .addOption(wait)
  .action((hosts: string[], options: UpdateCommand) => run(() => rollback(hosts, options)))

fleetCommand('retire', 'closes channels, settles, and sends tokens and ether home')
  .requiredOption('--sweep-to <address>', 'where they go', argument(parseTypedAddress))
  .option('--uncooperative', 'close without a receiver that is away or refuses')
  .option('--timeout <minutes>', 'longest wait for challenge periods', integer(0, 100_000), 300)
  .option('--purge', 'afterwards remove the package and its state, the key included')
  .action((hosts: string[], options: RetireCommand) => run(() => retire(hosts, options)))

program
  .command('fund [hosts...]')
  .description('tops up the accounts of the hosts, never over the caps')
  .option('-i, --inventory <file>', 'which hosts there are', 'fleet.yaml')
  .option('--tokens <amount>', 'top up to this instead of what the inventory says')
  .option('--ether <amount>', 'the same for ether')
  .option('--dry-run', 'only say what would be sent')
  .option('--history', 'what was sent so far')
  .option('--json', 'one JSON object at the end')
  .action((hosts: string[], options: FundCommand) => run(() => fund(hosts, options)))

program
  .command('first-boot <host>')
  .description('files for a fresh card, to be put on its boot partition')
  .option('-i, --inventory <file>', 'which hosts there are', 'fleet.yaml')
  .requiredOption('--into <folder>', 'a new folder, or the boot partition of a card')
  .addOption(
    new Option('--flavour <name>', 'cloud-init: Trixie and later; firstrun: Bookworm')
      .choices(['cloud-init', 'firstrun'])
      .default('cloud-init'),
  )
  .addOption(
    new Option('--architecture <name>', 'of the system on the card')
      .choices(['arm64', 'armhf', 'amd64'])
      .default('arm64'),
  )
  .option('--to <version>', 'of the package, where the folder has several')
  .action((host: string, options: FirstBootCommand) => run(() => firstBoot(host, options)))

program
  .command('schema')
  .description('JSON schema of the inventory, for editors')
  .action(() => void process.stdout.write(`${toJson(inventoryJsonSchema())}\n`))

async function run(command: () => Promise<'ok' | 'failed'>): Promise<void> {
  try {
    if ((await command()) === 'failed') process.exitCode = 1
  } catch (error) {
    if (!isUraidenError(error)) throw error
    const { code, message, hint } = error
    createOutput(false).say(`provision: ${message}\n${hint}   (${code})`)
    if (process.argv.includes('--json')) {
      createOutput(true).print(toJson({ error: code, message, hint }))
    }
    process.exitCode = error.code.startsWith('config_') ? 2 : 1
  }
}

await program.parseAsync()
