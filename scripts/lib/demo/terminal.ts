// The demo for a person: what happens, in the token's units, with a bar.
import type { ChannelBalance, ChannelChange } from '../../../agent/index.ts'
import { formatAmount, type TokenAmount } from '../../../protocol/index.ts'
import type { DemoFacts, DemoResult, DemoView } from './run.ts'
import { sumsAgree } from './run.ts'

export interface TerminalView extends DemoView {
  readonly end: (result: DemoResult) => void
}

const barWidth = 20

export function terminalView(payments: number, out: NodeJS.WriteStream): TerminalView {
  const coloured = out.isTTY && !process.env.NO_COLOR
  const green = (text: string) => (coloured ? `\u001b[32m${text}\u001b[0m` : text)
  const red = (text: string) => (coloured ? `\u001b[31m${text}\u001b[0m` : text)
  const tick = green('✔')
  let facts: DemoFacts | undefined
  const amount = (value: TokenAmount) =>
    facts === undefined ? value.toString() : formatAmount(value, facts.token, 3)
  const line = (text = '') => out.write(`${coloured ? '\r\u001b[K' : ''}${text}\n`)

  return {
    begin: (given) => {
      facts = given
      const { chainId, contract, token, receiverUrl, path, price, sender, budget } = given
      line()
      line(
        `  chain      embedded, chain id ${chainId}, contract ${short(contract)}, token ${token.symbol} (${token.decimals} decimals)`,
      )
      line(`  receiver   ${receiverUrl}   ${path}   ${formatAmount(price, token)} a reading`)
      line(
        `  agent      ${short(sender)}   budget ${amount(budget.total)} in all, at most ${formatAmount(budget.request, token)} a request`,
      )
      line()
    },
    channelChanged: (change, block) => line(`  ${tick} ${describeChange(change, block, amount)}`),
    paid: (done, body, roundTrips) => {
      const text = `  ${bar(done / payments)} ${done}/${payments} readings   ${body}   ${roundTrips.toFixed(2)} round trips each`
      if (coloured) out.write(`\r\u001b[K${text}`)
      if (done === payments) line(text)
    },
    books: ({ deposit, balance, bound }: ChannelBalance, receiverBalance) => {
      line()
      line(
        `  agent’s ledger     deposit ${amount(deposit)}, signed ${amount(balance)}, reserved ${amount(bound)}`,
      )
      line(`  receiver’s store   best proof ${amount(receiverBalance)}`)
    },
    end: (result) => {
      const agree = sumsAgree(result)
      const bought = `bought ${result.payments} readings for ${amount(result.spent)}`
      const deposited = `deposited ${amount(result.deposit)}`
      const back = `agent got back ${amount(result.senderGotBack)}`
      line()
      line(`  ${bought.padEnd(36)} receiver got ${amount(result.receiverGot)}`)
      line(
        `  ${deposited.padEnd(36)} ${back}     ${agree ? `${tick} adds up` : red('✘ does not add up')}`,
      )
      line()
    },
  }
}

/** Shows nothing: for a program that reads the result. */
export const silentView: TerminalView = {
  begin: () => undefined,
  channelChanged: () => undefined,
  paid: () => undefined,
  books: () => undefined,
  end: () => undefined,
}

function describeChange(
  change: ChannelChange,
  block: number,
  amount: (value: TokenAmount) => string,
): string {
  return `${whatChanged(change, block, amount).padEnd(52)} 1 transaction`
}

function whatChanged(
  change: ChannelChange,
  block: number,
  amount: (value: TokenAmount) => string,
): string {
  switch (change.kind) {
    case 'opened':
      return `channel opened at block ${block} with ${amount(change.added)}`
    case 'toppedUp':
      return `topped up by ${amount(change.added)} when the deposit was spent`
    case 'closed':
      return `closed cooperatively at ${amount(change.balance)}`
    case 'closeRequested':
      return `close requested at ${amount(change.balance)}`
    case 'settled':
      return 'settled after the challenge period'
  }
}

function bar(part: number): string {
  const full = Math.round(part * barWidth)
  return '█'.repeat(full) + '░'.repeat(barWidth - full)
}

function short(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`
}
