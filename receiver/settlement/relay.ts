// Sends transactions for senders without ether (wire-protocol.md section 8, relay): the sender signs
// what is to happen, the receiver pays the gas. Only for channels to this receiver, above a least
// deposit, below a price of gas; and every call is tried on the node before it is sent. Strangers ask,
// so: who signed is known before the node is asked, few wait, each sender has its share of a day, and
// ether that answers to dishonest closes need is not touched.

import { createTurns } from '../../platform/async/turns.ts'
import type {
  Call,
  ChainClient,
  SignedPermit,
  TransactionSender,
} from '../../platform/chain/index.ts'
import { steadyTime } from '../../platform/time/monotonic.ts'
import {
  type Address,
  authorizationDigest,
  type ContractBlock,
  formatAmount,
  type Hex,
  largest,
  type OpeningAuthorization,
  openChannelDigest,
  openingNonce,
  type Payment,
  type Signature,
  type SignatureDomain,
  type Signer,
  shortProof,
  shortSignature,
  type TokenAmount,
  type TokenUnit,
  toHex,
  topUpDigest,
  type UraidenError,
} from '../../protocol/index.ts'
import type { Ledgers } from '../channels/ledgers.ts'
import type { ChannelManager } from '../channels/manager.ts'
import { shownProof } from '../channels/proofs.ts'
import type { AllowanceDisk } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { ProofChecker } from '../signatures/checker.ts'
import { openRelayAllowance, type RelayAllowance, type RelayLimits } from './relay-allowance.ts'
import type { RelaySigner } from './relay-signer.ts'

export interface RelayOptions extends Partial<RelayLimits> {
  /**
   * Pays for the transactions. Without one the receiver's own account does, and stops at twice the ether
   * that answers to dishonest closes need.
   */
  readonly signer?: Signer | undefined
  /** What 10^18 wei are worth, in the token's smallest unit: a deposit must be worth four times its gas. */
  readonly etherPrice?: TokenAmount
  /** Requests that wait or whose transactions are not mined. Default 16. */
  readonly mostWaiting?: number
  /** Refuse to open or top up with less, in the token's smallest unit. Default 1. */
  readonly leastDeposit?: TokenAmount
  /** Refuse to pay more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint
}

interface SignedDeposit {
  readonly sender: Address
  readonly receiver: Address
  readonly deposit: TokenAmount
  readonly permit: SignedPermit
  /** Of the contract's `OpenChannel` or `TopUp`. */
  readonly signature: Signature
}

interface AuthorizedOpening extends OpeningAuthorization {
  /** 65 bytes, or what the token hands to the code of the sender's account. */
  readonly authorization: Hex
}

/** `operation`: after a crash the same name finds the transaction that was signed for it. */
type Relayed<Request> = (request: Request, operation?: string) => Promise<Hex>

export interface Relay {
  /** Whether token and contract take authorizations (EIP-3009). */
  readonly takesAuthorizations: boolean
  /**
   * Opens with one signature. Who asks again with the same nonce, while the transaction is under way, is told of
   * the same transaction.
   * @throws UraidenError `relay_no_authorizations`, `relay_validity`, and as `open`
   */
  readonly openAuthorized: Relayed<AuthorizedOpening>
  /**
   * Each resolves with the transaction's hash when the node has it.
   * @throws UraidenError `relay_other_receiver`, `relay_deposit_too_small`, `relay_not_the_sender`,
   * `relay_limit`, `relay_busy`, `relay_reserve`, and those of the transaction sender
   */
  readonly open: Relayed<SignedDeposit>
  readonly topUp: Relayed<SignedDeposit & { readonly openBlock: ContractBlock }>
  /**
   * @throws UraidenError `relay_not_the_sender`, `relay_limit`, `relay_busy`, `relay_reserve`, those of
   * `ChannelManager.agreeToClose` and of the transaction sender
   */
  readonly close: Relayed<Pick<Payment, 'sender' | 'openBlock' | 'balance' | 'signature'>>
}

export interface RelayParts {
  readonly chain: ChainClient
  readonly transactions: TransactionSender
  readonly own: Address
  readonly domain: SignatureDomain
  readonly token: TokenUnit
  readonly manager: ChannelManager
  readonly ledgers: Pick<Ledgers, 'look'>
  readonly checker: ProofChecker
  readonly signed: RelaySigner
  /** The token's domain separator, where authorizations are taken. */
  readonly authorizations: Uint8Array | undefined
  /** Asked before each transaction. @throws UraidenError `relay_reserve` */
  readonly checkEther: () => Promise<void>
  /** For a unit of gas now, in wei, as far as it is known. */
  readonly gasPrice: () => bigint | undefined
  readonly options: RelayOptions
  readonly onFailure: (error: unknown) => void
  /** Of what was sent today. */
  readonly allowances: AllowanceDisk
  /** Unix time in milliseconds. */
  readonly now?: () => number
}

/** Of opening or topping up for a sender, more than either takes (docs/reference/gas.md). */
const depositGas = 200_000n

/**
 * Tokens ask the code of accounts (ERC-1271) about signatures; it may burn whatever gas there is. Room for tokens that
 * take more than most.
 */
const mostDepositGas = 2n * depositGas

const closeGas = 80_000n

/** How long an authorization has to be good yet, in seconds: what runs out on its way costs gas for nothing. */
const leastValid = 60

/** And at most: a sender that was not served is not bound for longer. */
const mostValid = 86_400

/** How many times its gas a deposit has to be worth. */
const depositWorth = 4n

interface Relaying extends RelayParts {
  readonly allowance: RelayAllowance
  readonly mostWaiting: number
  /** One at a time, so that whoever shares the account waits behind one at most. */
  readonly turns: ReturnType<typeof createTurns>
  waiting: number
  /** Authorized openings by sender and nonce, until they are mined or have failed. */
  readonly underWay: Map<string, Promise<Hex>>
}

export async function openRelay(parts: RelayParts): Promise<Relay> {
  const { chain, own, domain, manager, ledgers, checker, signed, options } = parts
  const { mostPerDay = 20, mostGasPerDay = 3_000_000n, mostWaiting = 16 } = options
  const { allowances: disk, onFailure, now = steadyTime } = parts
  const allowance = await openRelayAllowance({ mostPerDay, mostGasPerDay, now, disk, onFailure })
  const relaying: Relaying = {
    ...{ ...parts, allowance, mostWaiting, turns: createTurns(), waiting: 0 },
    underWay: new Map(),
  }

  return {
    takesAuthorizations: parts.authorizations !== undefined,
    openAuthorized: (request, operation) => openAuthorized(relaying, request, operation),
    open: (request, operation) => {
      const { sender, deposit, permit, signature } = request
      const message = { sender, receiver: own, deposit, deadline: permit.deadline }
      return send(relaying, { sender, gas: depositGas, operation }, async () => {
        checkDeposit(parts, request)
        const digest = (nonce: bigint) => openChannelDigest(domain, { ...message, nonce })
        if (!(await signed.isSender(sender, signature, digest))) throw notTheSender(sender)
        const channel = { sender, receiver: own, deposit }
        return async () => bounded(chain.calls.createChannelFor(channel, permit, signature))
      })
    },
    topUp: (request, operation) => {
      const { sender, openBlock, deposit, permit, signature } = request
      const channel = { sender, receiver: own, openBlock }
      const message = { ...channel, added: deposit, deadline: permit.deadline }
      return send(relaying, { sender, gas: depositGas, operation }, async () => {
        checkDeposit(parts, request)
        const digest = (nonce: bigint) => topUpDigest(domain, { ...message, nonce })
        if (!(await signed.isSender(sender, signature, digest))) throw notTheSender(sender)
        return async () => bounded(chain.calls.topUpFor(channel, deposit, permit, signature))
      })
    },
    close: ({ sender, openBlock, balance, signature }, operation) =>
      send(relaying, { sender, gas: closeGas, operation }, async () => {
        // Only the sender may end its channel this way: it has to sign the balance.
        const form = await checker.formOf({ sender, openBlock, balance, signature })
        if (form === undefined) throw notTheSender(sender)
        return async () => {
          const agreement = await manager.agreeToClose(sender, openBlock, balance)
          const { channel: agreed } = await ledgers.look({ sender, openBlock }, () => false)
          const shown = agreed?.proof === undefined ? signature : shownProof(agreed.proof)
          const channel = { sender, receiver: own, openBlock }
          return chain.calls.cooperativeClose(
            channel,
            balance,
            shortProof(shown),
            shortSignature(agreement),
          )
        }
      }),
  }
}

function bounded(call: Call): Call {
  return { ...call, mostGas: mostDepositGas }
}

async function openAuthorized(
  relaying: Relaying,
  request: AuthorizedOpening,
  operation: string | undefined,
): Promise<Hex> {
  const { chain, signed, authorizations: separator, underWay } = relaying
  const { sender, authorization } = request
  checkDeposit(relaying, request)
  if (separator === undefined) throw noAuthorizations(relaying.token)
  const digest = authorizationDigest(separator, chain.contract, request)
  if (!(await signed.mayBeSender(sender, authorization, digest))) throw notTheSender(sender)
  const once = `${sender}/${toHex(openingNonce(request))}`
  const earlier = underWay.get(once)
  if (earlier !== undefined) return earlier
  const done = () => void underWay.delete(once)
  const sending = send(
    relaying,
    { sender, gas: depositGas, done, operation },
    async () => async () => {
      checkValidity(request, (await chain.head()).timestamp)
      return bounded(chain.calls.createChannelWithAuthorization(request, authorization))
    },
  )
  underWay.set(once, sending)
  sending.catch(done)
  return sending
}

/** By the chain's clock, because it is the chain that compares. */
function checkValidity(
  { validAfter, validBefore }: OpeningAuthorization,
  /** Unix seconds. */
  now: number,
): void {
  const left = validBefore - BigInt(now)
  if (validAfter < now && left >= leastValid && left <= mostValid) return
  throw receiverError({
    code: 'relay_validity',
    message: `An authorization that is good after ${validAfter} and before ${validBefore} is not sent now, at ${now}.`,
  })
}

interface Asking {
  readonly sender: Address
  /** To be counted with until it is known. */
  readonly gas: bigint
  /** Called once it is mined, or never will be. */
  readonly done?: () => void
  readonly operation: string | undefined
}

/** `check` says who asks before it takes a place; the call is made only when its turn has come. */
async function send(
  relaying: Relaying,
  { sender, gas, done, operation }: Asking,
  check: () => Promise<() => Promise<Call>>,
): Promise<Hex> {
  const { allowance, turns, transactions, options, checkEther, onFailure } = relaying
  const call = await check()
  if (relaying.waiting >= relaying.mostWaiting) throw relayBusy()
  relaying.waiting++
  const leave = () => void relaying.waiting--
  try {
    return await turns.take(async () => {
      allowance.check(sender, gas)
      await checkEther()
      const feeCap = () => options.mostFeePerGas
      const { transaction, mined } = await transactions.start(
        { ...(await call()), feeCap },
        operation,
      )
      const spent = allowance.spend(sender, gas)
      void mined()
        .then(({ gasUsed }) => spent.used(gasUsed), onFailure)
        .finally(leave)
        .finally(done)
      return transaction
    })
  } catch (error) {
    leave()
    throw error
  }
}

function checkDeposit(
  { own, token, options, gasPrice }: RelayParts,
  { receiver, deposit }: Pick<SignedDeposit, 'receiver' | 'deposit'>,
): void {
  const { leastDeposit = 1n, etherPrice = 0n } = options
  const worth = (depositWorth * depositGas * (gasPrice() ?? 0n) * etherPrice) / 10n ** 18n
  const least = largest(leastDeposit, worth)
  if (receiver !== own) {
    throw receiverError({
      code: 'relay_other_receiver',
      message: `This receiver is ${own}; it sends nothing for channels to ${receiver}.`,
    })
  }
  if (deposit < least) {
    throw receiverError({
      code: 'relay_deposit_too_small',
      message: `A deposit of ${formatAmount(deposit, token)} is less than the ${formatAmount(least, token)} for which this receiver pays the gas.`,
    })
  }
}

function notTheSender(sender: Address): UraidenError {
  return receiverError({
    code: 'relay_not_the_sender',
    message: `This is not signed by ${sender}.`,
  })
}

function noAuthorizations({ symbol }: TokenUnit): UraidenError {
  return receiverError({
    code: 'relay_no_authorizations',
    message: `No channel opens here with an authorization (EIP-3009): the contract, or the token ${symbol}, takes none.`,
  })
}

export function relayBusy(): UraidenError {
  return receiverError({
    code: 'relay_busy',
    message: 'Too many wait already for this receiver to send their transactions.',
  })
}
