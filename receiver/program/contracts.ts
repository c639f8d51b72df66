// `contracts` of receiver.yaml: a receiver that moves to a new contract serves what is open on the former ones.
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { address, count, mostContracts, onlyOnce } from '../../platform/config/index.ts'
import { ownerOfState } from '../../platform/state/state.ts'
import { type Address, isUraidenError } from '../../protocol/index.ts'
import { watchtowersSchema } from '../core/watchtower/addresses.ts'

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
  .max(mostContracts)
  .superRefine((given, context) =>
    onlyOnce(
      given.map(({ contract }) => contract),
      context,
    ),
  )
  .describe('in place of contract: the one for new channels, then former ones')

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

/** The contract that the folder itself is of; undefined where nothing is. @throws UraidenError those of `ownerOfState` */
export async function firstContract(folder: string): Promise<Address | undefined> {
  try {
    return (await ownerOfState({ folder, program: 'receiver' })).contract
  } catch (error) {
    if (isUraidenError(error, 'state_missing')) return undefined
    throw error
  }
}

/**
 * Makes folders for the contracts that have none yet, before the state of any is opened: what is there stays where
 * it is. `first` as `firstContract` says it.
 */
export async function prepareStates(
  folder: string,
  contracts: readonly Address[],
  first: Address | undefined,
): Promise<void> {
  const without = contracts.filter((contract) => !existsSync(ownFolder(folder, contract)))
  // Nothing is there: the folder itself is the first one's.
  const here = first ?? without[0]
  for (const contract of without) {
    if (contract === here) continue
    await mkdir(ownFolder(folder, contract), { recursive: true, mode: 0o700 })
  }
}

/** Contracts whose state is there, and which nobody serves any more: their open channels are not defended. */
export async function unserved(
  folder: string,
  contracts: readonly Address[],
  first: Address | undefined,
): Promise<readonly string[]> {
  const served = new Set(contracts.map((contract) => contract.toLowerCase()))
  const found = await foldersIn(folder)
  const all = first === undefined ? found : [...found, first.toLowerCase()]
  return all.filter((contract) => !served.has(contract))
}

/** Of contracts that were not the first one there. */
export function foldersIn(folder: string): Promise<readonly string[]> {
  return readdir(join(folder, folderName)).catch(() => [])
}
