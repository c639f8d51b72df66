// What every operation of the channels contract costs, in the steady state: balances of sender, receiver
// and contract are not zero, 18 decimals, EIP-712 signatures, the same keys each time.
import {
  type Contract,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  MaxUint256,
  Signature,
  type TransactionReceipt,
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
import { type CallCost, dataOf, floorOf, shareOf, sumOf } from './call-cost.ts'

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

export type GasFigures = Readonly<Record<(typeof gasOperations)[number], CallCost>>

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
    const perBatch = (total: CallCost) => shareOf(total, batchSize)
    return {
      'open-erc223': await this.#cost(sender, this.#sendOpen()),
      'open-erc20-allowance': await this.#openWithAllowance(),
      'approve-open-erc20': await this.#approveAndOpen(),
      'open-permit': await this.#openWithPermit(),
      'topup-erc223': await this.#topUp(),
      'close-two-signatures-partial': await this.#close(sender, deposit / 2n, true),
      'close-by-receiver-partial': await this.#close(receiver, deposit / 2n, false),
      'close-by-receiver-full': await this.#close(receiver, deposit, false),
      'uncooperative-close': (await this.#uncooperativeClose(deposit / 2n)).cost,
      'settle-partial': await this.#settle(deposit / 2n),
      'settle-zero': await this.#settle(0n),
      withdraw: await this.#withdraw(),
      'close-batch-1-partial': await this.#alone('cooperativeCloseBatch', deposit / 2n),
      'close-batch-1-full': await this.#alone('cooperativeCloseBatch', deposit),
      'withdraw-batch-1': await this.#alone('withdrawBatch', deposit / 2n),
      'withdraw-batch-50-per-channel': perBatch(await this.#batch('withdrawBatch')),
      'close-batch-50-per-channel': perBatch(await this.#batch('cooperativeCloseBatch')),
      deploy: await this.#costOfDeployment(deployment.toString()),
    }
  }

  /** Nobody starts at zero: first-time storage writes would hide what an operation costs for good. */
  async #fund(): Promise<void> {
    const { token } = this.#deployed
    for (const { address } of this.#chain.accounts.slice(1)) {
      await mined(token.getFunction('transfer(address,uint256)')(address, 1000n * deposit))
    }
    await this.#open()
    // A permit before, so that its nonce is not the first one.
    await this.#openWithPermit()
  }

  #as(account: number, contract: Contract): Contract {
    return contract.connect(this.#chain.wallet(account)) as Contract
  }

  /** `from` is who sends it. */
  async #cost(from: number, sending: Promise<ContractTransactionResponse>): Promise<CallCost> {
    const transaction = await sending
    const receipt = await mined(sending)
    return this.#costOf(from, transaction, receipt)
  }

  async #costOf(
    from: number,
    transaction: { readonly to: string | null; readonly data: string },
    receipt: TransactionReceipt,
  ): Promise<CallCost> {
    const { provider } = this.#chain
    const { tokenAddress: token } = this.#deployed
    const send = (method: string, params: readonly unknown[]) => provider.send(method, [...params])
    return {
      gas: Number(receipt.gasUsed),
      floor: await floorOf({ send, receipt, token }),
      ...(await dataOf(this.#chain.wallet(from), transaction)),
    }
  }

  #address(account: number): Address {
    return parseAddress(this.#chain.wallet(account).address)
  }

  #sendOpen(from = sender): Promise<ContractTransactionResponse> {
    const data = this.#address(from) + this.#address(receiver).slice(2)
    const transfer = this.#as(from, this.#deployed.token).getFunction(
      'transfer(address,uint256,bytes)',
    )
    return transfer(this.#deployed.channelsAddress, deposit, data)
  }

  /** Resolves with the open block. */
  async #open(from = sender): Promise<number> {
    return (await mined(this.#sendOpen(from))).blockNumber
  }

  async #openWithAllowance(): Promise<CallCost> {
    const { channelsAddress, channels, token } = this.#deployed
    await mined(this.#as(sender, token).getFunction('approve')(channelsAddress, MaxUint256))
    const create = this.#as(sender, channels).getFunction('createChannel')
    const cost = await this.#cost(sender, create(this.#address(receiver), deposit))
    await mined(this.#as(sender, token).getFunction('approve')(channelsAddress, 0n))
    return cost
  }

  async #approveAndOpen(): Promise<CallCost> {
    const { channelsAddress, channels, token } = this.#deployed
    const approve = this.#as(sender, token).getFunction('approve')
    const create = this.#as(sender, channels).getFunction('createChannel')
    const approved = await this.#cost(sender, approve(channelsAddress, deposit))
    return sumOf([approved, await this.#cost(sender, create(this.#address(receiver), deposit))])
  }

  async #openWithPermit(): Promise<CallCost> {
    const create = this.#as(sender, this.#deployed.channels).getFunction('createChannelWithPermit')
    const deadline = 2n ** 40n
    const { v, r, s } = await signPermit(this.#chain.wallet(sender), this.#deployed, deadline)
    return this.#cost(sender, create(this.#address(receiver), deposit, deadline, { v, r, s }))
  }

  async #topUp(): Promise<CallCost> {
    const block = await this.#open()
    const data =
      this.#address(sender) + this.#address(receiver).slice(2) + block.toString(16).padStart(8, '0')
    const transfer = this.#as(sender, this.#deployed.token).getFunction(
      'transfer(address,uint256,bytes)',
    )
    return this.#cost(sender, transfer(this.#deployed.channelsAddress, deposit, data))
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

  async #close(from: number, balance: bigint, bothSignatures: boolean): Promise<CallCost> {
    const block = await this.#open()
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
    return this.#cost(from, close(this.#address(receiver), block, balance, proof, closing))
  }

  async #uncooperativeClose(
    balance: bigint,
  ): Promise<{ readonly cost: CallCost; readonly block: number }> {
    const block = await this.#open()
    const close = this.#as(sender, this.#deployed.channels).getFunction('uncooperativeClose')
    return { cost: await this.#cost(sender, close(this.#address(receiver), block, balance)), block }
  }

  async #settle(balance: bigint): Promise<CallCost> {
    const { block } = await this.#uncooperativeClose(balance)
    await this.#chain.mine(501)
    const settle = this.#as(sender, this.#deployed.channels).getFunction('settle')
    return this.#cost(sender, settle(this.#address(receiver), block))
  }

  async #withdraw(): Promise<CallCost> {
    const block = await this.#open()
    const withdraw = this.#as(receiver, this.#deployed.channels).getFunction('withdraw')
    return this.#cost(
      receiver,
      withdraw(block, deposit / 2n, shortSignature(this.#proof(block, deposit / 2n))),
    )
  }

  /** As our receiver sends it for a single channel. */
  async #alone(
    method: 'withdrawBatch' | 'cooperativeCloseBatch',
    balance: bigint,
  ): Promise<CallCost> {
    const block = await this.#open()
    const item = [block, balance, ...compactSignature(this.#proof(block, balance))]
    const send = this.#as(receiver, this.#deployed.channels).getFunction(method)
    return this.#cost(receiver, send([item]))
  }

  async #batch(method: 'withdrawBatch' | 'cooperativeCloseBatch'): Promise<CallCost> {
    const items = []
    for (let account = 4; account < 4 + batchSize; account++) {
      const block = await this.#open(account)
      items.push([
        block,
        deposit / 2n,
        ...compactSignature(this.#proof(block, deposit / 2n, account)),
      ])
    }
    const send = this.#as(receiver, this.#deployed.channels).getFunction(method)
    return this.#cost(receiver, send(items))
  }

  async #costOfDeployment(address: string): Promise<CallCost> {
    const { provider } = this.#chain
    for (let number = 1; ; number++) {
      const block = await provider.getBlock(number, true)
      for (const transaction of block?.prefetchedTransactions ?? []) {
        const receipt = await provider.getTransactionReceipt(transaction.hash)
        if (receipt?.contractAddress === address) return this.#costOf(0, transaction, receipt)
      }
    }
  }
}

async function mined(
  sending: Promise<ContractTransactionResponse>,
): Promise<ContractTransactionReceipt> {
  const receipt = await (await sending).wait()
  if (receipt === null) throw new Error('a transaction without a receipt')
  return receipt
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
