// Looks at the balances now and then and writes income by the hour into a small file.
import { readFile } from 'node:fs/promises'
import { createTurns } from '../../platform/async/turns.ts'
import { replaceFile } from '../../platform/state/replace-file.ts'
import type { TokenAmount } from '../../protocol/index.ts'
import { claimedSum } from '../channels/claims.ts'
import type { Channel } from '../channels/records.ts'
import { decodeHistory, encodeHistory, type IncomeHistory, withTotal } from './history.ts'

/** What the receiver may keep of all that was paid, in channels of any state. */
export function earned(channels: Iterable<Pick<Channel, 'claims'>>): TokenAmount {
  let sum = 0n
  for (const { claims } of channels) sum += claimedSum(claims)
  return sum
}

export interface IncomeOptions {
  /** Made if missing, for its owner only. */
  readonly file: string
  /** Paid in all channels, ever. */
  readonly total: () => TokenAmount
  /** Unix time in milliseconds. */
  readonly now?: () => number
  /** Between two looks, in milliseconds. */
  readonly interval?: number
  readonly onError: (error: unknown) => void
}

export interface Income {
  /** Up to this moment. */
  readonly history: () => IncomeHistory
  readonly stop: () => Promise<void>
}

export async function recordIncome(options: IncomeOptions): Promise<Income> {
  const { file, total, now = Date.now, interval = 60_000, onError } = options
  let history = await load(file)
  let written = history
  const turns = createTurns()

  function look(): IncomeHistory {
    history = withTotal(history, now() / 1000, total())
    return history
  }

  function save(): Promise<void> {
    look()
    if (history !== written) {
      const saved = history
      turns.take(() => replaceFile(file, encodeHistory(saved))).catch(onError)
      written = saved
    }
    return turns.idle()
  }

  const timer = setInterval(save, interval)
  timer.unref()
  return {
    history: look,
    stop: () => {
      clearInterval(timer)
      return save()
    },
  }
}

async function load(file: string): Promise<IncomeHistory> {
  const text = await readFile(file, 'utf8').catch(() => '[]')
  return decodeHistory(text)
}
