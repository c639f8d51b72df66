// The agent as a library: all steps put together.
import {
  type Address,
  type Hex,
  isUraidenError,
  type TokenAmount,
  type TokenUnit,
} from '../protocol/index.ts'
import { type BudgetScope, capsOf } from './budget/caps.ts'
import { machineClock } from './budget/machine-clock.ts'
import type { AgentChain } from './channels/agent-chain.ts'
import { defaultDeposits } from './channels/choose.ts'
import { connectAgentChain } from './channels/connection.ts'
import { type ChannelFunding, createFunding } from './channels/funding.ts'
import { unfinishedWork } from './channels/intents.ts'
import { openLedger } from './channels/ledger.ts'
import type { LedgerFacts } from './channels/ledger-storage.ts'
import type { ChannelBalance, Ledger } from './channels/ledger-types.ts'
import { createLocks } from './channels/locks.ts'
import { type ChannelOperations, createOperations } from './channels/operations.ts'
import { createProofMaker, type ProofMaker } from './channels/proofs.ts'
import {
  createPurchaseHistory,
  type PurchaseHistory,
  type PurchaseRecord,
} from './channels/purchases.ts'
import type { ChannelName } from './channels/records.ts'
import type { Relay } from './channels/relay.ts'
import { type Swept, sweepAccount } from './channels/sweep.ts'
import type {
  Agent,
  AgentOptions,
  AgentResponse,
  AgentStream,
  BudgetView,
  CloseOptions,
  RequestOptions,
} from './options.ts'
import { exchange } from './purchase/exchange.ts'
import { createLostPayments } from './purchase/lost.ts'
import { repeatPayment } from './purchase/repeat.ts'
import { createTermsMemory } from './purchase/terms.ts'
import type { ExchangeParts, ExchangeResult, PaidRequest, SentPayment } from './purchase/types.ts'
import { createTransport, type Transport } from './transport/transport.ts'

/** Where a receiver's channel API is, unless its terms say otherwise (wire-protocol.md section 5). */
const gatewayPath = '/api/1'

/** @throws UraidenError those of `openState`, `ledger_damaged` */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { signer, contract, chainId, store, reservation = 16, budget = {}, timeZone } = options
  const ledger = await openLedger({
    folder: store,
    owner: { chainId, contract, account: signer.address },
    reservation,
    budget,
    readClock: machineClock(options.clock ?? 'auto'),
    ...(timeZone !== undefined && { timeZone }),
  })
  return new PayingAgent(options, ledger)
}

class PayingAgent implements Agent {
  readonly #options: AgentOptions
  readonly #ledger: Ledger
  readonly #history: PurchaseHistory
  readonly #funding: ChannelFunding
  readonly #operations: ChannelOperations
  readonly #transport: Transport
  readonly #locks = createLocks()
  readonly #proofs: ProofMaker
  #connecting: Promise<AgentChain> | undefined
  #parts: Promise<ExchangeParts> | undefined

  constructor(options: AgentOptions, ledger: Ledger) {
    const { signer, contract, chainId, deposit, funding = 'auto', confirmations = 1 } = options
    const domain = { contract, chainId }
    this.#options = options
    this.#ledger = ledger
    this.#history = createPurchaseHistory(ledger.notes, options.history ?? 500)
    this.#proofs = createProofMaker(signer, domain)
    this.#transport = createTransport(options)
    const chain = { ledger, chain: () => this.#chain(), confirmations, method: funding }
    const deposits = { ...defaultDeposits, ...deposit }
    this.#funding = createFunding({ ...chain, own: signer.address, deposits })
    this.#operations = createOperations({
      ...chain,
      contractVersion: async () => (await this.#facts()).contractVersion,
      transport: this.#transport,
      proofs: this.#proofs,
      signer,
      domain,
      pollInterval: options.retryInterval ?? 500,
    })
  }

  get address(): Address {
    return this.#options.signer.address
  }

  async request(url: string | URL, options: RequestOptions = {}): Promise<AgentResponse> {
    const { parts, request } = await this.#prepared(url, options, 'body')
    return agentResponse(await exchange(parts, request))
  }

  async repeatPayment(
    url: string | URL,
    payment: SentPayment,
    options: RequestOptions = {},
  ): Promise<AgentResponse> {
    const { parts, request } = await this.#prepared(url, options, 'body')
    return agentResponse(await repeatPayment(parts, request, payment))
  }

  get(url: string | URL, options: RequestOptions = {}): Promise<AgentResponse> {
    return this.request(url, { ...options, method: 'GET' })
  }

  post(url: string | URL, options: RequestOptions = {}): Promise<AgentResponse> {
    return this.request(url, { ...options, method: 'POST' })
  }

  async stream(url: string | URL, options: RequestOptions = {}): Promise<AgentStream> {
    const { parts, request } = await this.#prepared(url, options, 'stream')
    const { answer, payment, roundTrips } = await exchange(parts, request)
    const { status, headers, stream: body } = answer
    return { status, headers, body, payment, roundTrips }
  }

  channels(): readonly ChannelBalance[] {
    return this.#ledger.channels()
  }

  history(): readonly PurchaseRecord[] {
    return this.#history.all()
  }

  unfinished(): readonly string[] {
    const closes = this.#operations.unfinishedCloses().map((name) => `close ${name}`)
    return [...new Set([...unfinishedWork(this.#ledger.notes), ...closes])]
  }

  budget(): BudgetView {
    const { budget = {} } = this.#options
    const scopes: readonly BudgetScope[] = [
      'all',
      ...Object.keys(budget.receivers ?? {}).map(
        (name): BudgetScope => `receiver/${name as Address}`,
      ),
      ...Object.keys(budget.jobs ?? {}).map((name): BudgetScope => `job/${name}`),
    ]
    return {
      reserved: this.#ledger.reserved(),
      total: capsOf(budget, 'all').total,
      limits: this.#ledger.limits(scopes),
    }
  }

  async token(): Promise<TokenUnit> {
    const { symbol, decimals } = (await this.#facts()).token
    return { symbol, decimals }
  }

  openChannel(receiver: Address, deposit: TokenAmount, api?: string | URL): Promise<ChannelName> {
    const relay = this.#relay(api)
    return this.#locks.alone(receiver, () => this.#funding.open(receiver, deposit, relay))
  }

  topUp(channel: ChannelName, added: TokenAmount, api?: string | URL): Promise<void> {
    const relay = this.#relay(api)
    return this.#aloneOn(channel, () => this.#funding.topUp(channel, added, relay))
  }

  closeChannel(channel: ChannelName, how: string | URL | CloseOptions): Promise<Hex> {
    const options = typeof how === 'string' || how instanceof URL ? { api: how } : how
    return this.#aloneOn(channel, () => this.#close(channel, options))
  }

  async settle(): Promise<readonly ChannelName[]> {
    const closed: ChannelName[] = []
    let failure: unknown
    for (const name of this.#operations.unfinishedCloses()) {
      try {
        await this.#aloneOn(name, () => this.#operations.finishClose(name))
        closed.push(name)
      } catch (error) {
        failure ??= error
      }
    }
    const settled = await this.#operations.settleDue()
    // One receiver that is away must not keep the channels to others from their end.
    if (failure !== undefined) throw failure
    return [...closed, ...settled]
  }

  recoverChannels(from = 0): Promise<readonly ChannelName[]> {
    return this.#operations.recover(from)
  }

  async sweep(to: Address): Promise<Swept> {
    const { confirmations = 1, mostFeePerGas } = this.#options
    const chain = await this.#chain()
    return sweepAccount(to, { ledger: this.#ledger, chain, confirmations, mostFeePerGas })
  }

  async stop(): Promise<void> {
    await this.#ledger.close()
    const connected = await this.#connecting?.catch(() => undefined)
    connected?.client.close()
  }

  #relay(api: string | URL | undefined): Relay | undefined {
    if (api === undefined) return undefined
    const { retryInterval: pollInterval = 500 } = this.#options
    return { api: new URL(gatewayPath, api), transport: this.#transport, pollInterval }
  }

  /** For a payment, which goes on with another channel when a receiver does not close this one now. */
  async #finishCloses(receiver: Address): Promise<void> {
    for (const name of this.#operations.unfinishedCloses(receiver)) {
      await this.#operations.finishClose(name).catch((error) => {
        if (!isUraidenError(error)) throw error
      })
    }
  }

  #aloneOn<Value>(channel: ChannelName, work: () => Promise<Value>): Promise<Value> {
    return this.#locks.alone(this.#ledger.get(channel).receiver, work)
  }

  async #close(channel: ChannelName, { api, otherwise, balance }: CloseOptions): Promise<Hex> {
    if (api === undefined) return this.#operations.requestClose(channel, balance)
    try {
      return await this.#operations.closeTogether(channel, new URL(gatewayPath, api))
    } catch (error) {
      const { state } = this.#ledger.get(channel)
      if (otherwise === undefined || state !== 'open' || !isUraidenError(error)) throw error
      return this.#operations.requestClose(channel, balance)
    }
  }

  async #prepared(
    url: string | URL,
    options: RequestOptions,
    read: PaidRequest['read'],
  ): Promise<{ readonly parts: ExchangeParts; readonly request: PaidRequest }> {
    this.#parts ??= this.#assemble().catch((error) => {
      this.#parts = undefined
      throw error
    })
    const { method = 'GET', headers = {}, ...rest } = options
    const parts = await this.#parts
    const request = { ...rest, method: method.toUpperCase(), url: new URL(url), headers, read }
    return { parts, request }
  }

  #chain(): Promise<AgentChain> {
    const { onChannelChange = () => undefined } = this.#options
    this.#connecting ??= connectAgentChain(this.#options, this.#ledger, (name, change, receipt) => {
      // The receiver has to see the chain too.
      if (change.kind === 'opened' || change.kind === 'toppedUp') {
        this.#funding.notYetSeen(name, change.kind)
      }
      onChannelChange(name, change, receipt)
    }).catch((error) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  /** Asked once of the chain, then kept in the ledger: paying goes on without the chain. */
  async #facts(): Promise<LedgerFacts> {
    const known = this.#ledger.facts()
    if (known !== undefined) return known
    const { client } = await this.#chain()
    const [token, { version }] = await Promise.all([client.tokenFacts(), client.contractFacts()])
    const { address, symbol, decimals } = token
    const facts = { token: { address, symbol, decimals }, contractVersion: version }
    await this.#ledger.rememberFacts(facts)
    return facts
  }

  async #assemble(): Promise<ExchangeParts> {
    const { contract, budget, receivers, hosts, priceJump, dryRun, hooks = {} } = this.#options
    const { confirmTimeout = 120_000, retryInterval = 500, repeats = 1 } = this.#options
    const { receiverAt = () => undefined } = this.#options
    const { token, contractVersion } = await this.#facts()
    return {
      memory: createTermsMemory(this.#ledger.notes),
      policy: {
        contract,
        token: token.address,
        ...(budget?.request !== undefined && { request: budget.request }),
        ...(receivers && { receivers }),
        ...(hosts && { hosts }),
        ...(priceJump !== undefined && { priceJump }),
        ...(dryRun !== undefined && { dryRun }),
      },
      receiverAt,
      token,
      contractVersion,
      funding: this.#funding,
      finishCloses: (receiver) => this.#finishCloses(receiver),
      ledger: this.#ledger,
      proofs: this.#proofs,
      transport: this.#transport,
      locks: this.#locks,
      hooks,
      lost: createLostPayments(this.#ledger.notes),
      history: this.#history,
      repeats,
      confirmTimeout,
      retryInterval,
    }
  }
}

function agentResponse(result: ExchangeResult): AgentResponse {
  const text = () => new TextDecoder().decode(result.answer.body)
  return { ...result, status: result.answer.status, text, json: () => JSON.parse(text()) }
}
