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
  type ContractBlock,
  formatAmount,
  type Hex,
  largest,
  openChannelDigest,
  type Payment,
  type Signature,
  type SignatureDomain,
  type Signer,
  shortSignature,
  type TokenAmount,
  type TokenUnit,
  topUpDigest,
  type UraidenError,
} from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { ChannelManager } from '../channels/manager.ts'
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

export interface Relay {
  /**
   * Each resolves with the transaction's hash when the node has it.
   * @throws UraidenError `relay_other_receiver`, `relay_deposit_too_small`, `relay_not_the_sender`,
   * `relay_limit`, `relay_busy`, `relay_reserve`, and those of the transaction sender
   */
  readonly open: (request: SignedDeposit) => Promise<Hex>
  readonly topUp: (request: SignedDeposit & { readonly openBlock: ContractBlock }) => Promise<Hex>
  /**
   * @throws UraidenError `relay_not_the_sender`, `relay_limit`, `relay_busy`, `relay_reserve`, those of
   * `ChannelManager.agreeToClose` and of the transaction sender
   */
  readonly close: (
    request: Pick<Payment, 'sender' | 'openBlock' | 'balance' | 'signature'>,
  ) => Promise<Hex>
}

export interface RelayParts {
  readonly chain: ChainClient
  readonly transactions: TransactionSender
  readonly own: Address
  readonly domain: SignatureDomain
  readonly token: TokenUnit
  readonly manager: ChannelManager
  readonly book: ChannelBook
  readonly checker: ProofChecker
  readonly signed: RelaySigner
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

const closeGas = 80_000n

/** How many times its gas a deposit has to be worth. */
const depositWorth = 4n

interface Relaying extends RelayParts {
  readonly allowance: RelayAllowance
  readonly mostWaiting: number
  /** One at a time, so that whoever shares the account waits behind one at most. */
  readonly turns: ReturnType<typeof createTurns>
  waiting: number
}

export async function openRelay(parts: RelayParts): Promise<Relay> {
  const { chain, own, domain, manager, book, checker, signed, options } = parts
  const { mostPerDay = 20, mostGasPerDay = 3_000_000n, mostWaiting = 16 } = options
  const { allowances: disk, onFailure, now = steadyTime } = parts
  const allowance = await openRelayAllowance({ mostPerDay, mostGasPerDay, now, disk, onFailure })
  const relaying: Relaying = { ...parts, allowance, mostWaiting, turns: createTurns(), waiting: 0 }

  return {
    open: (request) => {
      const { sender, deposit, permit, signature } = request
      const message = { sender, receiver: own, deposit, deadline: permit.deadline }
      return send(relaying, { sender, gas: depositGas }, async () => {
        checkDeposit(parts, request)
        const digest = (nonce: bigint) => openChannelDigest(domain, { ...message, nonce })
        if (!(await signed.isSender(sender, signature, digest))) throw notTheSender(sender)
        return async () =>
          chain.calls.createChannelFor({ sender, receiver: own, deposit }, permit, signature)
      })
    },
    topUp: (request) => {
      const { sender, openBlock, deposit, permit, signature } = request
      const channel = { sender, receiver: own, openBlock }
      const message = { ...channel, added: deposit, deadline: permit.deadline }
      return send(relaying, { sender, gas: depositGas }, async () => {
        checkDeposit(parts, request)
        const digest = (nonce: bigint) => topUpDigest(domain, { ...message, nonce })
        if (!(await signed.isSender(sender, signature, digest))) throw notTheSender(sender)
        return async () => chain.calls.topUpFor(channel, deposit, permit, signature)
      })
    },
    close: ({ sender, openBlock, balance, signature }) =>
      send(relaying, { sender, gas: closeGas }, async () => {
        // Only the sender may end its channel this way: it has to sign the balance.
        const form = await checker.formOf({ sender, openBlock, balance, signature })
        if (form === undefined) throw notTheSender(sender)
        return async () => {
          const agreement = await manager.agreeToClose(sender, openBlock, balance)
          const proof = book.ledger(sender, openBlock).proof?.signature ?? signature
          const channel = { sender, receiver: own, openBlock }
          return chain.calls.cooperativeClose(
            channel,
            balance,
            shortSignature(proof),
            shortSignature(agreement),
          )
        }
      }),
  }
}

/** `check` says who asks before it takes a place; the call is made only when its turn has come. */
async function send(
  relaying: Relaying,
  { sender, gas }: { readonly sender: Address; readonly gas: bigint },
  check: () => Promise<() => Promise<Call>>,
): Promise<Hex> {
  const { allowance, turns, transactions, options, checkEther, onFailure } = relaying
  const call = await check()
  if (relaying.waiting >= relaying.mostWaiting) throw busy()
  relaying.waiting++
  const leave = () => void relaying.waiting--
  try {
    return await turns.take(async () => {
      allowance.check(sender, gas)
      await checkEther()
      const feeCap = () => options.mostFeePerGas
      const { transaction, mined } = await transactions.start({ ...(await call()), feeCap })
      const spent = allowance.spend(sender, gas)
      void mined()
        .then(({ gasUsed }) => spent.used(gasUsed), onFailure)
        .finally(leave)
      return transaction
    })
  } catch (error) {
    leave()
    throw error
  }
}

function checkDeposit(
  { own, token, options, gasPrice }: RelayParts,
  { receiver, deposit }: SignedDeposit,
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

function busy(): UraidenError {
  return receiverError({
    code: 'relay_busy',
    message: 'Too many wait already for this receiver to send their transactions.',
  })
}
