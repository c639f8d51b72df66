// Caps, with what is used of them as a bar.
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { type Address, etherUnit, parseAddress, type TokenUnit } from '../../../protocol/index.ts'
import { assetOf, type BudgetLimit, type BudgetScope, left } from '../../budget/caps.ts'
import { bar, fitted, part } from './columns.ts'
import { freeAgain } from './times.ts'

export interface Words {
  readonly now: Milliseconds
  /** Where days and months begin; default UTC. */
  readonly timeZone: string | undefined
  readonly nameOf: (receiver: Address) => string
}

/** Ether, and numbers of openings, among them. Without a token its smallest units are shown. */
export function budgetTable(
  limits: readonly BudgetLimit[],
  token: TokenUnit | undefined,
  words: Words,
): string {
  const { now, timeZone } = words
  return fitted({
    head: ['BUDGET', 'WINDOW', 'USED', '', 'FREE AGAIN'],
    flexible: [0],
    rows: limits.map((limit) => [
      scopeText(limit.scope, words),
      limit.window,
      bar(limit.used, limit.cap),
      usedText(limit, token),
      left(limit) > 0n ? '' : freeAgain(limit.window, now, timeZone),
    ]),
  })
}

function usedText({ scope, used, cap, unit }: BudgetLimit, token: TokenUnit | undefined): string {
  if (unit !== undefined) return part(used, cap, unit)
  if (scope === 'ether') return part(used, cap, etherUnit)
  if (scope.startsWith('openings')) return `${used} of ${cap}`
  return part(used, cap, token ?? { symbol: 'units', decimals: 0 })
}

function scopeText(scope: BudgetScope, words: Words): string {
  const { nameOf } = words
  const ofAsset = assetOf(scope)
  if (ofAsset !== undefined) return scopeText(ofAsset.within as BudgetScope, words)
  if (scope === 'all') return 'all'
  if (scope === 'ether') return 'fees'
  const [kind = '', ...rest] = scope.split('/')
  const name = rest.join('/')
  if (kind === 'openings') return name === '' ? kind : `${kind} ${nameOf(parseAddress(name))}`
  if (kind === 'receiver') return nameOf(parseAddress(name))
  return rest[0] === 'proxy' ? `program ${rest.slice(1).join('/')}` : `${kind} ${name}`
}
