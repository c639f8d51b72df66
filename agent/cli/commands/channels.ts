// uraiden-agent channels, open, topup, close, settle, recover, sweep.

import {
  challengeTime,
  challengeTimeText,
  isPeriodOver,
  readBlockClock,
} from '../../../platform/chain/index.ts'
import { toJson } from '../../../platform/cli/output.ts'
import {
  type Address,
  afterBlock,
  type BlockClock,
  etherUnit,
  formatAmount,
  isUraidenError,
  parseAmount,
  parseTypedAddress,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../../protocol/index.ts'
import { keptText } from '../../channels/credit.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { type ChannelName, channelName } from '../../channels/records.ts'
import { agentError } from '../../errors/index.ts'
import { openChain } from '../../program/configuration/chain.ts'
import { channelTable, shownName } from '../text/channels.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { type GlobalOptions, parseFromBlock, type Session, withAgent } from './session.ts'

const waiting = 'waiting for the chain'

export function channels(options: GlobalOptions & { readonly all?: boolean }): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, output, token, nameOf } = session
    const known = agent.channels().filter(({ state }) => options.all || state !== 'closed')
    if (output.json) output.print(toJson(known.map(channelFacts)))
    else if (known.length === 0) output.print('no open channels')
    else {
      const clock = await clockFor(session, known)
      output.print(channelTable(known, { token, clock, nameOf }))
    }
    for (const work of agent.unfinished()) {
      output.say(`not finished: ${work}. The next payment takes it up, or: uraiden-agent settle`)
    }
    return exitCode.ok
  })
}

export interface DepositOptions extends GlobalOptions {
  /** Any URL of the receiver, which may send the transaction for us. */
  readonly url?: string
}

export function open(
  receiver: string,
  deposit: string,
  options: DepositOptions,
): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, output, token } = session
    const amount = parseAmount(deposit, token)
    const to = receiverAddress(session, receiver)
    const api = options.url ?? (await session.receivers.placeOf(to))
    const name = await output.during(waiting, () => agent.openChannel(to, amount, api))
    if (output.json) output.print(toJson({ channel: name, deposit: amount }))
    else output.print(`opened ${name} with ${formatAmount(amount, token)}`)
    return exitCode.ok
  })
}

export function topUp(channel: string, added: string, options: DepositOptions): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, output, token } = session
    const name = findChannel(session, channel)
    const amount = parseAmount(added, token)
    const api = options.url ?? (await session.receivers.placeOf(receiverOf(name)))
    await output.during(waiting, () => agent.topUp(name, amount, api))
    if (output.json) output.print(toJson({ channel: name, added: amount }))
    else output.print(`topped up ${name} by ${formatAmount(amount, token)}`)
    return exitCode.ok
  })
}

export interface CloseCommandOptions extends GlobalOptions {
  readonly uncooperative?: boolean
  readonly url?: string
  readonly balance?: string
}

export function close(channel: string, options: CloseCommandOptions): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, output, token } = session
    const name = findChannel(session, channel)
    const how = options.uncooperative
      ? aloneAt(options.balance, token)
      : { api: await receiverUrl(session, name, options.url) }
    const transaction = await output.during(waiting, () => agent.closeChannel(name, how))
    if (output.json) {
      output.print(toJson({ channel: name, transaction, settled: !options.uncooperative }))
    } else if (options.uncooperative) {
      output.print(`close of ${name} requested (${transaction})`)
      const period = await periodText(session)
      output.print(`After the challenge period (${period}) run: uraiden-agent settle`)
    } else output.print(`closed ${name} (${transaction})`)
    await sayCredit(session, 0n)
    return exitCode.ok
  })
}

export function settle(options: GlobalOptions & { readonly wait?: boolean }): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, output } = session
    if (options.wait) await waitUntilDue(session)
    const before = await creditOf(session)
    const settled = await output.during(waiting, () => agent.settle())
    const left = agent.channels().filter(({ state }) => state === 'closing')
    if (output.json) output.print(toJson({ settled, closing: left.map(channelFacts) }))
    else {
      output.print(settled.length === 0 ? 'nothing to settle now' : `settled ${settled.join(', ')}`)
      const clock = await clockFor(session, left)
      for (const { receiver, openBlock, settleBlock = 0 } of left) {
        const when = afterBlock(settleBlock, clock)
        output.print(`${channelName(receiver, openBlock)} can be settled ${when}`)
      }
    }
    await sayCredit(session, before)
    return exitCode.ok
  })
}

export function recover(
  options: GlobalOptions & { readonly fromBlock?: string },
): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output }) => {
    const from = parseFromBlock(options.fromBlock)
    const found = await output.during('reading the chain', () => agent.recoverChannels(from))
    if (output.json) output.print(toJson({ recovered: found }))
    else output.print(found.length === 0 ? 'no unknown channels' : `recovered ${found.join(', ')}`)
    return exitCode.ok
  })
}

/** The account is emptied; channels have to be closed before. */
export function sweep(to: string, options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output, token }) => {
    const account = parseTypedAddress(to)
    const swept = await output.during(waiting, () => agent.sweep(account))
    const { tokens, ether, etherLeft } = swept
    if (output.json) output.print(toJson({ to: account, ...swept }))
    else {
      output.print(
        `sent ${formatAmount(tokens, token)} and ${formatAmount(ether, etherUnit)} to ${account}`,
      )
      if (etherLeft > 0n)
        output.print(`${formatAmount(etherLeft, etherUnit)} stay: fees of the transfer`)
    }
    return exitCode.ok
  })
}

function aloneAt(balance: string | undefined, token: TokenUnit) {
  return balance === undefined ? {} : { balance: parseAmount(balance, token) }
}

async function periodText({ chain: settings }: Session): Promise<string> {
  const chain = await openChain(settings)
  try {
    return challengeTimeText(await challengeTime(chain))
  } finally {
    chain.close()
  }
}

/** Undefined where nobody has to wait, and while the chain is away: the block is named all the same. */
async function clockFor(
  { chain: settings }: Session,
  known: readonly ChannelBalance[],
): Promise<BlockClock | undefined> {
  if (known.every(({ state }) => state !== 'closing')) return undefined
  try {
    const chain = await openChain(settings)
    return await readBlockClock(chain).finally(chain.close)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return undefined
  }
}

/** What the contract keeps for the account. The chain is not asked where no channel has ended yet. */
async function creditOf({ agent, chain: settings }: Session): Promise<TokenAmount> {
  if (agent.channels().every(({ state }) => state !== 'closed')) return 0n
  const chain = await openChain(settings)
  try {
    return await chain.payoutCredit(agent.address)
  } finally {
    chain.close()
  }
}

async function sayCredit(session: Session, before: TokenAmount): Promise<void> {
  const { output, token } = session
  const kept = await creditOf(session)
  if (kept > 0n) output.say(keptText(kept, token))
  else if (before > 0n) output.say(`collected ${formatAmount(before, token)} of ended channels`)
}

/** Until the last challenge period that runs is over. */
async function waitUntilDue({ agent, chain: settings, output }: Session): Promise<void> {
  const due = Math.max(
    0,
    ...agent
      .channels()
      .flatMap(({ state, settleBlock }) => (state === 'closing' ? (settleBlock ?? 0) : [])),
  )
  const chain = await openChain(settings)
  try {
    const when = afterBlock(due, await readBlockClock(chain))
    await output.during(`waiting: it can be settled ${when}`, async () => {
      // The transaction runs in the block after the head.
      while (!isPeriodOver(await chain.head(), due)) {
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    })
  } finally {
    chain.close()
  }
}

/** A channel’s name, whole or as `channels` shows it, a receiver’s address or its name in the configuration. */
function findChannel(session: Session, text: string): ChannelName {
  const running = session.agent.channels().filter(({ state }) => state !== 'closed')
  const names = running.map(({ receiver, openBlock }) => channelName(receiver, openBlock))
  const exact = names.find((name) => name.toLowerCase() === text.toLowerCase())
  if (exact !== undefined) return exact
  const [shown, another] = running.filter((each) => shownName(each, session.nameOf) === text)
  if (shown !== undefined && another === undefined) {
    return channelName(shown.receiver, shown.openBlock)
  }
  if (text.includes('/')) throw unknownChannel(text, names)
  const receiver = receiverAddress(session, text)
  const [only, ...others] = names.filter((name) => name.startsWith(`${receiver}/`))
  if (only === undefined) throw unknownChannel(text, names)
  if (others.length === 0) return only
  throw agentError({
    code: 'channel_ambiguous',
    message: `There are ${others.length + 1} channels to ${text}.`,
    hint: `Name one: ${[only, ...others].join(', ')}`,
  })
}

function unknownChannel(text: string, names: readonly ChannelName[]): UraidenError {
  return agentError({
    code: 'channel_unknown',
    message: `There is no open channel ${text}.`,
    hint: names.length === 0 ? 'There are none at all.' : `There are: ${names.join(', ')}`,
  })
}

function receiverAddress({ receivers }: Session, text: string): Address {
  return receivers.addressOf(text) ?? parseTypedAddress(text)
}

async function receiverUrl(
  session: Session,
  name: ChannelName,
  url: string | undefined,
): Promise<string | URL> {
  const known = url ?? (await session.receivers.placeOf(receiverOf(name)))
  if (known !== undefined) return known
  throw agentError({
    code: 'usage_url_missing',
    message: `It is not known where the receiver of ${name} is.`,
  })
}

function receiverOf(name: ChannelName): Address {
  return parseTypedAddress(name.slice(0, name.indexOf('/')))
}

function channelFacts(channel: ChannelBalance) {
  const { receiver, openBlock, deposit, balance, bound, certain, state, settleBlock } = channel
  const name = channelName(receiver, openBlock)
  return {
    channel: name,
    receiver,
    openBlock,
    deposit,
    balance,
    bound,
    certain,
    state,
    settleBlock,
  }
}
