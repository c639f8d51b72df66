// A sender in a browser: one account of one wallet, and its channel to one receiver.

import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  type ContractClock,
  contractAbilities,
  type ShownProof,
  type TokenAmount,
  type UraidenError,
} from '../protocol/index.ts'
import type { BindingOptions } from './binding.ts'
import type { Binding, BoundPolicy, KeyStore } from './bound.ts'
import { type ContractFacts, chainOf, type TokenInfo } from './chain.ts'
import {
  awaitOpening,
  buyTokens,
  type ChannelView,
  canBuyTokens,
  closeWith,
  findChannel,
  lacksEther,
  openChannel,
  requestClose,
  settle,
  stored,
  topUp,
  viewChannel,
} from './channels.ts'
import { browserError } from './error-codes.ts'
import type { Fetch, Parts } from './parts.ts'
import { askAgain, type PaidAnswer, type PaidBefore, type PayOptions, pay } from './pay.ts'
import { confirmPayment, type SignedPayment, signPayment, verifyProof } from './payments.ts'
import { askForClosing, askForOpenings } from './receiver-api.ts'
import { channelMemory, type KeyValueStore, type StoredChannel } from './storage.ts'
import { chainIdOf, type Eip1193Provider } from './wallet.ts'

export interface BrowserClientOptions {
  readonly wallet: Eip1193Provider
  /** One of the wallet's accounts: see `requestAccounts`. */
  readonly account: Address
  readonly receiver: Address
  readonly contract: Address
  /** Root of the receiver's channel API, such as `/api/1`. */
  readonly api: string
  /** The receiver offers `relay`: it sends the transactions of an account that lacks the ether. */
  readonly relay?: boolean
  /** The chain that the receiver is on; left out, the one that the wallet is on. */
  readonly chainId?: bigint
  /**
   * How requests are tied to payments. Default `require` on contracts from 0.3 on, `prefer` on 0.2.
   */
  readonly bound?: BoundPolicy
  /** Where the channel's keys lie. Default IndexedDB. */
  readonly keys?: KeyStore
  /** Default `localStorage`. */
  readonly storage?: KeyValueStore
  /** Between two looks at the chain, in milliseconds. Default 2000. */
  readonly interval?: number
  readonly signal?: AbortSignal
  readonly fetch?: Fetch
}

export interface BrowserClient {
  readonly account: Address
  readonly chainId: bigint
  readonly contract: ContractFacts
  readonly token: TokenInfo
  /**
   * True when the account cannot pay for a transaction. With `relay`, opening, top-up and the close
   * with the receiver then go through the receiver.
   */
  readonly lacksEther: () => Promise<boolean>
  /** Tokens of the account, in the smallest unit. */
  readonly tokenBalance: () => Promise<TokenAmount>
  /** In wei. */
  readonly etherBalance: () => Promise<bigint>
  /** The newest block as the contract counts, in which its challenge periods end. */
  readonly contractHead: () => Promise<ContractBlock>
  /** Which number of a block the contract counts with. */
  readonly clock: () => Promise<ContractClock>
  /** The stored channel and what the chain says of it; undefined when there is none. */
  readonly channel: () => Promise<ChannelView | undefined>
  /**
   * Looks for an open channel: in the contract's events from a block on, or, without one, where the
   * receiver says that there are channels. Whether there are, the chain decides.
   */
  readonly findChannel: (from?: ChainBlock) => Promise<StoredChannel | undefined>
  /** True when an opening was sent that is not in a block yet: `awaitOpening` goes on with it. */
  readonly isOpening: () => boolean
  readonly awaitOpening: () => Promise<StoredChannel>
  readonly openChannel: (deposit: TokenAmount) => Promise<StoredChannel>
  readonly topUp: (added: TokenAmount) => Promise<void>
  readonly signPayment: (price: TokenAmount) => Promise<SignedPayment>
  readonly confirmPayment: (payment: SignedPayment) => void
  /** True when the proof of a balance that the receiver claims is the account's own signature, or its tick. */
  readonly verifyProof: (balance: TokenAmount, proof: ShownProof) => boolean
  /** Signs, sends and waits as the receiver asks for. */
  readonly pay: (url: string, options: PayOptions) => Promise<PaidAnswer>
  /** Asks once more for what was paid for before; undefined when the receiver does not keep it any more. */
  readonly askAgain: (
    url: string,
    paid: PaidBefore,
    options: PayOptions,
  ) => Promise<PaidAnswer | undefined>
  /** Together with the receiver: one transaction. */
  readonly closeChannel: () => Promise<void>
  /** Without the receiver: it has the challenge period to object, then `settle`. */
  readonly requestClose: () => Promise<void>
  readonly settle: () => Promise<void>
  /** Forgets what is stored; the channel itself stays, and is found on the chain again. */
  readonly forgetChannel: () => void
  /** True for a token that sells itself, when the account has the ether. */
  readonly canBuyTokens: () => Promise<boolean>
  /** From the test token, for 0.1 ether. */
  readonly buyTokens: () => Promise<void>
}

/**
 * Each method throws the errors of `ask`; the rest is written beside each function.
 * @throws UraidenError `wrong_chain`, `not_a_contract`, `contract_version_unsupported`
 * @example
 * const [account] = await requestAccounts(wallet)
 * const client = await createBrowserClient({ wallet, account, receiver, contract, api: '/api/1' })
 */
export async function createBrowserClient(options: BrowserClientOptions): Promise<BrowserClient> {
  const { signal, account, receiver } = options
  const { parts, facts } = await connect(options)
  const { chain, memory, token } = parts
  const needsRelay = async () => options.relay === true && (await lacksEther(parts))
  return {
    account,
    chainId: parts.domain.chainId,
    contract: facts,
    token: await chain.tokenInfo(token),
    tokenBalance: () => chain.tokenBalance(token, account),
    etherBalance: () => chain.etherBalance(account),
    contractHead: chain.contractHead,
    clock: chain.clock,
    channel: () => viewChannel(parts),
    findChannel: async (from) => {
      const openings =
        from === undefined ? askForOpenings(parts) : chain.openings(account, receiver, from)
      return findChannel(parts, await openings)
    },
    isOpening: () => memory.opening() !== undefined,
    awaitOpening: () => awaitOpening(parts),
    openChannel: async (deposit) => {
      if (memory.opening() !== undefined || !(await needsRelay())) {
        return openChannel(parts, deposit)
      }
      const { relayOpening } = await import('./relay.ts')
      return (await relayOpening(parts, deposit)) ?? awaitOpening(parts)
    },
    topUp: async (added) =>
      (await needsRelay())
        ? (await import('./relay.ts')).relayTopUp(parts, added)
        : topUp(parts, added),
    lacksEther: () => lacksEther(parts),
    signPayment: (price) => signPayment(parts, price),
    confirmPayment: (payment) => confirmPayment(parts, payment),
    verifyProof: (balance, signature) =>
      verifyProof(parts, { openBlock: stored(parts).openBlock, balance }, signature),
    pay: (url, payOptions) =>
      pay(parts, url, { ...payOptions, signal: payOptions.signal ?? signal }),
    askAgain: (url, paid, payOptions) => askAgain(parts, url, { paid, options: payOptions }),
    closeChannel: async () =>
      (await needsRelay())
        ? (await import('./relay.ts')).relayClose(parts)
        : closeWith(parts, await askForClosing(parts)),
    requestClose: () => requestClose(parts),
    settle: () => settle(parts),
    forgetChannel: () => memory.forget(),
    canBuyTokens: () => canBuyTokens(parts),
    buyTokens: () => buyTokens(parts),
  }
}

async function connect(options: BrowserClientOptions) {
  const { wallet, account, receiver, contract, api, storage = globalThis.localStorage } = options
  const { interval = 2000, signal, fetch: fetcher = globalThis.fetch.bind(globalThis) } = options
  const chainId = await chainIdOf(wallet)
  if (options.chainId !== undefined && options.chainId !== chainId) {
    throw wrongChain(options.chainId, chainId)
  }
  const chain = chainOf(wallet, contract)
  const facts = await chain.contractFacts()
  const { forms, hasShortSignatures } = contractAbilities(facts.version, contract)
  const [form] = forms
  const parts = {
    wallet,
    chain,
    memory: channelMemory(storage, { chainId, contract, receiver, sender: account }),
    sender: account,
    receiver,
    fetcher,
    api,
    token: facts.token,
    domain: { contract, chainId },
    form,
    hasShortSignatures,
    patience: { interval, signal },
  }
  const policy = options.bound ?? (form === 'seed' ? 'prefer' : 'require')
  return { parts: { ...parts, binding: bindingOf(parts, { policy, keys: options.keys }) }, facts }
}

/** The code behind is loaded when a channel is to be tied. */
function bindingOf(parts: Omit<Parts, 'binding'>, options: BindingOptions): Binding {
  let loading: Promise<Binding> | undefined
  return {
    ensure: async (openBlock, progress) => {
      loading ??= import('./binding.ts').then((room) => room.createBinding(parts, options))
      // The next try loads it again.
      loading.catch(() => (loading = undefined))
      return (await loading).ensure(openBlock, progress)
    },
  }
}

function wrongChain(wanted: bigint, found: bigint): UraidenError {
  return browserError({
    code: 'wrong_chain',
    message: `The wallet is on chain ${found}, the receiver is on chain ${wanted}.`,
  })
}
