// A real geth in development mode, with the same accounts and the same handles as the embedded chain.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonRpcProvider, parseEther, Wallet } from 'ethers'
import { LabProvider } from '../chains/lab-provider.ts'
import { testAccount } from '../chains/test-accounts.ts'
import type { TestChain } from '../chains/test-chain.ts'
import { freePort } from '../processes/free-port.ts'
import { emptyBlocks } from './empty-blocks.ts'
import { type GethOptions, gethCommand, startGethProcess } from './process.ts'

export interface GethChain extends TestChain {
  /** Ends the process and starts it again on the same data and port. */
  readonly restart: (signal?: 'SIGINT' | 'SIGKILL') => Promise<void>
  /** SIGSTOP freezes it, SIGCONT lets it go on. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Ends the process; `restart` brings it back. */
  readonly halt: () => Promise<void>
  /** Goes back to an older block; what comes next is another chain. */
  readonly rewind: (block: number) => Promise<void>
  /** The same as `mine` for very many blocks: geth checks and imports them, and restarts for it. */
  readonly importBlocks: (blocks: number) => Promise<void>
}

export interface GethChainOptions extends Partial<Pick<GethOptions, 'port' | 'period' | 'more'>> {
  readonly geth: string
  readonly accounts?: number
  /** Every block's state is on disk with the block, so that SIGKILL makes it forget nothing. */
  readonly keepsAll?: true
}

/**
 * As geth kept blocks and states before. Now it has the newest states in memory, an archive's too, and a young
 * chain that is killed begins anew, without any contract; and Pebble has its last writes in memory, the newest
 * block among them.
 */
const atOnce = ['--state.scheme', 'hash', '--db.engine', 'leveldb']

/** @throws UraidenError `geth_not_started` */
export async function startGethChain(options: GethChainOptions): Promise<GethChain> {
  const { geth, port = await freePort(), period = 0, accounts: count = 20, keepsAll } = options
  const database = keepsAll ? atOnce : []
  const archive = keepsAll ? ['--gcmode', 'archive', ...atOnce] : []
  const more = [...archive, ...(options.more ?? [])]
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-geth-'))
  const dataFolder = join(folder, 'data')
  await writeFile(join(folder, 'genesis.json'), JSON.stringify(genesis(count)))
  await gethCommand({ geth, dataFolder }, ...database, 'init', join(folder, 'genesis.json'))
  const start = (on: number) => startGethProcess({ geth, dataFolder, port: on, period, more })
  let running = await start(port)
  const { port: listening } = running
  const rpcUrl = `http://127.0.0.1:${listening}`
  const provider = new LabProvider({ rpcUrl, chainId: gethChainId, pollingInterval: 50 })
  patient(provider)
  const accounts = Array.from({ length: count }, (_, index) => testAccount(index))
  const restart: GethChain['restart'] = async (signal = 'SIGINT') => {
    await running.stop(signal)
    running = await start(listening)
  }
  return {
    rpcUrl,
    chainId: gethChainId,
    accounts,
    provider,
    wallet: (index) => new Wallet(testAccount(index).privateKey, provider),
    mine: (blocks) => mineBySending(provider, count - 1, blocks),
    restart,
    signal: (signal) => running.signal(signal),
    halt: () => running.stop('SIGINT'),
    rewind: (block) => provider.send('debug_setHead', [`0x${block.toString(16)}`]),
    importBlocks: async (blocks) => {
      const file = join(folder, 'blocks.rlp')
      await writeFile(file, Buffer.concat(await emptyBlocks(provider, blocks)))
      await running.stop('SIGINT')
      await gethCommand({ geth, dataFolder }, 'import', file)
      await rm(file)
      running = await start(listening)
    },
    close: async () => {
      provider.destroy()
      await running.stop('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** While it indexes transactions, geth answers questions about one with an error; while it restarts, none. */
function patient(provider: JsonRpcProvider): void {
  const send = provider.send.bind(provider)
  provider.send = async (method, params) => {
    for (;;) {
      try {
        return await send(method, params)
      } catch (error) {
        if (!isPassing(method, error)) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}

function isPassing(method: string, error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  if (/^ECONN(RESET|REFUSED)$/.test(code)) return method !== 'eth_sendRawTransaction'
  return String(error).includes('transaction indexing is in progress')
}

/** geth has no call that mines: where no period does it, each transaction gets its block. */
async function mineBySending(
  provider: JsonRpcProvider,
  account: number,
  blocks: number,
): Promise<void> {
  const { privateKey, address } = testAccount(account)
  const wallet = new Wallet(privateKey)
  const height = async () => Number(await provider.send('eth_blockNumber', []))
  const goal = (await height()) + blocks
  const fees = { maxFeePerGas: parseEther('0.000001'), maxPriorityFeePerGas: 1n }
  while ((await height()) < goal) {
    // Asked each time: a geth that was killed meanwhile may have gone back.
    const count = await provider.send('eth_getTransactionCount', [address, 'pending'])
    const transaction = { to: address, nonce: Number(count), gasLimit: 21_000n, type: 2, ...fees }
    const signed = await wallet.signTransaction({ ...transaction, chainId: gethChainId })
    await provider.send('eth_sendRawTransaction', [signed]).catch((error) => {
      // The count was of a moment ago: its transaction has got its block meanwhile.
      if (!isOvertaken(error)) throw error
    })
  }
}

function isOvertaken(error: unknown): boolean {
  return /nonce|already known|underpriced/i.test(String(error))
}

/** As geth's own development chain has it. */
const gethChainId = 1337n

const rules = [
  'homestead',
  'eip150',
  'eip155',
  'eip158',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'berlin',
  'london',
]

/**
 * The first block: every rule from the start, and the usual test accounts with ether. Cancun and no later: the system contracts of later rules would change the state in every block,
 * and then `emptyBlocks` could not be made without running them.
 */
function genesis(accounts: number): object {
  const alloc = Array.from({ length: accounts }, (_, index) => [
    testAccount(index).address,
    { balance: `0x${(10_000n * 10n ** 18n).toString(16)}` },
  ])
  return {
    config: {
      chainId: Number(gethChainId),
      ...Object.fromEntries(rules.map((name) => [`${name}Block`, 0])),
      terminalTotalDifficulty: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      // EIP-4844.
      blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 } },
    },
    difficulty: '0x0',
    gasLimit: `0x${(30_000_000).toString(16)}`,
    baseFeePerGas: `0x${(10 ** 9).toString(16)}`,
    alloc: Object.fromEntries(alloc),
  }
}
