// The accounts that test chains fund.
import { HDNodeWallet } from 'ethers'
import { type Address, parseAddress } from '../../../protocol/index.ts'

/** The accounts that every Ethereum development tool funds: public keys, worth nothing elsewhere. */
export const testMnemonic = 'test test test test test test test test test test test junk'

export interface FundedAccount {
  readonly address: Address
  readonly privateKey: `0x${string}`
}

const known = new Map<number, FundedAccount>()
let parent: HDNodeWallet | undefined

/** By their index in the path of BIP-44. Derived once: every test chain has twenty of them. */
export function testAccount(index: number): FundedAccount {
  const account = known.get(index) ?? derive(index)
  known.set(index, account)
  return account
}

function derive(index: number): FundedAccount {
  parent ??= HDNodeWallet.fromPhrase(testMnemonic, '', "m/44'/60'/0'/0")
  const wallet = parent.deriveChild(index)
  return {
    address: parseAddress(wallet.address),
    privateKey: wallet.privateKey as `0x${string}`,
  }
}
