// What a doctor command says about the node and the contract.
import type { ChainClient } from '../chain/index.ts'
import { type Finding, ok, warning } from './finding.ts'

/** A head older than this is one of a node that is behind, or of a quiet test chain. In seconds. */
const oldHead = 300

export async function lookAtChain(chain: ChainClient): Promise<Finding> {
  const { number, timestamp } = await chain.head()
  const age = Math.max(0, Math.round(Date.now() / 1000) - timestamp)
  const says = `chain id ${chain.chainId}, block ${number}, ${age} s old`
  if (age <= oldHead) return ok(says)
  return warning(`${says}. The node may be behind, or this clock wrong; see \`clock\`.`)
}

export async function lookAtContract(chain: ChainClient): Promise<Finding> {
  const [{ version }, token] = await Promise.all([chain.contractFacts(), chain.tokenFacts()])
  return ok(`${chain.contract}, version ${version}, token ${token.symbol}`)
}
