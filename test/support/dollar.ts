// The token that is paid by signature (contracts/src/DollarToken.sol), on a chain of a test.
import { type BaseContract, Contract, ContractFactory } from 'ethers'
import { dollarAbi } from '../../contracts/abi/dollar.ts'
import { dollarBytecode } from '../../contracts/bytecode/dollar.ts'
import { createTurns } from '../../platform/async/turns.ts'
import { type Address, parseAddress } from '../../protocol/index.ts'
import type { ExactPayload, TokenDomain } from '../../protocol/x402/index.ts'
import type { TestChain } from '../lab/chains/test-chain.ts'

export interface Dollar {
  readonly contract: Contract
  readonly address: Address
  readonly domain: TokenDomain
  readonly balance: (account: string) => Promise<bigint>
  readonly pay: (account: string, amount: bigint) => Promise<void>
  /** As a facilitator does. */
  readonly settle: (payload: ExactPayload) => Promise<void>
  /** Nonces of all authorizations of an account that have moved tokens, oldest first. */
  readonly used: (account: string) => Promise<readonly string[]>
}

const symbol = 'USD'

/** A million dollars, all of it the first account's, which sends one transaction after the other. */
export async function deployDollar(
  chain: Pick<TestChain, 'wallet'>,
  name = 'Test Dollar',
): Promise<Dollar> {
  const wallet = chain.wallet(0)
  const factory = new ContractFactory([...dollarAbi], dollarBytecode, wallet)
  const deployed = await factory.deploy(10n ** 12n, name, symbol)
  await deployed.waitForDeployment()
  const address = parseAddress(await deployed.getAddress())
  const contract = new Contract(address, [...dollarAbi], wallet) as BaseContract as Contract
  const turns = createTurns()
  const send = (method: string, ...args: readonly unknown[]): Promise<void> =>
    turns.take(async () => {
      await (await contract.getFunction(method)(...args)).wait()
    })
  return {
    ...{ contract, address, domain: { name, version: '2' } },
    balance: (account) => contract.getFunction('balanceOf')(account),
    pay: (account, amount) => send('transfer', account, amount),
    settle: ({ authorization, signature }) => {
      const { from, to, value, validAfter, validBefore, nonce } = authorization
      return send(
        'transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
        ...[from, to, value, validAfter, validBefore, nonce, signature],
      )
    },
    used: async (account) => {
      const filter = contract.filters.AuthorizationUsed?.(account)
      if (filter === undefined) throw new Error('the token has no such event')
      const events = await contract.queryFilter(filter, 0)
      return events.map((event) => ('args' in event ? String(event.args[1]) : ''))
    },
  }
}
