// The chain of the fault lab: a process of its own, embedded chain or geth.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Wallet } from 'ethers'
import { createTurns } from '../../../platform/async/turns.ts'
import { LabProvider } from '../chains/lab-provider.ts'
import { type FundedAccount, testAccount } from '../chains/test-accounts.ts'
import { startGethChain } from '../geth/chain.ts'
import { endWithParent } from '../processes/end-with-parent.ts'

export interface LabChain {
  readonly rpcUrl: string
  readonly chainId: bigint
  readonly provider: LabProvider
  readonly wallet: (account: number) => Wallet
  readonly account: (index: number) => FundedAccount
  readonly mine: (blocks: number) => Promise<void>
  readonly freeze: () => void
  readonly thaw: () => void
  /** kill -9 and start again; undefined where that would lose the chain. */
  readonly kill: (() => Promise<void>) | undefined
  readonly close: () => Promise<void>
}

/** A geth that writes down every block with its state at once, so that kill -9 makes it forget nothing. */
export async function startLabGeth(geth: string): Promise<LabChain> {
  const chain = await startGethChain({ geth, keepsAll: true })
  const turns = createTurns()
  return {
    ...chain,
    account: testAccount,
    freeze: () => chain.signal('SIGSTOP'),
    thaw: () => chain.signal('SIGCONT'),
    // Two at once would be two processes on one data folder.
    kill: () => turns.take(() => chain.restart('SIGKILL')),
  }
}

const program = fileURLToPath(new URL('../../../scripts/lib/chain.ts', import.meta.url))

export async function startLabEmbedded(): Promise<LabChain> {
  const child = spawn(process.execPath, [program, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endWithParent(child)
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the chain did not start'))),
  ])
  const { rpcUrl, chainId } = JSON.parse(String(line)) as { rpcUrl: string; chainId: number }
  const provider = new LabProvider({ rpcUrl, chainId, pollingInterval: 20 })
  return {
    rpcUrl,
    chainId: BigInt(chainId),
    provider,
    wallet: (index) => new Wallet(testAccount(index).privateKey, provider),
    account: testAccount,
    mine: async (blocks) => {
      await provider.send('hardhat_mine', [`0x${blocks.toString(16)}`])
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: undefined,
    close: async () => {
      provider.destroy()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
