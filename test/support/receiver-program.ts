// uraiden-receiver as a process of its own, as a person would run it.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { Address } from '../../protocol/index.ts'
import {
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../lab/chains/embedded-chain.ts'
import type { CliResult } from './cli.ts'
import { cleanEnvironment } from './environment.ts'

/** The checkout's. */
const program = [
  process.execPath,
  fileURLToPath(new URL('../../receiver/cli/main.ts', import.meta.url)),
]

/** What `start --json` says once it sells. */
export interface Announcement {
  readonly url: string
  readonly receiver: Address
  readonly resources: readonly string[]
}

export interface Program {
  /** Resolves with the first line of standard output, parsed; rejects when there is none. */
  readonly announced: Promise<Announcement>
  readonly log: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<CliResult>
}

interface SpawnOptions {
  /** What it reads from standard input. */
  readonly input?: string | undefined
  /** Another program than the checkout's, and what it takes before the arguments. */
  readonly command?: readonly string[] | undefined
}

/** Chains of tests make a block for each transaction, and none after it. */
const everyBlockCounts = {
  URAIDEN_RECEIVER_CONFIRMATIONS: '1',
  URAIDEN_WATCHTOWER_CONFIRMATIONS: '1',
}

/** Nothing of the machine's own configuration reaches it. */
export function spawnReceiver(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  { input, command = program }: SpawnOptions = {},
): Program {
  const [file = '', ...before] = command
  const child = spawn(file, [...before, ...args], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), ...everyBlockCounts, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // It need not read it.
  child.stdin.on('error', () => undefined).end(input)
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  const announced = new Promise<Announcement>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      const [line, rest] = stdout.split('\n', 2)
      if (rest !== undefined) {
        try {
          resolve(JSON.parse(line ?? ''))
        } catch (error) {
          reject(error)
        }
      }
    })
    ended.then(({ code }) => reject(new Error(`ended with ${code}: ${stderr}`)), reject)
  })
  announced.catch(() => undefined)
  return { announced, log: () => stderr, kill: (signal) => void child.kill(signal), ended }
}

/** A command that ends by itself. `input` is what it reads from standard input. */
export function runReceiver(
  folder: string,
  args: readonly string[],
  environment?: NodeJS.ProcessEnv,
  input?: string,
): Promise<CliResult> {
  return spawnReceiver(folder, args, environment, { input }).ended
}

/** A chain with the contracts, and a folder with the key of a receiver in `key`. */
export async function givenReceiverFolder(t: ExecutionContext) {
  const chain = await startEmbeddedChain()
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiverAccount, senderAccount] = chain.accounts
  if (!receiverAccount || !senderAccount) throw new Error('no accounts')
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(senderAccount.address, 10n ** 18n)).wait()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-receiver-'))
  await writeFile(join(folder, 'key'), receiverAccount.privateKey, { mode: 0o600 })
  t.teardown(async () => {
    await chain.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { chain, contract, token, folder, receiverAccount, senderAccount }
}

/** Started and selling; stopped when the test ends. */
export async function startProgram(
  t: ExecutionContext,
  given: {
    readonly folder: string
    readonly chain: EmbeddedChain
    /** Another program than the checkout's. */
    readonly command?: readonly string[]
  },
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Program & Announcement> {
  const { folder, chain } = given
  const program = spawnReceiver(
    folder,
    ['--json', '--rpc', chain.rpcUrl, 'start', '--host', '127.0.0.1', '--port', '0', ...args],
    { URAIDEN_RECEIVER_POLLINTERVAL: '0.05', ...environment },
    { command: given.command },
  )
  // Teardowns run last to first: the process ends before its folder and its chain.
  t.teardown(async () => {
    program.kill('SIGTERM')
    await program.ended
  })
  return { ...program, ...(await program.announced) }
}
