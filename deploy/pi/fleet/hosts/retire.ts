// Takes the money home: closes the channels of a host, settles, sweeps its account. Nothing is removed
// before the chain says that nothing is left.

import { z } from 'zod'
import type { ChainClient } from '../../../../platform/chain/index.ts'
import { type Address, isUraidenError, type UraidenError } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { type Account, demandSameAccount } from './accounts.ts'
import type { Host } from './host.ts'

export interface RetireOptions {
  /** Where tokens and ether go. */
  readonly to: Address
  /** What to do with a receiver that is away or refuses. */
  readonly channels: 'together' | 'alone if need be'
  /** Longest wait for challenge periods, in milliseconds. */
  readonly timeout: number
  /** Between two looks whether one is over, in milliseconds. */
  readonly interval: number
  /** Afterwards. */
  readonly software: 'stays' | 'goes'
  /** As this computer sees it: the host's word is not enough to delete its key. */
  readonly chain: ChainClient
  /** What is known of the hosts' accounts. */
  readonly accounts: readonly Account[]
  readonly say: (line: string) => void
}

export interface Retired {
  readonly address: Address
  readonly closed: readonly string[]
  /** In the token's smallest unit. */
  readonly tokens: bigint
  /** In wei. */
  readonly ether: bigint
  readonly etherLeft: bigint
}

const amount = z.string().regex(/^\d+$/).transform(BigInt)
const channelsSchema = z.array(z.object({ channel: z.string(), state: z.string() }))
const settleSchema = z.object({ closing: channelsSchema })
const sweptSchema = z.object({ tokens: amount, ether: amount, etherLeft: amount })

/**
 * May be run again after whatever has stopped it.
 * @throws UraidenError `channels_not_closed`, `challenge_period_runs`, `money_left`, `host_not_provisioned`, `account_changed`,
 * and those of the agent's commands
 */
export async function retireHost(host: Host, options: RetireOptions): Promise<Retired> {
  const { version, key } = await host.facts()
  if (version === undefined || !key) throw nothingThere()
  // From here on it buys nothing, nor after a power cut.
  await host.disable()
  const address = await host.address()
  // Of another one the chain could say that nothing is left.
  demandSameAccount(options.accounts, host.name, address)
  await host.agent('recover')
  const closed = await closeChannels(host, options)
  await settleAll(host, options)
  const swept = sweptSchema.parse(await host.agent('sweep', options.to))
  await demandNothingLeft(host, address, options)
  if (options.software === 'goes') await host.purge()
  return { address, closed, ...swept }
}

async function unclosed(host: Host) {
  return channelsSchema.parse(await host.agent('channels'))
}

async function closeChannels(host: Host, options: RetireOptions): Promise<readonly string[]> {
  const open = (await unclosed(host)).filter(({ state }) => state === 'open')
  const problems: string[] = []
  for (const { channel } of open) {
    try {
      await closeOne(host, channel, options)
      options.say(`${host.name}: closed ${channel}`)
    } catch (error) {
      if (!isUraidenError(error) || error.code.startsWith('ssh_')) throw error
      problems.push(`${channel}: ${error.message}`)
    }
  }
  if (problems.length === 0) return open.map(({ channel }) => channel)
  throw toolError({
    code: 'channels_not_closed',
    message: problems.join('; '),
    hint:
      options.channels === 'together'
        ? 'Run it again when the receiver is there, or with --uncooperative: then the challenge period has to pass.'
        : 'Look at the channel on the Pi: uraiden-agent channels, uraiden-agent close.',
  })
}

async function closeOne(host: Host, channel: string, options: RetireOptions): Promise<void> {
  try {
    await host.agent('close', channel)
  } catch (error) {
    // Without ether it would fail alone, too.
    const cannotHelp = !isUraidenError(error) || /^(ssh_|ether_|chain_)/.test(error.code)
    if (cannotHelp || options.channels === 'together') throw error
    options.say(`${host.name}: ${error.message} Closing ${channel} without the receiver.`)
    await host.agent('close', channel, '--uncooperative')
  }
}

async function settleAll(host: Host, { timeout, interval, say }: RetireOptions): Promise<void> {
  const giveUp = performance.now() + timeout
  let told = false
  while ((await unclosed(host)).length > 0) {
    const { closing } = settleSchema.parse(await host.agent('settle'))
    if (closing.length === 0) return
    if (performance.now() > giveUp) {
      throw toolError({
        code: 'challenge_period_runs',
        message: `The challenge period of ${closing.map(({ channel }) => channel).join(', ')} is not over.`,
      })
    }
    if (!told) say(`${host.name}: waiting for the end of the challenge period`)
    told = true
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

async function demandNothingLeft(
  host: Host,
  address: Address,
  { chain }: RetireOptions,
): Promise<void> {
  const tokens = await chain.tokenBalance(address)
  const channels = await unclosed(host)
  if (tokens === 0n && channels.length === 0) return
  throw toolError({
    code: 'money_left',
    message: `Its account ${address} still has ${tokens} units and ${channels.length} channels.`,
  })
}

function nothingThere(): UraidenError {
  return toolError({
    code: 'host_not_provisioned',
    message: 'There is no agent with a key of provisioning: nothing to retire.',
    hint: 'A key at another place than /var/lib/uraiden-agent/key.json is left alone.',
  })
}
