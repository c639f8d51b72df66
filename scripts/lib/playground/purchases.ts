// What the agent buys, as it remembers it: a line for each.
import { connectToDaemon } from '../../../agent/program/control/client.ts'
import type { PurchaseRecord } from '../../../agent/purchase/history.ts'
import { formatAmount, type TokenUnit } from '../../../protocol/index.ts'

/** Milliseconds between two looks. */
const often = 500

/** Calls `tell` with each that is new, until the returned function is called. Who cannot be asked now is asked again. */
export function watchPurchases(
  socket: string,
  tell: (purchase: PurchaseRecord, token: TokenUnit) => void,
): () => void {
  let last: string | undefined
  let asking = false
  const look = async () => {
    const daemon = await connectToDaemon(socket)
    if (daemon === undefined) return
    const [{ history }, { token }] = await Promise.all([
      daemon.command('books', {}),
      daemon.command('facts', {}),
    ])
    const at = history.findLastIndex((each) => nameOf(each) === last)
    for (const each of history.slice(at + 1)) tell(each, token)
    const newest = history.at(-1)
    if (newest !== undefined) last = nameOf(newest)
  }
  const timer = setInterval(() => {
    if (asking) return
    asking = true
    look()
      .catch(() => undefined)
      .finally(() => {
        asking = false
      })
  }, often)
  return () => clearInterval(timer)
}

export function purchaseLine(purchase: PurchaseRecord, token: TokenUnit): string {
  const { time, job, method, url, status, cost } = purchase
  const clock = new Date(time).toTimeString().slice(0, 8)
  const what = (job ?? 'proxy').padEnd(11)
  return `  ${clock}  ${what}  ${formatAmount(cost, token).padEnd(10)}  ${method} ${url}  ${status}`
}

/** For a program; the cost in the smallest unit. */
export function purchaseJson({ time, job, url, status, cost }: PurchaseRecord): string {
  return JSON.stringify({ time, job, url, status, cost: `${cost}` })
}

function nameOf({ time, channel, balance }: PurchaseRecord): string {
  return `${time} ${channel} ${balance}`
}
