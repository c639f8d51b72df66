// What a manual page says that is in no command's definition: what the program is, examples, files, exit codes.
import type { ProgramModel } from './model.ts'

export interface Prose {
  /** Of the line NAME. */
  readonly summary: string
  readonly description: readonly string[]
  /** Headings, and the commands below each; every command is below one. */
  readonly groups: readonly (readonly [title: string, commands: readonly string[]])[]
  readonly examples: readonly (readonly [says: string, lines: readonly string[]])[]
  readonly files: readonly (readonly [file: string, says: string])[]
  readonly exit: readonly (readonly [code: number, says: string])[]
  /** In /usr/share/doc of the package. */
  readonly document: string
}

const common = [
  [0, 'done'],
  [1, 'failed'],
  [2, 'wrong usage or configuration'],
] as const

export const prose: { readonly [Name in ProgramModel['name']]: Prose } = {
  'uraiden-agent': {
    summary: 'buy over HTTP and pay through uRaiden payment channels',
    description: [
      'A receiver asks a price for its answers. uraiden-agent pays it with a signed balance proof, never more than the budget of its configuration allows. It runs once for one answer, or as a daemon with jobs and a paying proxy.',
    ],
    groups: [
      ['Begin', ['init', 'doctor', 'config', 'key']],
      ['Buy', ['get', 'discover', 'accept', 'budget', 'history']],
      ['Channels', ['channels', 'open', 'topup', 'close', 'settle', 'recover', 'sweep']],
      ['The daemon', ['run', 'status', 'pause', 'resume', 'run-job', 'flush', 'reload']],
    ],
    examples: [
      [
        'A key of the service, and a look at everything that a payment needs:',
        [
          'sudo runuser -u uraiden-agent -- uraiden-agent key new /var/lib/uraiden-agent/key.json',
          'sudo runuser -u uraiden-agent -- uraiden-agent doctor http://192.168.1.104:5000/load',
        ],
      ],
      [
        'What an answer costs, and the answer, for at most 0.02 tokens:',
        [
          'uraiden-agent get --dry-run weather/today',
          'uraiden-agent get --max-price 0.02 --output today.json weather/today',
        ],
      ],
      ['What was spent on each day:', ['uraiden-agent history --by-day']],
      [
        'Pause one job, and go on with it:',
        ['uraiden-agent pause light', 'uraiden-agent resume light'],
      ],
      [
        'Take everything home before the card is used for something else:',
        [
          'uraiden-agent close 0x70997970C51812dc3A010C7d01b50e0d17dc79C8/1234',
          'uraiden-agent settle --wait',
          'uraiden-agent sweep 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
        ],
      ],
    ],
    files: [
      ['/etc/uraiden/agent.yaml', 'The configuration of the service.'],
      [
        '/var/lib/uraiden-agent',
        'The key and the ledger of what was signed. Whoever loses it may lose money.',
      ],
    ],
    exit: [
      ...common,
      [3, 'refused by a limit of the configuration'],
      [4, 'the receiver'],
      [5, 'the chain'],
      [6, 'the key'],
      [7, 'the state on disk, or the daemon'],
      [8, 'the receiver answered with an HTTP error'],
    ],
    document: 'agent-config.md.gz',
  },
  'uraiden-receiver': {
    summary: 'sell over HTTP and be paid through uRaiden payment channels',
    description: [
      'uraiden-receiver asks a price for files, commands and other servers, and serves who pays with a signed balance proof. Proofs are on the disk before an answer leaves; with them it collects what the channels owe.',
      'Options that name a setting win over the configuration.',
    ],
    groups: [
      ['Begin', ['init', 'doctor', 'config', 'key']],
      ['Sell', ['start', 'watch', 'admin']],
      [
        'Channels',
        ['channels', 'stats', 'withdraw', 'close-all', 'close', 'backup', 'restore', 'migrate'],
      ],
    ],
    examples: [
      [
        'A first configuration that sells the load of this machine, and a test of it:',
        [
          "uraiden-receiver init --path /load --price 0.005 --command 'cat /proc/loadavg'",
          'uraiden-receiver doctor',
          'uraiden-receiver start',
        ],
      ],
      [
        'What taking out what the channels owe would cost, and doing it:',
        ['uraiden-receiver withdraw --dry-run', "uraiden-receiver withdraw --least '1 TKN'"],
      ],
      ['A copy of the balance proofs, while it runs:', ['uraiden-receiver backup proofs.backup']],
      ['A password for the dashboard:', ['uraiden-receiver admin hash']],
    ],
    files: [
      ['/etc/uraiden/receiver.yaml', 'The configuration of the service.'],
      [
        '/var/lib/uraiden-receiver',
        'The key and the balance proofs. Whoever loses them loses what the channels owe.',
      ],
    ],
    exit: [
      ...common.slice(0, 2),
      [2, 'wrong usage or configuration, or the port is taken'],
      [3, 'refused, or something due was left for its price'],
      [4, 'the running receiver did not answer'],
      [5, 'the chain'],
      [6, 'the key'],
      [7, 'the state on disk'],
    ],
    document: 'receiver-cli.md.gz',
  },
}
