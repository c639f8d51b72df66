// Gas of every operation of the channels contract, in the steady state: balances of sender, receiver
// and contract are not zero, 18 decimals, EIP-712 signatures, the same keys each time.
import {
  type Contract,
  type ContractTransactionResponse,
  MaxUint256,
  Signature,
  type Wallet,
} from 'ethers'
import {
  type Address,
  compactSignature,
  type Hex,
  type Signature as ProofSignature,
  parseAddress,
  shortSignature,
} from '../../protocol/index.ts'
import { balanceProof, closingAgreement } from '../../scripts/lib/sign.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../test/lab/chains/embedded-chain.ts'

export const gasOperations = [
  'open-erc223',
  'open-erc20-allowance',
  'approve-open-erc20',
  'open-permit',
  'topup-erc223',
  'close-two-signatures-partial',
  'close-by-receiver-partial',
  'close-by-receiver-full',
  'uncooperative-close',
  'settle-partial',
  'settle-zero',
  'withdraw',
  'close-batch-1-partial',
  'close-batch-1-full',
  'withdraw-batch-1',
  'withdraw-batch-50-per-channel',
  'close-batch-50-per-channel',
  'deploy',
] as const

export type GasFigures = Readonly<Record<(typeof gasOperations)[number], number>>

const deposit = 10n ** 18n
const batchSize = 50
const sender = 1
const receiver = 2

/** Measures all operations on an embedded chain of its own; deterministic. */
export async function measureGas(): Promise<GasFigures> {
  const chain = await startEmbeddedChain({ accounts: 4 + batchSize })
  try {
    return await new GasMeter(chain, await deployTestContracts(chain.wallet(0))).all()
  } finally {
    await chain.close()
  }
}

class GasMeter {
  readonly #chain: EmbeddedChain
  readonly #deployed: DeployedContracts

  constructor(chain: EmbeddedChain, deployed: DeployedContracts) {
    this.#chain = chain
    this.#deployed = deployed
  }

  async all(): Promise<GasFigures> {
    await this.#fund()
    const deployment = this.#deployed.channels.target
    const perBatch = (total: number) => Math.ceil(total / batchSize)
    return {
      'open-erc223': await this.#gasOfOpen(),
      'open-erc20-allowance': await this.#openWithAllowance(),
      'approve-open-erc20': await this.#approveAndOpen(),
      'open-permit': await this.#openWithPermit(),
      'topup-erc223': await this.#topUp(),
      'close-two-signatures-partial': await this.#close(sender, deposit / 2n, true),
      'close-by-receiver-partial': await this.#close(receiver, deposit / 2n, false),
      'close-by-receiver-full': await this.#close(receiver, deposit, false),
      'uncooperative-close': (await this.#uncooperativeClose(deposit / 2n)).gas,
      'settle-partial': await this.#settle(deposit / 2n),
      'settle-zero': await this.#settle(0n),
      withdraw: await this.#withdraw(),
      'close-batch-1-partial': await this.#alone('cooperativeCloseBatch', deposit / 2n),
      'close-batch-1-full': await this.#alone('cooperativeCloseBatch', deposit),
      'withdraw-batch-1': await this.#alone('withdrawBatch', deposit / 2n),
      'withdraw-batch-50-per-channel': perBatch(await this.#batch('withdrawBatch')),
      'close-batch-50-per-channel': perBatch(await this.#batch('cooperativeCloseBatch')),
      deploy: await this.#gasOfDeployment(deployment.toString()),
    }
  }

  /** Nobody starts at zero: first-time storage writes would hide what an operation costs for good. */
  async #fund(): Promise<void> {
    const { token } = this.#deployed
    for (const { address } of this.#chain.accounts.slice(1)) {
      await this.#gas(token.getFunction('transfer(address,uint256)')(address, 1000n * deposit))
    }
    await this.#gasOfOpen()
    // A permit before, so that its nonce is not the first one.
    await this.#openWithPermit()
  }

  #as(account: number, contract: Contract): Contract {
    return contract.connect(this.#chain.wallet(account)) as Contract
  }

  async #gas(sending: Promise<ContractTransactionResponse>): Promise<number> {
    const receipt = await (await sending).wait()
    return Number(receipt?.gasUsed)
  }

  async #send(
    sending: Promise<ContractTransactionResponse>,
  ): Promise<{ readonly gas: number; readonly block: number }> {
    const receipt = await (await sending).wait()
    return { gas: Number(receipt?.gasUsed), block: Number(receipt?.blockNumber) }
  }

  #address(account: number): Address {
    return parseAddress(this.#chain.wallet(account).address)
  }

  #open(from = sender): Promise<{ readonly gas: number; readonly block: number }> {
    const data = this.#address(from) + this.#address(receiver).slice(2)
    const transfer = this.#as(from, this.#deployed.token).getFunction(
      'transfer(address,uint256,bytes)',
    )
    return this.#send(transfer(this.#deployed.channelsAddress, deposit, data))
  }

  async #gasOfOpen(): Promise<number> {
    return (await this.#open()).gas
  }

  async #openWithAllowance(): Promise<number> {
    const { channelsAddress, channels, token } = this.#deployed
    await this.#gas(this.#as(sender, token).getFunction('approve')(channelsAddress, MaxUint256))
    const create = this.#as(sender, channels).getFunction('createChannel')
    const gas = await this.#gas(create(this.#address(receiver), deposit))
    await this.#gas(this.#as(sender, token).getFunction('approve')(channelsAddress, 0n))
    return gas
  }

  async #approveAndOpen(): Promise<number> {
    const { channelsAddress, channels, token } = this.#deployed
    const approve = this.#as(sender, token).getFunction('approve')
    const create = this.#as(sender, channels).getFunction('createChannel')
    const approved = await this.#gas(approve(channelsAddress, deposit))
    return approved + (await this.#gas(create(this.#address(receiver), deposit)))
  }

  async #openWithPermit(): Promise<number> {
    const create = this.#as(sender, this.#deployed.channels).getFunction('createChannelWithPermit')
    const deadline = 2n ** 40n
    const { v, r, s } = await signPermit(this.#chain.wallet(sender), this.#deployed, deadline)
    return this.#gas(create(this.#address(receiver), deposit, deadline, { v, r, s }))
  }

  async #topUp(): Promise<number> {
    const { block } = await this.#open()
    const data =
      this.#address(sender) + this.#address(receiver).slice(2) + block.toString(16).padStart(8, '0')
    const transfer = this.#as(sender, this.#deployed.token).getFunction(
      'transfer(address,uint256,bytes)',
    )
    return this.#gas(transfer(this.#deployed.channelsAddress, deposit, data))
  }

  #proof(openBlock: number, balance: bigint, from = sender): ProofSignature {
    return balanceProof({
      domain: this.#domain(),
      receiver: this.#address(receiver),
      openBlock,
      balance,
      key: this.#chain.wallet(from).privateKey,
    })
  }

  #domain() {
    return { contract: this.#deployed.channelsAddress, chainId: this.#chain.chainId }
  }

  async #close(from: number, balance: bigint, bothSignatures: boolean): Promise<number> {
    const { block } = await this.#open()
    const agreement = closingAgreement({
      domain: this.#domain(),
      sender: this.#address(sender),
      openBlock: block,
      balance,
      key: this.#chain.wallet(receiver).privateKey,
    })
    const close = this.#as(from, this.#deployed.channels).getFunction('cooperativeClose')
    const closing: Hex = bothSignatures ? shortSignature(agreement) : '0x'
    const proof = shortSignature(this.#proof(block, balance))
    return this.#gas(close(this.#address(receiver), block, balance, proof, closing))
  }

  async #uncooperativeClose(
    balance: bigint,
  ): Promise<{ readonly gas: number; readonly block: number }> {
    const { block } = await this.#open()
    const close = this.#as(sender, this.#deployed.channels).getFunction('uncooperativeClose')
    return { gas: await this.#gas(close(this.#address(receiver), block, balance)), block }
  }

  async #settle(balance: bigint): Promise<number> {
    const { block } = await this.#uncooperativeClose(balance)
    await this.#chain.mine(501)
    const settle = this.#as(sender, this.#deployed.channels).getFunction('settle')
    return this.#gas(settle(this.#address(receiver), block))
  }

  async #withdraw(): Promise<number> {
    const { block } = await this.#open()
    const withdraw = this.#as(receiver, this.#deployed.channels).getFunction('withdraw')
    return this.#gas(
      withdraw(block, deposit / 2n, shortSignature(this.#proof(block, deposit / 2n))),
    )
  }

  /** As our receiver sends it for a single channel. */
  async #alone(
    method: 'withdrawBatch' | 'cooperativeCloseBatch',
    balance: bigint,
  ): Promise<number> {
    const { block } = await this.#open()
    const item = [block, balance, ...compactSignature(this.#proof(block, balance))]
    return this.#gas(this.#as(receiver, this.#deployed.channels).getFunction(method)([item]))
  }

  async #batch(method: 'withdrawBatch' | 'cooperativeCloseBatch'): Promise<number> {
    const items = []
    for (let account = 4; account < 4 + batchSize; account++) {
      const { block } = await this.#open(account)
      items.push([
        block,
        deposit / 2n,
        ...compactSignature(this.#proof(block, deposit / 2n, account)),
      ])
    }
    return this.#gas(this.#as(receiver, this.#deployed.channels).getFunction(method)(items))
  }

  async #gasOfDeployment(address: string): Promise<number> {
    const { provider } = this.#chain
    for (let number = 1; ; number++) {
      const block = await provider.getBlock(number, true)
      const created = await Promise.all(
        (block?.transactions ?? []).map((hash) => provider.getTransactionReceipt(hash)),
      )
      const receipt = created.find((each) => each?.contractAddress === address)
      if (receipt) return Number(receipt.gasUsed)
    }
  }
}

/** An EIP-2612 permit of `owner` for the channels contract over the benchmark's deposit. */
async function signPermit(
  owner: Wallet,
  { token, tokenAddress, channelsAddress }: DeployedContracts,
  deadline: bigint,
): Promise<Signature> {
  const uint256 = (name: string) => ({ name, type: 'uint256' })
  const address = (name: string) => ({ name, type: 'address' })
  const signature = await owner.signTypedData(
    { name: 'CustomToken', version: '1', chainId: 31337, verifyingContract: tokenAddress },
    {
      Permit: [
        address('owner'),
        address('spender'),
        uint256('value'),
        uint256('nonce'),
        uint256('deadline'),
      ],
    },
    {
      owner: owner.address,
      spender: channelsAddress,
      value: deposit,
      nonce: await token.getFunction('nonces')(owner.address),
      deadline,
    },
  )
  return Signature.from(signature)
}
