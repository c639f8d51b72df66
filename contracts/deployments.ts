// Where the channels contract is: what was deployed with scripts/deploy-contracts, and the original's
// deployments as its documents list them.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A record of `scripts/deploy-contracts`, in `contracts/deployments/<chain id>.json`. */
export interface Deployment {
  readonly chainId: number
  readonly contract: string
  readonly token: string
  readonly version: string
  readonly challengePeriod: number
  /** No event of the contract is older than this block. */
  readonly startBlock: number
  readonly transaction: string
}

/** A deployment of the original. The test networks among them have ended. */
export interface OriginalDeployment {
  readonly network: string
  readonly chainId: number
  readonly contract: string
  readonly token: string
}

/**
 * From the original's README (version 0.1.0 of the contract). Of the Ropsten entry that document shows
 * one address and links to another one, 0x6c4A0f93a21fb711adA78F68083577ab541b9620.
 */
export const originalDeployments: readonly OriginalDeployment[] = [
  {
    network: 'mainnet',
    chainId: 1,
    contract: '0x4d6e0922e6b703f0fdf92745343a9b83eb656402',
    token: '0x255aa6df07540cb5d3d297f0d0d4d84cb52bc8e6',
  },
  {
    network: 'kovan',
    chainId: 42,
    contract: '0xe71269969cfd3c9c13c31c1caaf1ac4f242075ed',
    token: '0x5a7f24e34adac43955de79c6be3a050e29d1f93e',
  },
  {
    network: 'ropsten',
    chainId: 3,
    contract: '0xe71269969cfd3c9c13c31c1caaf1ac4f242075ed',
    token: '0xe3e546238cbadffb8d47b2a9b2a0205f0db6422c',
  },
  {
    network: 'rinkeby',
    chainId: 4,
    contract: '0x568a0d52a173f584d4a286a22b2a876911079e15',
    token: '0x101e64900a7f283468ec7484691afca8385dc1d8',
  },
]

/** Where the records are, for those who write them. */
export const deploymentsFolder: string = fileURLToPath(new URL('./deployments', import.meta.url))

/** The record of a chain; undefined when nothing was deployed there from this checkout. */
export function findDeployment(
  chainId: bigint,
  folder: string = deploymentsFolder,
): Deployment | undefined {
  const file = `${folder}/${chainId}.json`
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
