// The agent as a library: all steps put together.
import { connectChain, createTransactionSender, type Receipt } from '../platform/chain/index.ts'
import {
  type Address,
  type HeaderFields,
  type Hex,
  type Signer,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../protocol/index.ts'
import { type DepositPolicy, defaultDeposits } from './channel/choose.ts'
import { askForClosingAgreement } from './channel/close.ts'
import {
  type AgentChain,
  type ChannelChange,
  type ChannelFunding,
  createFunding,
} from './channel/funding.ts'
import { type ExchangeParts, type ExchangeResult, exchange } from './exchange/exchange.ts'
import { createProofMaker, formFor, type ProofMaker } from './exchange/proofs.ts'
import { lanes } from './lanes.ts'
import { type ChannelBalance, type Ledger, type LedgerFacts, openLedger } from './ledger/ledger.ts'
import type { ChannelName } from './ledger/records.ts'
import type { Policy } from './policy.ts'
import { createTermsMemory, type TermsMemory } from './terms.ts'
import { createTransport, type Transport } from './transport.ts'

export interface AgentOptions {
  /** Holds the sender's key. */
  readonly signer: Signer
  readonly rpcUrl: string
  readonly chainId: bigint
  readonly contract: Address
  /** Folder for the ledger; made if missing, for its owner only. */
  readonly store: string
  /** In the token's smallest unit. What is not given is not limited. */
  readonly budget?: Pick<Policy, 'request' | 'total'>
  /** Who may be paid; anybody when not given. */
  readonly receivers?: readonly Address[]
  readonly deposit?: Partial<DepositPolicy>
  /** How many payments one synced write covers; 1 syncs for each. Default 16. */
  readonly reservation?: number
  /** Blocks to wait for after an own transaction, the one with it included. Default 1. */
  readonly confirmations?: number
  /** How long a receiver may take to see a channel confirmed, in milliseconds. */
  readonly confirmTimeout?: number
  /** Between two tries while waiting for the chain, in milliseconds. */
  readonly retryInterval?: number
  /** Longest wait for one HTTP answer, in milliseconds. */
  readonly timeout?: number
  readonly onChannelChange?: (channel: ChannelName, change: ChannelChange, receipt: Receipt) => void
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Refuse a higher price for this request, in the smallest unit. */
  readonly mostPrice?: TokenAmount
}

export interface AgentResponse extends ExchangeResult {
  readonly status: number
  readonly text: () => string
  readonly json: () => unknown
}

export interface Agent {
  readonly address: Address
  readonly request: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly get: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly channels: () => readonly ChannelBalance[]
  /** Reserved in all, and the cap. */
  readonly budget: () => { readonly reserved: TokenAmount; readonly total: TokenAmount | undefined }
  readonly token: () => Promise<TokenUnit>
  readonly openChannel: (receiver: Address, deposit: TokenAmount) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount) => Promise<void>
  /** Cooperatively: `api` is any URL of the receiver. Resolves with the closing transaction. */
  readonly closeChannel: (channel: ChannelName, api: string | URL) => Promise<Hex>
  /** Writes exact balances and releases the store. */
  readonly stop: () => Promise<void>
}

/** @throws UraidenError those of `openState` */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { signer, contract, chainId, store, reservation = 16 } = options
  const owner = { chainId, contract, account: signer.address }
  const ledger = await openLedger({ folder: store, owner, reservation })
  return new PayingAgent(options, ledger)
}

class PayingAgent implements Agent {
  readonly #options: AgentOptions
  readonly #ledger: Ledger
  readonly #funding: ChannelFunding
  readonly #transport: Transport
  readonly #memory: TermsMemory = createTermsMemory()
  readonly #inTurn = lanes()
  readonly #proofs: ProofMaker
  #connecting: Promise<AgentChain> | undefined
  #parts: Promise<ExchangeParts> | undefined
  #facts: LedgerFacts | undefined

  constructor(options: AgentOptions, ledger: Ledger) {
    const { signer, contract, chainId, deposit, confirmations = 1, timeout } = options
    this.#proofs = createProofMaker(signer, { contract, chainId })
    this.#options = options
    this.#ledger = ledger
    this.#transport = createTransport(timeout === undefined ? {} : { timeout })
    this.#funding = createFunding({
      ledger,
      chain: () => this.#chain(),
      own: signer.address,
      deposits: { ...defaultDeposits, ...deposit },
      confirmations,
      onChange: options.onChannelChange ?? (() => undefined),
    })
  }

  get address(): Address {
    return this.#options.signer.address
  }

  async request(url: string | URL, options: RequestOptions = {}): Promise<AgentResponse> {
    this.#parts ??= this.#assemble().catch((error) => {
      this.#parts = undefined
      throw error
    })
    const { method = 'GET', headers = {}, ...rest } = options
    const parts = await this.#parts
    const request = { method: method.toUpperCase(), url: new URL(url), headers, ...rest }
    const result = await exchange(parts, request)
    const text = () => new TextDecoder().decode(result.answer.body)
    return { ...result, status: result.answer.status, text, json: () => JSON.parse(text()) }
  }

  get(url: string | URL, options: RequestOptions = {}): Promise<AgentResponse> {
    return this.request(url, { ...options, method: 'GET' })
  }

  channels(): readonly ChannelBalance[] {
    return this.#ledger.channels()
  }

  budget() {
    return { reserved: this.#ledger.reserved(), total: this.#options.budget?.total }
  }

  async token(): Promise<TokenUnit> {
    return (await this.#chainFacts()).token
  }

  openChannel(receiver: Address, deposit: TokenAmount): Promise<ChannelName> {
    return this.#inTurn(receiver, () => this.#funding.open(receiver, deposit))
  }

  topUp(channel: ChannelName, added: TokenAmount): Promise<void> {
    const { receiver } = this.#ledger.get(channel)
    return this.#inTurn(receiver, () => this.#funding.topUp(channel, added))
  }

  closeChannel(channel: ChannelName, api: string | URL): Promise<Hex> {
    const { receiver } = this.#ledger.get(channel)
    return this.#inTurn(receiver, () => this.#close(channel, new URL('/api/1', api)))
  }

  async stop(): Promise<void> {
    await this.#ledger.close()
    const connected = await this.#connecting?.catch(() => undefined)
    connected?.client.close()
  }

  async #close(name: ChannelName, api: URL): Promise<Hex> {
    const { receiver, openBlock, balance, certain } = this.#ledger.get(name)
    if (!certain) throw balanceUncertain(receiver)
    const { signer, contract, chainId, confirmations = 1, onChannelChange } = this.#options
    const domain = { contract, chainId }
    const sender = signer.address
    const agreement = await askForClosingAgreement(this.#transport, {
      api,
      sender,
      receiver,
      openBlock,
      balance,
      domain,
    })
    const { client, sender: transactions } = await this.#chain()
    const { contractVersion } = await this.#chainFacts()
    const form = formFor(contractVersion, new Set(['eip712']))
    const proof = await this.#proofs.payment({ receiver, openBlock }, balance, form)
    const channel = { sender, receiver, openBlock }
    const receipt = await transactions.send(
      client.calls.cooperativeClose(channel, balance, proof.signature, agreement),
      confirmations,
    )
    await this.#ledger.update(name, { state: 'closed' })
    onChannelChange?.(name, { kind: 'closed', balance }, receipt)
    return receipt.transaction
  }

  #chain(): Promise<AgentChain> {
    this.#connecting ??= this.#connect().catch((error) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  async #connect(): Promise<AgentChain> {
    const { rpcUrl, contract, chainId, signer, retryInterval = 500 } = this.#options
    const client = await connectChain({ rpcUrl, contract, chainId })
    const sender = createTransactionSender({ chain: client, signer, pollInterval: retryInterval })
    return { client, sender }
  }

  /** Asked once of the chain, then kept in the ledger: paying goes on without the chain. */
  async #chainFacts(): Promise<LedgerFacts> {
    this.#facts ??= await this.#ledger.facts()
    if (this.#facts === undefined) {
      const { client } = await this.#chain()
      const [token, { version }] = await Promise.all([client.tokenFacts(), client.contractFacts()])
      const { symbol, decimals } = token
      this.#facts = { token: { symbol, decimals }, contractVersion: version }
      await this.#ledger.rememberFacts(this.#facts)
    }
    return this.#facts
  }

  async #assemble(): Promise<ExchangeParts> {
    const { contract, budget, receivers, deposit } = this.#options
    const { confirmTimeout = 120_000, retryInterval = 500 } = this.#options
    return {
      memory: this.#memory,
      policy: {
        ...budget,
        contract,
        ...(receivers && { receivers }),
        ...(deposit?.most !== undefined && { deposit: deposit.most }),
      },
      ...(await this.#chainFacts()),
      funding: this.#funding,
      ledger: this.#ledger,
      proofs: this.#proofs,
      transport: this.#transport,
      inTurn: this.#inTurn,
      confirmTimeout,
      retryInterval,
    }
  }
}

function balanceUncertain(receiver: Address): UraidenError {
  return new UraidenError({
    code: 'balance_uncertain',
    message: `After a crash it is not known how much of the channel to ${receiver} is spent.`,
    hint: 'Make one paid request first: the receiver then shows our last signature.',
  })
}
