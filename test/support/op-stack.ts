// The oracle of chains of the OP stack, which says what the data of a transaction costs.
import type { EmbeddedChain } from '../lab/chains/embedded-chain.ts'

const oracle = '0x420000000000000000000000000000000000000F'

/**
 * Whatever is asked costs so many wei. One from before Fjord knows `getL1Fee(bytes)` only:
 * it reverts when the selector is that of `getL1FeeUpperBound(uint256)`.
 */
export async function setDataFee(
  { provider }: Pick<EmbeddedChain, 'provider'>,
  wei: bigint,
  { age }: { readonly age: 'before Fjord' | 'since Fjord' } = { age: 'since Fjord' },
): Promise<void> {
  const constant = `7f${wei.toString(16).padStart(64, '0')}5f5260205ff3`
  const code = age === 'since Fjord' ? constant : `5f3560e01c63f1c7a58b14603557${constant}5b5f5ffd`
  await provider.send('hardhat_setCode', [oracle, `0x${code}`])
}
