// The first block of a geth chain for tests: every rule of Ethereum up to Cancun from the start, and
// the usual test accounts with ether.
import { testAccount } from '../chains/test-accounts.ts'

/** As geth's own development chain has it. */
export const gethChainId = 1337n

const rules = [
  'homestead',
  'eip150',
  'eip155',
  'eip158',
  'byzantium',
  'constantinople',
  'petersburg',
  'istanbul',
  'berlin',
  'london',
]

/**
 * Cancun and no later: the system contracts of later rules would change the state in every block,
 * and then `emptyBlocks` could not be made without running them.
 */
export function genesis(accounts: number): object {
  const alloc = Array.from({ length: accounts }, (_, index) => [
    testAccount(index).address,
    { balance: `0x${(10_000n * 10n ** 18n).toString(16)}` },
  ])
  return {
    config: {
      chainId: Number(gethChainId),
      ...Object.fromEntries(rules.map((name) => [`${name}Block`, 0])),
      terminalTotalDifficulty: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      // EIP-4844.
      blobSchedule: { cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 } },
    },
    difficulty: '0x0',
    gasLimit: `0x${(30_000_000).toString(16)}`,
    baseFeePerGas: `0x${(10 ** 9).toString(16)}`,
    alloc: Object.fromEntries(alloc),
  }
}
