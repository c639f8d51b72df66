// How a shared state writes what has no type of PostgreSQL of its own.
import { type Interval, parseShownProof } from '../../protocol/index.ts'
import type { ProvenBalance } from '../channels/records.ts'

/** Of `ledger.form`. */
export const forms = { seed: 1, eip712: 2, tick: 3, lastTick: 4 } as const

export type WrittenFallback = readonly [
  balance: string,
  form: ProvenBalance['form'],
  signature: string,
]

export function readFallback([balance, form, signature]: WrittenFallback): ProvenBalance {
  return { balance: BigInt(balance), form, signature: parseShownProof(signature) }
}

export function fallbacksText(fallbacks: readonly ProvenBalance[] | undefined): string | null {
  if (fallbacks === undefined) return null
  const written = fallbacks.map(({ balance, form, signature }): WrittenFallback => {
    return [`${balance}`, form, signature]
  })
  return JSON.stringify(written)
}

/** `{[0,5),[7,10)}`: units from 0 to 4 and from 7 to 9. */
export function gapsOf(text: string): readonly Interval[] {
  return [...text.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from = '', to = '']) => ({
    from: BigInt(from),
    to: BigInt(to),
  }))
}

/** As PostgreSQL reads a multirange from text. */
export function gapsText(gaps: readonly Interval[]): string {
  return `{${gaps.map(({ from, to }) => `[${from},${to})`).join(',')}}`
}
