// What `run` tells a person who sits before it: where things are, when jobs run, and a line for each purchase.
// Under systemd it is never loaded.
import { plainLine } from '../../../platform/text/plain-text.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { formatAmount, shorten, type TokenAmount } from '../../../protocol/index.ts'
import type { RunDone } from '../../jobs/types.ts'
import type { DaemonStatus } from '../control/status.ts'
import type { Paid } from './shared-agent.ts'

/** More of a line is cut off. */
const longestLine = 200
/** Of what was bought: lines of 80 columns. */
const longestValue = 30

export interface Terminal {
  readonly ready: (status: DaemonStatus) => void
  readonly paid: (paid: Paid, token: DaemonStatus['token']) => void
  /** A job has what it wanted. */
  readonly ran: (outcome: RunDone, token: DaemonStatus['token']) => void
}

export function createTerminal(
  write: (text: string) => void,
  now: () => Milliseconds = Date.now,
): Terminal {
  const say = (text: string) => write(`${plainLine(text, longestLine)}\n`)
  return {
    ready: (status) => {
      for (const line of readyLines(status, now())) say(line)
    },
    paid: (paid, token) => {
      // What a job bought is said with its value.
      if (paid.job === undefined || paid.status >= 300) say(paidLine(paid, token, now()))
    },
    ran: (outcome, token) => say(ranLine(outcome, token, now())),
  }
}

function readyLines({ page, proxy, jobs }: DaemonStatus, now: Milliseconds): readonly string[] {
  const width = Math.max(0, ...jobs.map(({ name }) => name.length))
  return [
    ...(page ? [`page    http://127.0.0.1:${page.port}/#key=${page.key}`] : []),
    ...(proxy?.port === undefined ? [] : [`proxy   http://127.0.0.1:${proxy.port}`]),
    ...jobs.map(({ name, next, state }) => {
      const when = next === undefined ? state : `next ${clockText(next, now)}`
      return `job     ${name.padEnd(width)}  ${when}`
    }),
    'Ctrl-C ends it. What it does: uraiden-agent status',
  ]
}

function paidLine(
  { job, method, url, status, cost, x402 }: Paid,
  token: DaemonStatus['token'],
  now: Milliseconds,
): string {
  const amount = amountText(cost, x402?.unit ?? token)
  const what = job ?? `${method} ${url.host}${url.pathname}`
  const failed = status < 400 ? '' : `, status ${status}`
  return `${clockText(now, now)}  bought ${what} for ${amount}${failed}`
}

function ranLine(
  { job, value, payment }: RunDone,
  token: DaemonStatus['token'],
  now: Milliseconds,
): string {
  const price =
    payment === undefined ? 'free' : `for ${amountText(payment.cost, payment.x402?.unit ?? token)}`
  return `${clockText(now, now)}  bought ${job} ${price}: ${value.number ?? shorten(value.text, longestValue)}`
}

function amountText(amount: TokenAmount, token: DaemonStatus['token']): string {
  return token === undefined ? `${amount} units` : formatAmount(amount, token)
}

/** `17:40:05` of the machine's own zone; another day with its date. */
function clockText(time: Milliseconds, now: Milliseconds): string {
  const text = (at: Milliseconds) => {
    const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
    return local.toISOString().slice(0, 19).replace('T', ' ')
  }
  const [date, clock] = text(time).split(' ')
  return text(now).startsWith(`${date} `) ? `${clock}` : `${date} ${clock}`
}
