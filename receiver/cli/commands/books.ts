// uraiden-receiver channels and stats.

import { createOutput, table, toJson } from '../../../platform/cli/output.ts'
import { ownerOfState } from '../../../platform/state/state.ts'
import { afterBlock, etherUnit, formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import { openBook } from '../../channels/book.ts'
import { type ChannelState, channelStates } from '../../channels/records.ts'
import { openStore } from '../../channels/store.ts'
import { openSharedBook } from '../../cluster/shared-book.ts'
import { ownerOfDatabase } from '../../cluster/stopped.ts'
import { receiverError } from '../../errors/index.ts'
import { openDatabase } from '../../postgres/schema.ts'
import type { PostgresSettings } from '../../postgres/settings.ts'
import type { ReceiverSettings } from '../../program/settings.ts'
import { adminChannel, type adminStats } from '../../server/admin/views.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface ChannelsOptions extends GlobalOptions {
  readonly all?: boolean
  /** Not `state`: that is the folder. */
  readonly only?: string
}

export async function channels(options: ChannelsOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const wanted = wantedStates(options)
  const books = await readBooks(await openSettings(options))
  const shown = books.channels.filter(({ state }) => wanted.includes(state))
  if (output.json) output.print(toJson(shown))
  else if (shown.length === 0) output.print('no channels')
  else output.print(channelTable(shown, books))
  return exitCode.ok
}

export async function stats(options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const books = await readBooks(await openSettings(options))
  output.print(output.json ? toJson(sums(books)) : statsText(books))
  return exitCode.ok
}

type ListedChannel = ReturnType<typeof adminChannel>
type RunningStats = ReturnType<typeof adminStats>

interface Books {
  readonly channels: readonly ListedChannel[]
  /** What only a running receiver knows. */
  readonly running: RunningStats | undefined
}

/**
 * Asked of the running program, else read from the state: both give the same plain data.
 * @throws UraidenError those of `ownerOfState` and `openStore`, or of `openDatabase`, `receiver_unreachable`
 */
async function readBooks({ state, socket, shared }: ReceiverSettings): Promise<Books> {
  const stats = socket === undefined ? undefined : await askReceiver(socket, '/admin/stats')
  if (socket === undefined || stats === undefined) {
    const channels = await (shared === undefined ? readState(state) : readShared(shared))
    return { channels, running: undefined }
  }
  const channels = await askReceiver(socket, '/admin/channels')
  return { channels: JSON.parse(channels ?? '[]'), running: JSON.parse(stats) }
}

async function readState(folder: string): Promise<readonly ListedChannel[]> {
  const store = await openStore(folder, await ownerOfState({ folder, program: 'receiver' }))
  try {
    return [...(await openBook(store)).all()].map((each) => adminChannel(each, undefined))
  } finally {
    await store.close()
  }
}

/** Whether receivers run on it or not. */
async function readShared(settings: PostgresSettings): Promise<readonly ListedChannel[]> {
  const database = await openDatabase(settings, await ownerOfDatabase(settings))
  try {
    const { book } = await openSharedBook({ database, term: () => undefined })
    return [...book.all()].map((each) => adminChannel(each, undefined))
  } finally {
    await database.close()
  }
}

/** A stopped receiver does not say what its token is called: then amounts are smallest units. */
function unitOf({ running }: Books): TokenUnit {
  return running === undefined
    ? { symbol: 'units', decimals: 0 }
    : { symbol: running.token_symbol, decimals: running.token_decimals }
}

function wantedStates({ all, only }: ChannelsOptions): readonly ChannelState[] {
  if (only === undefined) {
    return all ? channelStates : channelStates.filter((state) => state !== 'settled')
  }
  const wanted = channelStates.filter((state) => state === only)
  if (wanted.length > 0) return wanted
  throw receiverError({
    code: 'usage_state_unknown',
    message: `"${only}" is no state of a channel.`,
    hint: `Use one of ${channelStates.join(', ')}.`,
  })
}

function channelTable(shown: readonly ListedChannel[], books: Books): string {
  const token = unitOf(books)
  const amount = (text: string) => formatAmount(BigInt(text), token)
  return table(
    ['SENDER', 'OPEN BLOCK', 'DEPOSIT', 'BALANCE', 'WITHDRAWN', 'DUE', 'STATE'],
    shown.map((channel) => [
      channel.sender_address,
      channel.open_block,
      amount(channel.deposit),
      amount(channel.balance),
      amount(channel.withdrawn),
      amount(channel.due),
      stateText(channel, books),
    ]),
  )
}

function stateText({ state, settle_block: block }: ListedChannel, { running }: Books): string {
  if (block === null) return state
  const head = running?.contract_head ?? undefined
  const secondsPerBlock = running?.seconds_per_block ?? undefined
  return `${state}, settles ${afterBlock(block, head === undefined ? undefined : { head, secondsPerBlock })}`
}

/** What can be said of the books alone, and what a running receiver adds. */
function sums(books: Books) {
  const { channels: all, running } = books
  const open = all.filter(({ state }) => state !== 'settled')
  const sum = (of: (channel: ListedChannel) => string, over: readonly ListedChannel[]) =>
    `${over.reduce((total, channel) => total + BigInt(of(channel)), 0n)}`
  return {
    is_running: running !== undefined,
    channels: Object.fromEntries(
      channelStates.map((name) => [name, all.filter(({ state }) => state === name).length]),
    ),
    senders: new Set(open.map(({ sender_address }) => sender_address)).size,
    deposit_sum: sum(({ deposit }) => deposit, open),
    balance_sum: sum(({ balance }) => balance, all),
    uncollected_sum: sum(({ due }) => due, open),
    ...running,
  }
}

function statsText(books: Books): string {
  const { running } = books
  const facts = sums(books)
  const unit = unitOf(books)
  const amount = (text: string) => formatAmount(BigInt(text), unit)
  const counts = Object.entries(facts.channels).map(([state, count]) => `${count} ${state}`)
  const rows = [
    ['channels', `${counts.join(', ')}; ${facts.senders} senders`],
    ['deposits', amount(facts.deposit_sum)],
    ['received', `${amount(facts.balance_sum)} in all`],
    ['uncollected', `${amount(facts.uncollected_sum)}: lost if the state is lost`],
    ...(running === undefined
      ? [['receiver', 'not running; this is what its state says']]
      : [
          ['collected', `${amount(running.liquid_balance)} in the account`],
          ['ether', etherText(running.ether_balance)],
          ['chain', chainText(running)],
          ['signatures', `${running.verifier}, ${running.verifier_threads} threads`],
        ]),
  ]
  return rows.map(([name = '', says]) => `${name.padEnd(12)} ${says}`).join('\n')
}

function etherText(wei: string | null): string {
  return wei === null ? 'not known yet' : formatAmount(BigInt(wei), etherUnit)
}

function chainText(running: NonNullable<Books['running']>): string {
  const { chain_head, chain_synced, chain_age_seconds, node_answers } = running
  if (chain_age_seconds === null) return 'not read yet'
  const read = `read up to block ${chain_synced} of ${chain_head}, ${chain_age_seconds} s ago`
  return node_answers ? read : `${read}; the node does not answer now`
}
