// A chain, a receiver on it and agents that buy from it, on loopback, with real files.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Contract } from 'ethers'
import { type Agent, type AgentOptions, createAgent, depositsFor } from '../../agent/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex } from '../../protocol/index.ts'
import {
  createReceiverServer,
  type ReceiverOptions,
  type Resource,
  type ServerOptions,
  startReceiver,
} from '../../receiver/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import type { TestChain } from '../lab/chains/test-chain.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { patience } from './until.ts'

/** Of the resource that is there when a test names none. */
export const price = 5n

/** Everything stops and is removed when the test ends. Each agent is a sender with 10 000 units. */
export async function startSystem(
  t: ExecutionContext,
  resources: readonly Resource[] = [reading()],
  receiverOptions: Partial<ReceiverOptions> = {},
  serverLimits: ServerOptions = {},
) {
  return startSystemOn(t, await startEmbeddedChain(), resources, receiverOptions, serverLimits)
}

/** The same on a chain of any kind, which it closes. */
export async function startSystemOn<Chain extends TestChain>(
  t: ExecutionContext,
  chain: Chain,
  resources: readonly Resource[] = [reading()],
  receiverOptions: Partial<ReceiverOptions> = {},
  serverLimits: ServerOptions = {},
) {
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const senderAccount = chain.accounts[2]
  const tokens = token.getFunction('transfer(address,uint256)')
  await (await tokens(senderAccount?.address, 10_000n)).wait()
  const options = { resources, receiver: receiverOptions, server: serverLimits }
  return startSystemWith(t, { chain, contract, token }, options)
}

export interface SystemOptions {
  readonly resources?: readonly Resource[]
  readonly receiver?: Partial<ReceiverOptions>
  readonly server?: ServerOptions
}

/** The same with contracts that are there; the third account is the sender, with what tokens it has. */
export async function startSystemWith<Chain extends TestChain>(
  t: ExecutionContext,
  deployed: { readonly chain: Chain; readonly contract: Address; readonly token: Contract },
  options: SystemOptions = {},
) {
  const { chain, contract, token } = deployed
  const { resources = [reading()], receiver: receiverOptions = {}, server: limits = {} } = options
  const [, receiverAccount, senderAccount] = chain.accounts
  if (!receiverAccount || !senderAccount) throw new Error('no accounts')
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-e2e-'))
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    timeout: patience,
    state: join(folder, 'receiver'),
    // Tests run several systems beside each other, on two cores.
    pollInterval: 50,
    confirmations: 1,
    verifierThreads: 1,
    ...receiverOptions,
  })
  await receiver.synced
  const server = await createReceiverServer(receiver, resources, limits)
  // Where it comes back when it is restarted.
  const base = await server.listen({ host: '127.0.0.1', port: await freePort() })
  const agents: Agent[] = []
  const agent = async (options: Partial<AgentOptions> = {}): Promise<Agent> => {
    const made = await createAgent({
      signer: createKeySigner(fromHex(senderAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      chainId: chain.chainId,
      contract,
      store: join(folder, 'agent'),
      retryInterval: 20,
      // A few payments, so that tests come to top-ups soon.
      deposit: depositsFor(0),
      ...options,
    })
    agents.push(made)
    return made
  }
  t.teardown(async () => {
    for (const each of agents) await each.stop().catch(() => undefined)
    await server.close()
    await receiver.stop()
    await rm(folder, { recursive: true })
  })
  const tokensOf = async (address: string): Promise<bigint> =>
    token.getFunction('balanceOf')(address)
  return {
    base,
    agent,
    folder,
    chain,
    token,
    contract,
    receiver,
    server,
    receiverAccount,
    senderAccount,
    tokensOf,
  }
}

export function reading(): Resource {
  return { path: '/reading', price, handler: () => ({ celsius: 21.4 }) }
}
