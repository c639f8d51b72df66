// A contract of version 0.2 on a test chain.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { ContractFactory, type Signer } from 'ethers'
import { type Address, parseAddress } from '../../../protocol/index.ts'

interface Compiler {
  readonly compile: (input: string) => string
}

interface Compiled {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts: {
    readonly [file: string]: {
      readonly [name: string]: {
        readonly abi: readonly object[]
        readonly evm: { readonly bytecode: { readonly object: string } }
      }
    }
  }
}

/**
 * Once, and before there is any connection: it takes seconds in which nothing else runs, and a server
 * in this process closes its idle connections meanwhile.
 */
const compiled = await compile()

/** With a challenge period of 500 blocks. */
export async function deployVersion02(deployer: Signer, token: Address): Promise<Address> {
  const { abi, bytecode } = compiled
  const contract = await new ContractFactory(abi, bytecode, deployer).deploy(token, 500)
  await contract.waitForDeployment()
  return parseAddress(await contract.getAddress())
}

async function compile() {
  const content = await readFile(new URL('Channels02.sol', import.meta.url), 'utf8')
  const { compile } = createRequire(import.meta.url)('solc') as Compiler
  const output: Compiled = JSON.parse(
    compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { 'Channels02.sol': { content } },
        settings: { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } },
      }),
    ),
  )
  const wrong = output.errors?.filter(({ severity }) => severity === 'error') ?? []
  const made = output.contracts['Channels02.sol']?.Channels02
  if (made === undefined) throw new Error(wrong.map((each) => each.formattedMessage).join('\n'))
  return { abi: made.abi, bytecode: made.evm.bytecode.object }
}
