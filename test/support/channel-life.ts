// A whole life of channels, as agent and receiver live it: opened, paid with, topped up, closed together; and one more
// that is closed alone and settled.
import type { ExecutionContext } from 'ava'
import { Interface, type InterfaceAbi } from 'ethers'
import type { Agent, AgentOptions, ChannelName } from '../../agent/index.ts'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import type { TestChain } from '../lab/chains/test-chain.ts'
import type { startSystemWith } from './system.ts'

export type System = Pick<
  Awaited<ReturnType<typeof startSystemWith<TestChain>>>,
  'base' | 'agent' | 'chain' | 'contract' | 'tokensOf' | 'receiverAccount' | 'senderAccount'
>

export interface Life {
  readonly system: System
  /** Of a reading. */
  readonly price: bigint
  readonly agent?: Partial<AgentOptions>
  /** The receiver has to send what it can for the agent. */
  readonly etherless?: boolean
}

/** Resolves with what the agent's account had sent to open the first channel, and to top it up. */
export async function wholeLife(t: ExecutionContext, { system, price, agent, etherless }: Life) {
  const { base, tokensOf, receiverAccount, senderAccount, contract, chain } = system
  const before = await tokensOf(senderAccount.address)
  const since = (await chain.provider.getBlockNumber()) + 1
  const changes: string[] = []
  const buyer = await system.agent({
    ...agent,
    onChannelChange: (_, { kind }) => void changes.push(kind),
  })
  await buy(t, system, buyer, 4)
  const opened = await sentBy(system, since)
  const first = openName(buyer)
  await buyer.topUp(first, 3n * price, base)
  const toppedUp = (await sentBy(system, since)).slice(opened.length)
  await buy(t, system, buyer)
  t.deepEqual(changes, ['opened', 'toppedUp'])
  await chain.mine(1)
  await buyer.closeChannel(first, base)
  t.is(await tokensOf(receiverAccount.address), 5n * price, 'closed together')
  t.is(await tokensOf(contract), 0n)

  await buy(t, system, buyer, 2)
  const second = openName(buyer)
  await chain.mine(1)
  if (etherless) {
    await t.throwsAsync(buyer.closeChannel(second, {}), { code: 'ether_missing' })
    return { opens: ways(opened), topsUp: ways(toppedUp) }
  }
  await buyer.closeChannel(second, {})
  t.deepEqual(await buyer.settle(), [])
  await chain.mine(502)
  t.deepEqual(await buyer.settle(), [second])
  t.is(await tokensOf(receiverAccount.address), 7n * price, 'closed alone and settled')
  t.is(await tokensOf(senderAccount.address), before - 7n * price)
  t.is(await tokensOf(contract), 0n)
  return { opens: ways(opened), topsUp: ways(toppedUp) }
}

export async function buy(
  t: ExecutionContext,
  { base }: Pick<System, 'base'>,
  buyer: Agent,
  times = 1,
): Promise<void> {
  for (let bought = 0; bought < times; bought++) {
    t.is((await buyer.get(`${base}/reading`)).status, 200)
  }
}

/** Of the only channel that is open. */
export function openName(agent: Agent): ChannelName {
  const [channel, ...others] = agent.channels().filter(({ state }) => state === 'open')
  if (channel === undefined || others.length > 0) throw new Error('not one open channel')
  return `${channel.receiver}/${channel.openBlock}`
}

const abis: readonly InterfaceAbi[] = [channelsAbi, tokenAbi]
const known = abis.map((abi) => new Interface(abi))

/** The functions that the two parties' transactions called. */
async function sentBy(system: System, since: number): Promise<readonly string[]> {
  const { chain, senderAccount, receiverAccount } = system
  const head = await chain.provider.getBlockNumber()
  const names: string[] = []
  for (let number = since; number <= head; number++) {
    const block = await chain.provider.getBlock(number, true)
    for (const { from, data } of block?.prefetchedTransactions ?? []) {
      const name = known.map((abi) => abi.getFunction(data.slice(0, 10))?.name).find(Boolean)
      if (from === senderAccount.address) names.push(`${name}`)
      if (from === receiverAccount.address) names.push(`relayed ${name}`)
    }
  }
  return names
}

/** As the table of docs/reference/chains-and-tokens.md calls them. */
const wayOf: Readonly<Record<string, string>> = {
  transfer: 'erc223',
  'approve, createChannel': 'approve',
  createChannelWithPermit: 'permit',
  'relayed createChannelFor': 'relay',
  'relayed topUpFor': 'relay',
  createChannelWithAuthorization: 'authorization',
  'relayed createChannelWithAuthorization': 'relayed authorization',
  'approve, topUp': 'approve',
  topUpFor: 'permit',
}

function ways(names: readonly string[]): string {
  const joined = names.join(', ')
  return wayOf[joined] ?? joined
}
