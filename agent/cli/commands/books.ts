// uraiden-agent budget and history: what may be spent, what was bought, what happened on the chain.
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { table, toJson } from '../../../platform/cli/output.ts'
import { formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import { type BudgetLimit, left } from '../../budget/caps.ts'
import { channelName } from '../../channels/records.ts'
import { firstBlock } from '../../channels/search.ts'
import { openChain } from '../../program/configuration/chain.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { type GlobalOptions, parseFromBlock, withAgent } from './session.ts'

export function budget(options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, budget: configured, output, token }) => {
    const { reserved, limits, transactions } = agent.budget()
    const request = configured.request
    if (output.json) output.print(toJson({ token, request, reserved, limits, transactions }))
    else {
      output.print(`spent or reserved in all: ${formatAmount(reserved, token)}`)
      output.print(`a request: ${request === undefined ? 'no limit' : `at most ${request}`}`)
      if (limits.length === 0) output.print('no limit for hour, day, month or in all')
      else {
        const rows = limits.map((limit) => [
          limit.scope,
          limit.window,
          formatAmount(limit.cap, token),
          formatAmount(limit.used, token),
          formatAmount(left(limit), token),
        ])
        output.print(table(['FOR', 'WINDOW', 'LIMIT', 'USED', 'LEFT'], rows))
      }
      output.print('')
      output.print(transactionTable(transactions))
    }
    return exitCode.ok
  })
}

/** Ether and numbers of openings. */
export function transactionTable(limits: readonly BudgetLimit[]): string {
  return table(
    ['TRANSACTIONS', 'WINDOW', 'LIMIT', 'USED', 'LEFT'],
    limits.map((limit) => {
      const inUnits = (amount: bigint) =>
        limit.scope === 'ether'
          ? formatAmount(amount, { symbol: 'ETH', decimals: 18 })
          : `${amount}`
      const { scope, window, cap, used } = limit
      return [scope, window, inUnits(cap), inUnits(used), inUnits(left(limit))]
    }),
  )
}

export interface HistoryOptions extends GlobalOptions {
  readonly chain?: boolean
  readonly fromBlock?: string
}

export function history(options: HistoryOptions): Promise<ExitCode> {
  return options.chain ? chainHistory(options) : purchases(options)
}

function purchases(options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output, token }) => {
    const bought = agent.history()
    if (output.json) output.print(toJson(bought))
    else output.print(bought.length === 0 ? 'nothing bought yet' : purchaseTable(bought, token))
    return exitCode.ok
  })
}

function purchaseTable(bought: readonly PurchaseRecord[], token: TokenUnit): string {
  return table(
    ['TIME', 'WHAT', 'STATUS', 'PAID', 'AUTHENTIC', 'CHANNEL', 'JOB'],
    bought.map(({ time, method, url, status, cost, authentic, channel, job = '' }) => [
      new Date(time).toISOString(),
      `${method} ${url}`,
      `${status}`,
      formatAmount(cost, token),
      authentic === undefined ? '' : authentic ? 'yes' : 'no',
      channel,
      job,
    ]),
  )
}

function chainHistory(options: HistoryOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, chain: settings, output, token }) => {
    const given = parseFromBlock(options.fromBlock)
    const chain = await openChain(settings)
    try {
      const from = await firstBlock(chain, given ?? settings.startBlock)
      const { number: to } = await chain.head()
      const events = await output.during('reading the chain', () =>
        chain.events({ from, to, sender: agent.address }),
      )
      if (output.json) output.print(toJson(events))
      else output.print(events.length === 0 ? 'nothing yet' : eventTable(events, token))
      return exitCode.ok
    } finally {
      chain.close()
    }
  })
}

function eventTable(events: readonly ChannelEvent[], token: TokenUnit): string {
  return table(
    ['BLOCK', 'CHANNEL', 'WHAT', 'TRANSACTION'],
    events.map((event) => [
      `${event.block}`,
      channelName(event.channel.receiver, event.channel.openBlock),
      described(event, token),
      event.transaction,
    ]),
  )
}

function described(event: ChannelEvent, token: TokenUnit): string {
  switch (event.kind) {
    case 'created':
      return `opened with ${formatAmount(event.deposit, token)}`
    case 'toppedUp':
      return `topped up by ${formatAmount(event.added, token)}`
    case 'closeRequested':
      return `close requested at ${formatAmount(event.balance, token)}`
    case 'challenged':
      return `challenged with ${formatAmount(event.balance, token)}`
    case 'withdrawn':
      return `receiver withdrew, ${formatAmount(event.amount, token)} in all`
    case 'settled':
      return `closed at ${formatAmount(event.balance, token)}`
  }
}
