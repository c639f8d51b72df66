// What a token says about itself. Not every token says it as ERC-20 does: names and symbols may be bytes32, or
// not be there at all.

import type { Interface } from 'ethers'
import { type Address, isUraidenError, tokenSymbol } from '../../protocol/index.ts'
import { decoded } from './answers.ts'
import { isRevert, type NodeError } from './node.ts'
import type { Request } from './request.ts'
import type { TokenFacts } from './types.ts'

/**
 * Without decimals an amount is that of the smallest unit.
 * @throws UraidenError `node_wrong`, and those of the request
 */
export async function readToken(
  request: Request,
  address: Address,
  token: Interface,
): Promise<TokenFacts> {
  const say = async (field: 'symbol' | 'decimals' | 'name'): Promise<string | undefined> => {
    const call = { to: address, data: token.encodeFunctionData(field) }
    try {
      const answer = String(await request('eth_call', [call, 'latest']))
      return answer === '0x' ? undefined : answer
    } catch (error) {
      if (isUraidenError(error, 'rpc_error') && isRevert(error.cause as NodeError)) return undefined
      throw error
    }
  }
  const [symbol, decimals, name] = await Promise.all([say('symbol'), say('decimals'), say('name')])
  return {
    address,
    symbol: tokenSymbol(textOf(token, 'symbol', symbol)),
    decimals: decimals === undefined ? 0 : decoded('decimals', () => uint8(decimals)),
    // Also part of the domain of its permits: as it is.
    name: textOf(token, 'name', name) ?? '',
  }
}

/** A string, or bytes32 that are filled up with zeros. */
function textOf(token: Interface, field: string, answer: string | undefined): string | undefined {
  if (answer === undefined) return undefined
  if (!/^0x[0-9a-f]{64}$/i.test(answer)) return String(decode(token, field, answer))
  const bytes = Buffer.from(answer.slice(2), 'hex')
  return bytes.toString('utf8').replace(/\0+$/, '')
}

/** @throws RangeError */
function uint8(answer: string): number {
  const value = BigInt(answer.slice(0, 66))
  if (value > 255n) throw new RangeError(`${value} decimals`)
  return Number(value)
}

function decode(token: Interface, field: string, answer: string): unknown {
  return decoded(field, () => token.decodeFunctionResult(field, answer).toArray()[0])
}
