// What is packed: two programs, and what is said and shipped about each.
import type { Way } from './packs.ts'
import type { PlatformName } from './platforms.ts'

export type ProgramName = 'agent' | 'receiver'

export interface Program {
  readonly name: ProgramName
  /** Of the package, its command, its unit, its user and its state folder. */
  readonly package: `uraiden-${ProgramName}`
  readonly platforms: readonly PlatformName[]
  /** The source of what the command runs. */
  readonly commandLine: string
  /** Sources of its threads, by the file they become. */
  readonly threads: Readonly<Record<string, string>>
  /**
   * Whether it imports files that its configuration names. Otherwise modules of Node that are loaded
   * late are required: no second loader has to start.
   */
  readonly imports: boolean
  /** Of the processes that are started often, what they load after what the command runs. */
  readonly ways: readonly Way[]
  /** In deploy/pi/config and /etc/uraiden. */
  readonly config: string
  /** In docs/, without their ending. */
  readonly documents: readonly string[]
  /** Debian's: a line, and what is said below it. */
  readonly summary: string
  readonly description: string
}

/** As agent/cli/main.ts, which waits at the top level: CommonJS cannot. */
const agentCommandLine = `
import { startAgentProgram } from './agent/cli/start.ts'
void startAgentProgram().then((code) => {
  process.exitCode = code
})
`

/** As receiver/cli/main.ts. */
const receiverCommandLine = `
import { runCommandLine } from './platform/cli/run.ts'
import { exitCodeOf } from './receiver/cli/commands/exit-codes.ts'
import { receiverProgram as program } from './receiver/cli/program.ts'
void runCommandLine({ program, exitCodeOf }).then((code) => {
  process.exitCode = code
})
`

const commands = 'agent/cli/commands'
const command = ['platform/cli/run.ts', 'agent/cli/program.ts']

/** The daemon, who reads its configuration, and what a person asks beside it. */
const agentWays: readonly Way[] = [
  [`${commands}/run.ts`, 'agent/program/daemon/daemon.ts'],
  [`${commands}/hand-over.ts`],
  [...command, `${commands}/get.ts`],
  [...command, `${commands}/daemon.ts`],
]

const programs: readonly Program[] = [
  {
    name: 'agent',
    package: 'uraiden-agent',
    platforms: ['arm64', 'armhf', 'amd64'],
    commandLine: agentCommandLine,
    threads: {},
    imports: false,
    ways: agentWays,
    config: 'agent.yaml',
    documents: [
      'guides/agent-page',
      'guides/home-assistant',
      'guides/daemon',
      'guides/proxy',
      'guides/x402',
      'reference/agent-cli',
      'reference/agent-config',
      'reference/jobs',
    ],
    summary: 'pays for data over HTTP through payment channels',
    description: ` The agent buys from receivers that ask a price for their answers, and pays
 them with signed balance proofs through channels of the uRaiden contract, never
 more than its budget allows. It runs once for one answer, or as a daemon with
 jobs and a proxy through which any program pays.
`,
  },
  {
    name: 'receiver',
    package: 'uraiden-receiver',
    // Its server needs a Node that the registry does not have for 32 bits.
    platforms: ['arm64', 'amd64'],
    commandLine: receiverCommandLine,
    threads: {
      'worker.js': "import './receiver/signatures/worker.ts'",
      'teaser-worker.js': "import './receiver/resources/upstream/teaser-worker.ts'",
    },
    imports: true,
    ways: [],
    config: 'receiver.yaml',
    documents: [
      'guides/operations',
      'guides/settlement',
      'guides/x402-selling',
      'reference/receiver-cli',
      'reference/receiver-config',
      'reference/resources',
    ],
    summary: 'sells over HTTP and is paid through payment channels',
    description: ` The receiver asks a price for files, commands and other servers of its
 configuration, serves who pays with signed balance proofs through channels of
 the uRaiden contract, and collects what the channels owe.
`,
  },
]

export const programNames: readonly ProgramName[] = programs.map(({ name }) => name)

export function programOf(name: ProgramName): Program {
  const program = programs.find((one) => one.name === name)
  if (program === undefined) throw new Error(`no program ${name}`)
  return program
}
