// The contract of version 0.3 as it was released: its creation code. Channels on it go on working.
import { readFileSync } from 'node:fs'
import { ContractFactory, type Signer } from 'ethers'
import { type Address, parseAddress } from '../../../protocol/index.ts'

const bytecode = readFileSync(new URL('channels.hex', import.meta.url), 'utf8').trim()

/** With a challenge period of 500 blocks. */
export async function deployVersion03(deployer: Signer, token: Address): Promise<Address> {
  const abi = ['constructor(address, uint32, address[])']
  const contract = await new ContractFactory(abi, bytecode, deployer).deploy(token, 500, [])
  await contract.waitForDeployment()
  return parseAddress(await contract.getAddress())
}
