// uraiden-agent budget and history: what may be spent, what was bought, what happened on the chain.
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { toJson } from '../../../platform/cli/output.ts'
import { type Address, formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import { firstBlock } from '../../channels/search.ts'
import { openChain } from '../../program/configuration/chain.ts'
import { spendingOf } from '../../program/page/spending.ts'
import { budgetTable } from '../text/budgets.ts'
import { shownName } from '../text/channels.ts'
import { fitted, shortAmount } from '../text/columns.ts'
import { purchaseTable } from '../text/purchases.ts'
import { spendingTable } from '../text/spending.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { type GlobalOptions, parseFromBlock, withAgent } from './session.ts'

export function budget(options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, request, output, token, timeZone, nameOf } = session
    const { reserved, limits, transactions } = agent.budget()
    if (output.json) output.print(toJson({ token, request, reserved, limits, transactions }))
    else {
      output.print(`spent or reserved in all: ${formatAmount(reserved, token)}`)
      output.print(`a request: ${request === undefined ? 'no limit' : `at most ${request}`}`)
      if (limits.length === 0) output.print('no limit for hour, day, month or in all')
      const words = { now: Date.now(), timeZone, nameOf }
      output.print(`\n${budgetTable([...limits, ...transactions], token, words)}`)
    }
    return exitCode.ok
  })
}

export interface HistoryOptions extends GlobalOptions {
  readonly chain?: boolean
  readonly fromBlock?: string
  readonly byDay?: boolean
}

export function history(options: HistoryOptions): Promise<ExitCode> {
  if (options.chain) return chainHistory(options)
  return options.byDay ? spentByDay(options) : purchases(options)
}

function spentByDay(options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output, token, timeZone }) => {
    const spending = spendingOf(await agent.hoursSince(0), Date.now(), timeZone)
    const { buyers, days } = spending
    if (output.json) output.print(toJson({ buyers, days }))
    else if (buyers.length === 0) output.print('nothing bought yet')
    else output.print(spendingTable(spending, token))
    return exitCode.ok
  })
}

function purchases(options: GlobalOptions): Promise<ExitCode> {
  return withAgent(options, async ({ agent, output, token, nameOf }) => {
    const bought = agent.history()
    if (output.json) output.print(toJson(bought))
    else if (bought.length === 0) output.print('nothing bought yet')
    else output.print(purchaseTable(bought, token, nameOf))
    return exitCode.ok
  })
}

function chainHistory(options: HistoryOptions): Promise<ExitCode> {
  return withAgent(options, async (session) => {
    const { agent, chain: settings, output, token, nameOf } = session
    const given = parseFromBlock(options.fromBlock)
    const chain = await openChain(settings)
    try {
      const from = await firstBlock(chain, given ?? settings.startBlock)
      const { number: to } = await chain.head()
      const events = await output.during('reading the chain', () =>
        chain.events({ from, to, sender: agent.address }),
      )
      if (output.json) output.print(toJson(events))
      else output.print(events.length === 0 ? 'nothing yet' : eventTable(events, token, nameOf))
      return exitCode.ok
    } finally {
      chain.close()
    }
  })
}

function eventTable(
  events: readonly ChannelEvent[],
  token: TokenUnit,
  nameOf: (receiver: Address) => string,
): string {
  return fitted({
    head: ['BLOCK', 'CHANNEL', 'WHAT', 'TRANSACTION'],
    flexible: [1, 3],
    rows: events.map((event) => [
      `${event.block}`,
      shownName(event.channel, nameOf),
      described(event, token),
      event.transaction,
    ]),
  })
}

function described(event: ChannelEvent, token: TokenUnit): string {
  switch (event.kind) {
    case 'created':
      return `opened with ${shortAmount(event.deposit, token)}`
    case 'toppedUp':
      return `topped up by ${shortAmount(event.added, token)}`
    case 'closeRequested':
      return `close requested at ${shortAmount(event.balance, token)}`
    case 'challenged':
      return `challenged with ${shortAmount(event.balance, token)}`
    case 'withdrawn':
      return `receiver withdrew, ${shortAmount(event.amount, token)} in all`
    case 'settled':
      return `closed at ${shortAmount(event.balance, token)}`
  }
}
