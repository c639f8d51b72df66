// The fee for the data of a transaction, which chains of the OP stack take beside that for gas: it is no part of the
// price of gas, and often the larger one. Their oracle is at the same address on each of them.
import { isUraidenError } from '../../protocol/index.ts'
import { readQuantity } from './answers.ts'
import type { ChainClient } from './types.ts'

/** GasPriceOracle, a predeploy of the OP stack. */
const oracle = '0x420000000000000000000000000000000000000F'

/** `getL1FeeUpperBound(uint256)`, since Fjord. */
const upperBound = '0xf1c7a58b'

/** `getL1Fee(bytes)`, before. */
const feeOf = '0x49948e0e'

/** At most, in wei, for a transaction of so many bytes; 0 on chains without such a fee. */
export type DataFee = (bytes: number) => Promise<bigint>

/** Whether the chain has an oracle is asked once. Throws as `request` does. */
export function dataFeeOf({ request }: Pick<ChainClient, 'request'>): DataFee {
  let hasOracle: boolean | undefined
  const ask = async (data: string): Promise<bigint> => {
    const answer = await request('eth_call', [{ to: oracle, data }, 'latest'])
    return readQuantity(typeof answer === 'string' ? shortened(answer) : answer)
  }
  return async (bytes) => {
    hasOracle ??= (await request('eth_getCode', [oracle, 'latest'])) !== '0x'
    if (!hasOracle) return 0n
    try {
      return await ask(upperBound + word(bytes))
    } catch (error) {
      if (!isUraidenError(error, 'rpc_error')) throw error
      // No byte of it is zero, which would be cheaper.
      const content = 'ff'.repeat(bytes).padEnd(Math.ceil(bytes / 32) * 64, '0')
      return ask(feeOf + word(32) + word(bytes) + content)
    }
  }
}

function word(value: number): string {
  return value.toString(16).padStart(64, '0')
}

/** A word as a quantity, without its leading zeros. */
function shortened(hex: string): string {
  return hex.replace(/^0x0*(?=.)/, '0x')
}
