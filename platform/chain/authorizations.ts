// Whether channels can be opened with EIP-3009 authorizations: the contract has to know them, and the token.
import { contractAbilities, fromHex, isUraidenError } from '../../protocol/index.ts'
import { isRevert, type NodeError } from './node.ts'
import type { ChainClient } from './types.ts'

/** Selectors (Solidity ABI) of `authorizationState(address,bytes32)` and `DOMAIN_SEPARATOR()`. */
const stateSelector = '0xe94a0102'
const separatorSelector = '0x3644e515'

/**
 * The token's EIP-712 domain separator, under which openings are authorized; undefined where contract or token
 * takes no authorizations.
 * @throws UraidenError those of the chain
 */
export async function authorizationSeparator(
  client: Pick<ChainClient, 'contractFacts' | 'request'>,
): Promise<Uint8Array | undefined> {
  const { version, token: to } = await client.contractFacts()
  if (!contractAbilities(version).hasAuthorizations) return undefined
  const word = async (data: string): Promise<string | undefined> => {
    try {
      const answer = String(await client.request('eth_call', [{ to, data }, 'latest']))
      return /^0x[0-9a-f]{64}$/i.test(answer) ? answer : undefined
    } catch (error) {
      if (isUraidenError(error, 'rpc_error') && isRevert(error.cause as NodeError)) return undefined
      throw error
    }
  }
  const nobody = '0'.repeat(128)
  const [state, separator] = await Promise.all([
    word(`${stateSelector}${nobody}`),
    word(separatorSelector),
  ])
  return state === undefined || separator === undefined ? undefined : fromHex(separator)
}
