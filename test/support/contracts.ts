// The channels contract on a chain of its own, for tests of the contract itself.

import type { ExecutionContext } from 'ava'
import {
  type BaseContract,
  Contract,
  ContractFactory,
  type ContractTransactionResponse,
  Interface,
} from 'ethers'
import hre from 'hardhat'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import {
  type Address,
  compactSignature,
  parseAddress,
  type SignatureForm,
} from '../../protocol/index.ts'
import { balanceProof, closingAgreement } from '../../scripts/lib/sign.ts'
import {
  channelsCode,
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
  type TestDeployment,
} from '../lab/chains/embedded-chain.ts'

/** Who is who among the chain's accounts. */
export const owner = 0
export const sender = 1
export const receiver = 2
export const stranger = 3

export class ContractFixture {
  readonly chain: EmbeddedChain
  readonly channels: Contract
  readonly token: Contract
  readonly address: Address

  constructor(
    chain: EmbeddedChain,
    deployed: Pick<DeployedContracts, 'channels' | 'token'>,
    address: Address,
  ) {
    this.chain = chain
    this.channels = deployed.channels
    this.token = deployed.token
    this.address = address
  }

  account(index: number): Address {
    return parseAddress(this.chain.wallet(index).address)
  }

  /** A method of the channels contract, called by an account. */
  as(index: number, method: string) {
    return (this.channels.connect(this.chain.wallet(index)) as Contract).getFunction(method)
  }

  /** A method of the token, called by an account. */
  tokenAs(index: number, method: string) {
    return (this.token.connect(this.chain.wallet(index)) as Contract).getFunction(method)
  }

  async balance(account: number | string): Promise<bigint> {
    const address = typeof account === 'number' ? this.account(account) : account
    return this.token.getFunction('balanceOf')(address)
  }

  openData(from = sender, to = receiver): string {
    return this.account(from) + this.account(to).slice(2)
  }

  topUpData(openBlock: number, from = sender, to = receiver): string {
    return this.openData(from, to) + openBlock.toString(16).padStart(8, '0')
  }

  /** Opens by ERC-223; the open block. */
  async open(deposit: bigint, from = sender, to = receiver): Promise<number> {
    const transfer = this.tokenAs(from, 'transfer(address,uint256,bytes)')
    return (await mined(transfer(this.address, deposit, this.openData(from, to)))).block
  }

  /** Opens by ERC-20; the open block. */
  async openErc20(deposit: bigint, from = sender, to = receiver): Promise<number> {
    await mined(this.tokenAs(from, 'approve')(this.address, deposit))
    return (await mined(this.as(from, 'createChannel')(this.account(to), deposit))).block
  }

  get domain() {
    return { contract: this.address, chainId: this.chain.chainId }
  }

  proof(
    openBlock: number,
    balance: bigint,
    form: SignatureForm = 'eip712',
    from = sender,
    to = receiver,
  ) {
    const key = this.chain.wallet(from).privateKey
    return balanceProof({
      domain: this.domain,
      receiver: this.account(to),
      openBlock,
      balance,
      key,
      form,
    })
  }

  agreement(
    openBlock: number,
    balance: bigint,
    form: SignatureForm = 'eip712',
    from = receiver,
    of = sender,
  ) {
    const key = this.chain.wallet(from).privateKey
    return closingAgreement({
      domain: this.domain,
      sender: this.account(of),
      openBlock,
      balance,
      key,
      form,
    })
  }

  item(openBlock: number, balance: bigint, from = sender) {
    return [openBlock, balance, ...compactSignature(this.proof(openBlock, balance, 'eip712', from))]
  }

  info(openBlock: number, from = sender, to = receiver) {
    return this.channels.getFunction('getChannelInfo')(
      this.account(from),
      this.account(to),
      openBlock,
    )
  }
}

/** Sender, receiver and stranger have 10^24 units each; nothing is open. */
export async function contractFixture(options: TestDeployment = {}): Promise<ContractFixture> {
  const chain = await startEmbeddedChain()
  const deployed = await deployTestContracts(chain.wallet(owner), {
    supply: 10n ** 12n,
    ...options,
  })
  const fixture = new ContractFixture(chain, deployed, deployed.channelsAddress)
  for (const account of [sender, receiver, stranger]) {
    const amount = options.decimals === 0 ? 10n ** 9n : 10n ** 24n
    await mined(
      fixture.tokenAs(owner, 'transfer(address,uint256)')(fixture.account(account), amount),
    )
  }
  return fixture
}

/** The channels contract over one of test/contracts/tokens; the sender has 10^23 units. */
export async function hostileFixture(name: string): Promise<ContractFixture> {
  const chain = await startEmbeddedChain()
  const deployed = await deployOver(chain, name)
  const fixture = new ContractFixture(chain, deployed, deployed.address)
  await mined(
    fixture.tokenAs(owner, 'transfer(address,uint256)')(fixture.account(sender), 10n ** 23n),
  )
  return fixture
}

/** A token of test/contracts/tokens, all of it the owner's, and a channels contract for it. */
export async function deployOver(chain: EmbeddedChain, name: string) {
  const token = await deployArtifact(chain, name)
  const channels = await deploy(chain, [...channelsAbi], await channelsCode(), [
    await token.getAddress(),
    500,
    [],
  ])
  return { token, channels, address: parseAddress(await channels.getAddress()) }
}

/** A contract that was compiled by `npm run contracts`, the first step of `scripts/test`. */
export async function deployArtifact(
  chain: EmbeddedChain,
  name: string,
  ...args: readonly unknown[]
): Promise<Contract> {
  const { abi, bytecode } = await hre.artifacts.readArtifact(name)
  return deploy(chain, abi as object[], bytecode, args)
}

async function deploy(
  chain: EmbeddedChain,
  abi: object[],
  bytecode: string,
  args: readonly unknown[],
) {
  const contract = await new ContractFactory(abi, bytecode, chain.wallet(owner)).deploy(...args)
  await contract.waitForDeployment()
  return new Contract(
    await contract.getAddress(),
    abi,
    chain.wallet(owner),
  ) as BaseContract as Contract
}

/** A test on a chain that it shares with others: afterwards all is as it was before. */
export function undone(
  fixture: () => ContractFixture,
  run: (t: ExecutionContext) => Promise<void>,
): (t: ExecutionContext) => Promise<void> {
  return async (t) => {
    const goBack = await fixture().chain.snapshot()
    await run(t)
    await goBack()
  }
}

export interface Mined {
  readonly block: number
  readonly events: readonly { readonly name: string; readonly args: readonly unknown[] }[]
}

/** Waits for a transaction; its block and the events of the contract that was called. */
export async function mined(sending: Promise<ContractTransactionResponse>): Promise<Mined> {
  const receipt = await (await sending).wait()
  const events = (receipt?.logs ?? []).flatMap((log) =>
    'eventName' in log
      ? [{ name: String(log.eventName), args: [...(log.args as Iterable<unknown>)] }]
      : [],
  )
  return { block: Number(receipt?.blockNumber), events }
}

/** The call fails with this error of the contract. Anything else fails the test. */
export async function reverts(
  t: ExecutionContext,
  sending: Promise<unknown>,
  name: string,
  when = name,
): Promise<void> {
  try {
    await sending
  } catch (error) {
    const { revert, data, message } = error as {
      revert?: { name: string } | null
      data?: string
      message: string
    }
    const parsed = revert?.name ?? (data ? errorName(data) : undefined)
    t.is(parsed ?? message, name, when)
    return
  }
  t.fail(`${when}: did not revert`)
}

const known = [new Interface(channelsAbi), new Interface(tokenAbi)]

/** ethers names no error of an estimate, nor one that passed through another contract. */
function errorName(data: string): string | undefined {
  return known.map((each) => each.parseError(data)?.name).find((name) => name !== undefined)
}
