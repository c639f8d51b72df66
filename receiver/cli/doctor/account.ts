// Key and ether of the receiver.
import type { ChainClient } from '../../../platform/chain/index.ts'
import { type Finding, failure, ok, warning } from '../../../platform/cli/finding.ts'
import { formatAmount, type Signer } from '../../../protocol/index.ts'
import { leastEther } from '../../paywall/outage.ts'
import type { Check } from './check.ts'

/** For one answer to a dishonest close (docs/gas.md), with room for a busy chain. */
const gasOfAnswer = 200_000n

export function keyCheck({ address }: Signer): Check {
  return {
    name: 'key',
    look: async ({ config }) => ok(`${address}, ${config.key} is readable by its owner only`),
  }
}

export function etherCheck(chain: ChainClient, { address }: Signer): Check {
  return { name: 'ether', look: () => lookAtEther(chain, address) }
}

async function lookAtEther(chain: ChainClient, address: Signer['address']): Promise<Finding> {
  const balance = await chain.etherBalance(address)
  const gasPrice = BigInt(String(await chain.request('eth_gasPrice', [])))
  const answer = gasPrice * gasOfAnswer
  const says = inEther(balance)
  if (balance < leastEther) {
    return failure(
      `${says}: nothing is sold, because no channel could be defended. ${send(address)}`,
    )
  }
  if (balance < answer) {
    return warning(
      `${says}; one answer to a dishonest close may cost ${inEther(answer)}. ${send(address)}`,
    )
  }
  return ok(
    `${says}, enough for ${answer === 0n ? 'many' : balance / answer} transactions at the price of now`,
  )
}

const send = (address: string) => `Send some to ${address}.`

function inEther(wei: bigint): string {
  return formatAmount(wei, { symbol: 'ETH', decimals: 18 })
}
