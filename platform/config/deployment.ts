// Contract and start block of a configuration that names its chain and leaves them out: those of the chain's record.

import { z } from 'zod'
import { findDeployment } from '../../contracts/deployments.ts'
import { platformError } from '../errors/index.ts'
import { address, count } from './fields.ts'

/** Names the folder of records in place of the one beside the contracts. */
const folderVariable = 'URAIDEN_DEPLOYMENTS'

/** What of a record is used here. */
const recorded = z.object({
  chainId: count.positive(),
  contract: z.string().refine((text) => address.safeParse(text).success),
  startBlock: count.min(0),
})

/**
 * By `chainId` of the configuration only: a node must not be the one who says which contract is used. The start
 * block also where the contract is the record's.
 * @throws UraidenError `deployment_invalid`
 */
export function withDeployment(value: unknown, environment: NodeJS.ProcessEnv): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { chainId, contract, startBlock } = value as Readonly<Record<string, unknown>>
  if (!Number.isSafeInteger(chainId)) return value
  const record = recordOf(Number(chainId), environment[folderVariable])
  const isMeant =
    contract === undefined || String(contract).toLowerCase() === record?.contract.toLowerCase()
  if (record === undefined || !isMeant) return value
  return { ...value, contract: record.contract, startBlock: startBlock ?? record.startBlock }
}

function recordOf(chainId: number, folder: string | undefined) {
  const invalid = (cause: unknown) =>
    platformError({
      code: 'deployment_invalid',
      message: `The record of the contract on chain ${chainId} is damaged.`,
      cause,
    })
  let found: unknown
  try {
    found = findDeployment(BigInt(chainId), folder)
  } catch (cause) {
    throw invalid(cause)
  }
  if (found === undefined) return undefined
  const { data, error } = recorded.safeParse(found)
  if (data === undefined || data.chainId !== chainId) throw invalid(error)
  return data
}
