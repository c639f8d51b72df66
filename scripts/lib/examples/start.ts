// Everything that one of scripts/examples needs to be tried: a test chain, a stand-in for a server of
// the world where it has one, the receiver, and an agent's configuration to buy with.
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deployTestContracts, startEmbeddedChain } from '../../../test/lab/chains/embedded-chain.ts'
import { createStarted } from '../shared/script.ts'
import { startChild, startProgram } from './child.ts'

const receiverProgram = fileURLToPath(new URL('../../../receiver/cli/main.ts', import.meta.url))

export const examplesFolder: string = fileURLToPath(new URL('../../examples', import.meta.url))

export interface ExampleOptions {
  /** With a receiver.yaml, and perhaps a stand-in.js. */
  readonly folder: string
  /** TCP port of the receiver on 127.0.0.1; 0 takes a free one. */
  readonly port: number
}

export interface RunningExample {
  readonly url: string
  /** What is sold, by path. */
  readonly resources: readonly string[]
  /** For `uraiden-agent --config`: an account with tokens and a small budget. */
  readonly agentConfig: string
  readonly stop: () => Promise<void>
}

/** What `start --json` says once it sells. */
type Sold = Pick<RunningExample, 'url' | 'resources'>

/** @throws UraidenError `program_ended` */
export async function startExample({ folder, port }: ExampleOptions): Promise<RunningExample> {
  const { add, stop } = createStarted()
  try {
    const chain = await startEmbeddedChain()
    add(chain.close)
    const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
    const [, receiver, sender] = chain.accounts
    if (!receiver || !sender) throw new Error('the test chain has no accounts')
    await (
      await token.getFunction('transfer(address,uint256)')(sender.address, 100n * 10n ** 18n)
    ).wait()
    const own = await mkdtemp(join(tmpdir(), 'uraiden-example-'))
    add(() => rm(own, { recursive: true, force: true }))
    const key = join(own, 'receiver-key')
    await writeFile(key, receiver.privateKey, { mode: 0o600 })

    const standIn = join(folder, 'stand-in.js')
    if (existsSync(standIn)) add((await startChild(standIn, [])).stop)
    const args = [
      ...['--config', join(folder, 'receiver.yaml'), '--json', '--key', key],
      ...['--contract', contract, '--rpc', chain.rpcUrl, '--state', join(own, 'receiver')],
      ...['start', '--host', '127.0.0.1', '--port', `${port}`],
    ]
    const program = await startProgram<Sold>(receiverProgram, args, {
      environment: {
        URAIDEN_RECEIVER_LOG_LEVEL: 'silent',
        URAIDEN_RECEIVER_POLLINTERVAL: '0.1',
      },
    })
    add(program.stop)
    const { url, resources } = program.facts
    const agentConfig = join(own, 'agent.yaml')
    await writeFile(join(own, 'agent-key'), sender.privateKey, { mode: 0o600 })
    await writeFile(
      agentConfig,
      `rpc: ${chain.rpcUrl}
contract: ${contract}
key: ${join(own, 'agent-key')}
state: ${join(own, 'agent')}
budget: { request: 0.01 TKN, total: 1 TKN }
`,
    )
    return { url, resources, agentConfig, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
