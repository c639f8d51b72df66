// `contracts` of receiver.yaml: a receiver that moves to a new contract serves what is open on the former ones.
import { existsSync } from 'node:fs'
import { access, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { address, count } from '../../platform/config/index.ts'
import { ownerOfState } from '../../platform/state/state.ts'
import { type Address, isUraidenError, mostOtherContracts } from '../../protocol/index.ts'
import { watchtowersSchema } from '../core/watchtower/addresses.ts'
import { receiverError } from '../errors/index.ts'

const served = z.strictObject({
  contract: address.describe('the channels contract'),
  startBlock: count.min(0).optional().describe('the contract was deployed in it or later'),
  watchtowers: watchtowersSchema.default([]),
})

export type ServedContract = z.output<typeof served>

const alone = address.transform(
  (contract): ServedContract => ({ contract, startBlock: undefined, watchtowers: [] }),
)

export const contractsSchema = z
  .array(z.union([alone, served]))
  .min(1)
  .max(mostOtherContracts + 1)
  .superRefine((given, context) => {
    const seen = new Set<Address>()
    for (const [index, { contract }] of given.entries()) {
      if (seen.has(contract)) {
        context.addIssue({ code: 'custom', path: [index], message: 'it is there twice.' })
      }
      seen.add(contract)
    }
  })
  .describe('in place of contract: the one for new channels, then former ones')

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
 * @throws UraidenError `contract_not_served`
 */
export function checkNamed(
  contract: Address,
  contracts: readonly ServedContract[] | undefined,
): void {
  if (contracts === undefined || contracts.some((each) => each.contract === contract)) return
  throw receiverError({
    code: 'contract_not_served',
    message: `contract: ${contract} is none of contracts.`,
  })
}

const folderName = 'contracts'

/**
 * Where the state of a contract is, below the folder of the configuration: in one of its own, or, where it was the
 * first contract there, in the folder itself.
 */
export function stateOfContract(folder: string, contract: Address): string {
  const own = ownFolder(folder, contract)
  return existsSync(own) ? own : folder
}

function ownFolder(folder: string, contract: Address): string {
  return join(folder, folderName, contract.toLowerCase())
}

/**
 * Makes folders for the contracts that have none yet, before the state of any is opened: what is there stays where
 * it is.
 * @throws UraidenError those of `ownerOfState` but `state_missing`
 */
export async function prepareStates(folder: string, contracts: readonly Address[]): Promise<void> {
  const without = contracts.filter((contract) => !existsSync(ownFolder(folder, contract)))
  if (without.length === 0) return
  const owner = await ownerAt(folder)
  // Nothing is there: the folder itself is the first one's.
  const here = owner ?? without[0]
  for (const contract of without) {
    if (contract === here) continue
    await mkdir(ownFolder(folder, contract), { recursive: true, mode: 0o700 })
  }
}

async function ownerAt(folder: string): Promise<Address | undefined> {
  try {
    return (await ownerOfState({ folder, program: 'receiver' })).contract
  } catch (error) {
    if (isUraidenError(error, 'state_missing')) return undefined
    throw error
  }
}

/** Contracts whose state is there, and which nobody serves any more: their open channels are not defended. */
export async function unserved(
  folder: string,
  contracts: readonly Address[],
): Promise<readonly string[]> {
  const served = new Set(contracts.map((contract) => contract.toLowerCase()))
  const found = await readdir(join(folder, folderName)).catch(() => [])
  const owner = await access(join(folder, 'CURRENT')).then(
    () => ownerAt(folder),
    () => undefined,
  )
  const all = owner === undefined ? found : [...found, owner.toLowerCase()]
  return all.filter((contract) => !served.has(contract))
}
