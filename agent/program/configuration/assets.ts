// Tokens that may be paid with by x402, and what budgets say of them: from the checked agent.yaml to what the agent
// takes.
import {
  type Address,
  defined,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../../protocol/index.ts'
import { assetNamed } from '../../budget/assets.ts'
import type { Budget, WindowCaps } from '../../budget/caps.ts'
import { agentError } from '../../errors/index.ts'
import type { X402Settings } from '../../options.ts'

/** A window’s amount, or one for each of several tokens. */
export type Amounts = string | readonly string[]

export type CapTexts = { readonly [Window in keyof WindowCaps]?: Amounts | undefined }

/** As it goes to the agent, but for where it may be used. */
export type AssetSettings = Omit<X402Settings, 'planFor'>

/** Of assets as the agent has them. */
export function assetUnits(settings: AssetSettings | undefined): readonly TokenUnit[] {
  return (settings?.assets ?? []).map(({ name, decimals }) => ({ symbol: name, decimals }))
}

export function textsOf(amounts: Amounts | undefined): readonly string[] {
  return amounts === undefined ? [] : [amounts].flat()
}

interface BudgetTexts {
  readonly request: Amounts | undefined
  readonly all: CapTexts
  readonly receivers: readonly (readonly [receiver: Address, caps: CapTexts])[]
  readonly jobs: readonly (readonly [job: string, caps: CapTexts])[]
}

/** Of each asset the caps that are written with its name. @throws UraidenError those of `parseAmount` */
export function assetBudgets(
  { request, all, receivers, jobs }: BudgetTexts,
  units: readonly TokenUnit[],
): NonNullable<Budget['assets']> {
  const budgets = units.map((unit) => {
    const caps = (texts: CapTexts) => capsIn(texts, (text) => inUnit(text, unit, units))
    const [most] = textsOf(request).flatMap((text) => inUnit(text, unit, units) ?? [])
    const ofMany = <Name extends string>(each: readonly (readonly [Name, CapTexts])[]) =>
      Object.fromEntries(
        each
          .map(([name, texts]) => [name, caps(texts)] as const)
          .filter(([, found]) => Object.keys(found).length > 0),
      )
    const own = { unit, receivers: ofMany(receivers), jobs: ofMany(jobs) }
    return [unit.symbol, { ...caps(all), ...own, ...defined({ request: most }) }] as const
  })
  return Object.fromEntries(budgets)
}

function inUnit(
  text: string,
  unit: TokenUnit,
  units: readonly TokenUnit[],
): TokenAmount | undefined {
  return assetNamed(text, units) === unit ? parseAmount(text, unit) : undefined
}

/** Of each window the one amount that is meant; `read` gives undefined for those of another token. */
export function capsIn(
  texts: CapTexts,
  read: (text: string) => TokenAmount | undefined,
): WindowCaps {
  const amount = (window: keyof WindowCaps): TokenAmount | undefined => {
    const [found, again] = textsOf(texts[window]).flatMap((text) => read(text) ?? [])
    if (again !== undefined) throw amountTwice(window)
    return found
  }
  return defined({
    hour: amount('hour'),
    day: amount('day'),
    month: amount('month'),
    total: amount('total'),
  })
}

function amountTwice(window: string): UraidenError {
  return agentError({
    code: 'amount_twice',
    message: `A budget has two amounts of the same token for one window, ${window}.`,
  })
}
