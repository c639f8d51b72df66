// The whole main job on an embedded chain: open, pay, top up, close, and a look at who has what.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Agent,
  type ChannelBalance,
  type ChannelChange,
  createAgent,
} from '../../../agent/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import {
  type Address,
  fromHex,
  type Hex,
  largest,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { createReceiverServer, type Receiver, startReceiver } from '../../../receiver/index.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../../test/lab/chains/embedded-chain.ts'
import type { FundedAccount } from '../../../test/lab/chains/test-accounts.ts'
import { simulatedThermometer } from './thermometer.ts'

export interface DemoFacts {
  readonly chainId: bigint
  readonly contract: Address
  readonly token: TokenUnit
  readonly receiverUrl: string
  readonly path: string
  readonly price: TokenAmount
  readonly sender: Address
  readonly receiver: Address
  readonly budget: { readonly total: TokenAmount; readonly request: TokenAmount }
}

/** What the demo tells whoever shows it. */
export interface DemoView {
  readonly begin: (facts: DemoFacts) => void
  readonly channelChanged: (change: ChannelChange, block: number) => void
  readonly paid: (done: number, body: string, roundTrips: number) => void
  readonly books: (agent: ChannelBalance, receiverBalance: TokenAmount) => void
}

/** Amounts in the token's smallest unit. */
export interface DemoResult {
  readonly payments: number
  readonly price: TokenAmount
  /** Signed away by the agent. */
  readonly spent: TokenAmount
  readonly deposit: TokenAmount
  /** By the token contract: what the receiver has more than before. */
  readonly receiverGot: TokenAmount
  /** By the token contract: what of the deposit the sender has again. */
  readonly senderGotBack: TokenAmount
  readonly roundTripsPerPayment: number
  readonly openBlock: number
  readonly settleTx: Hex
}

const path = '/sensors/temperature'

export function sumsAgree(result: DemoResult): boolean {
  const { payments, price, spent, deposit, receiverGot, senderGotBack } = result
  return (
    spent === price * BigInt(payments) &&
    receiverGot === spent &&
    deposit === receiverGot + senderGotBack
  )
}

export async function runDemo(payments: number, view: DemoView): Promise<DemoResult> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-demo-'))
  const chain = await startEmbeddedChain()
  try {
    return await new Demo(chain, await deployTestContracts(chain.wallet(0)), folder, view).run(
      payments,
    )
  } finally {
    await chain.close()
    await rm(folder, { recursive: true })
  }
}

class Demo {
  readonly #chain: EmbeddedChain
  readonly #deployed: DeployedContracts
  readonly #folder: string
  readonly #view: DemoView
  readonly #receiverAccount: FundedAccount
  readonly #senderAccount: FundedAccount
  #deposited = 0n

  constructor(chain: EmbeddedChain, deployed: DeployedContracts, folder: string, view: DemoView) {
    const [, sender, receiver] = chain.accounts
    if (!sender || !receiver) throw new Error('the embedded chain has too few accounts')
    this.#chain = chain
    this.#deployed = deployed
    this.#folder = folder
    this.#view = view
    this.#senderAccount = sender
    this.#receiverAccount = receiver
  }

  async run(payments: number): Promise<DemoResult> {
    const receiver = await this.#startReceiver()
    const price = parseAmount('0.005', receiver.token)
    const server = await createReceiverServer(receiver, [
      { path, price, handler: simulatedThermometer() },
    ])
    const url = await server.listen({ host: '127.0.0.1', port: 0 })
    const budget = { total: price * BigInt(payments), request: 2n * price }
    await this.#fund(2n * budget.total + 10n * price)
    const agent = await this.#createAgent(budget, price)
    this.#view.begin({
      chainId: this.#chain.chainId,
      contract: this.#deployed.channelsAddress,
      token: receiver.token,
      receiverUrl: url,
      path,
      price,
      sender: agent.address,
      receiver: receiver.address,
      budget,
    })
    try {
      return await this.#buyAndClose(agent, receiver, url, payments, price)
    } finally {
      await agent.stop()
      await server.close()
      await receiver.stop()
    }
  }

  async #buyAndClose(
    agent: Agent,
    receiver: Receiver,
    url: string,
    payments: number,
    price: TokenAmount,
  ): Promise<DemoResult> {
    const before = await this.#balances()
    let roundTrips = 0
    for (let done = 1; done <= payments; done++) {
      const response = await agent.get(`${url}${path}`)
      if (response.status !== 200) throw new Error(`the receiver answered ${response.status}`)
      roundTrips += response.roundTrips
      this.#view.paid(done, response.text(), roundTrips / done)
    }
    const channel = onlyChannel(agent)
    const known = receiver.book.get(agent.address, channel.openBlock)
    this.#view.books(channel, known?.claims.highest ?? 0n)
    const settleTx = await agent.closeChannel(`${channel.receiver}/${channel.openBlock}`, url)
    const after = await this.#balances()
    const paidIn = this.#deposited
    return {
      payments,
      price,
      spent: channel.balance,
      deposit: paidIn,
      receiverGot: after.receiver - before.receiver,
      senderGotBack: after.sender - (before.sender - paidIn),
      roundTripsPerPayment: roundTrips / payments,
      openBlock: channel.openBlock,
      settleTx,
    }
  }

  #startReceiver(): Promise<Receiver> {
    return startReceiver({
      signer: createKeySigner(fromHex(this.#receiverAccount.privateKey)),
      rpcUrl: this.#chain.rpcUrl,
      contract: this.#deployed.channelsAddress,
      state: join(this.#folder, 'receiver'),
      pollInterval: 50,
      // Its chain makes a block for each transaction, and none after it.
      confirmations: 1,
    })
  }

  #createAgent(
    budget: { readonly total: TokenAmount; readonly request: TokenAmount },
    price: TokenAmount,
  ): Promise<Agent> {
    const open = 10n * price
    return createAgent({
      signer: createKeySigner(fromHex(this.#senderAccount.privateKey)),
      rpcUrl: this.#chain.rpcUrl,
      chainId: this.#chain.chainId,
      contract: this.#deployed.channelsAddress,
      store: join(this.#folder, 'agent'),
      budget,
      receivers: [this.#receiverAccount.address],
      // One top-up for all the rest, so that the demo shows one whatever the number of payments.
      deposit: { open: () => open, topUp: () => largest(open, budget.total - open) },
      retryInterval: 200,
      onChannelChange: (_, change, receipt) => {
        if ('added' in change) this.#deposited += change.added
        this.#view.channelChanged(change, receipt.block)
      },
    })
  }

  async #fund(amount: TokenAmount): Promise<void> {
    const transfer = this.#deployed.token.getFunction('transfer(address,uint256)')
    await (await transfer(this.#senderAccount.address, amount)).wait()
  }

  async #balances(): Promise<{ readonly sender: TokenAmount; readonly receiver: TokenAmount }> {
    const balanceOf = this.#deployed.token.getFunction('balanceOf')
    return {
      sender: await balanceOf(this.#senderAccount.address),
      receiver: await balanceOf(this.#receiverAccount.address),
    }
  }
}

function onlyChannel(agent: Agent): ChannelBalance {
  const [channel, ...others] = agent.channels()
  if (channel === undefined || others.length > 0) throw new Error('the demo uses one channel')
  return channel
}
