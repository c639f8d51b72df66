// `contracts` of a configuration, in place of `contract`: the newest first, then those that channels are still on.
import type { z } from 'zod'
import { type Address, mostOtherContracts } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

/** A list is no longer. */
export const mostContracts = mostOtherContracts + 1

/** For lists of contracts. */
export function onlyOnce(contracts: readonly Address[], context: z.RefinementCtx): void {
  for (const [index, contract] of contracts.entries()) {
    if (contracts.indexOf(contract) === index) continue
    context.addIssue({ code: 'custom', path: [index], message: 'it is there twice.' })
  }
}

/**
 * The first of `contracts` is the contract, unless one of them was named: then there is only that one. Before the
 * schema looks, so that nothing is known of what was written.
 */
export function withContracts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { contract, contracts } = value as Readonly<Record<string, unknown>>
  if (!Array.isArray(contracts)) return value
  if (contract !== undefined) {
    const named = contracts.filter((each) => isSame(contractOf(each), contract))
    // One that is not among them is a mistake, or another shop's.
    return named.length === 1 ? withFirst({ ...value, contracts: named }, named[0]) : value
  }
  return withFirst(value, contracts[0])
}

/** What is said of the first one is the same as without the list. */
function withFirst(value: object, first: unknown): object {
  const { startBlock, watchtowers } =
    typeof first === 'object' && first !== null ? (first as Readonly<Record<string, unknown>>) : {}
  return {
    ...value,
    contract: contractOf(first),
    ...(startBlock !== undefined && { startBlock }),
    ...(watchtowers !== undefined && { watchtowers }),
  }
}

function contractOf(entry: unknown): unknown {
  const isObject = typeof entry === 'object' && entry !== null
  return isObject ? (entry as { readonly contract?: unknown }).contract : entry
}

function isSame(one: unknown, other: unknown): boolean {
  return String(one).toLowerCase() === String(other).toLowerCase()
}

/**
 * One that was named must be among them.
 * @throws UraidenError `contract_not_listed`
 */
export function checkListed(contract: Address, contracts: readonly Address[] | undefined): void {
  if (contracts === undefined || contracts.includes(contract)) return
  throw platformError({
    code: 'contract_not_listed',
    message: `contract: ${contract} is none of contracts.`,
  })
}
