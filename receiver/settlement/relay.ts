// Sends transactions for senders without ether (wire-protocol.md section 8, relay): the sender signs
// what is to happen, the receiver pays the gas. Only for channels to this receiver, above a least
// deposit, below a price of gas; and every call is tried on the node before it is sent.
import type {
  Call,
  ChainClient,
  SignedPermit,
  TransactionSender,
} from '../../platform/chain/index.ts'
import {
  type Address,
  type BlockNumber,
  formatAmount,
  type Hex,
  type Payment,
  type Signature,
  type TokenAmount,
  type TokenUnit,
  UraidenError,
} from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { ChannelManager } from '../channels/manager.ts'
import type { ProofChecker } from '../signatures/checker.ts'

export interface RelayOptions {
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
   * @throws UraidenError `relay_other_receiver`, `relay_deposit_too_small`, and those of the
   * transaction sender
   */
  readonly open: (request: SignedDeposit) => Promise<Hex>
  readonly topUp: (request: SignedDeposit & { readonly openBlock: BlockNumber }) => Promise<Hex>
  /**
   * @throws UraidenError `relay_not_the_sender`, and those of `ChannelManager.agreeToClose`
   */
  readonly close: (
    request: Pick<Payment, 'sender' | 'openBlock' | 'balance' | 'signature'>,
  ) => Promise<Hex>
}

export interface RelayParts {
  readonly chain: ChainClient
  readonly transactions: TransactionSender
  readonly own: Address
  readonly token: TokenUnit
  readonly manager: ChannelManager
  readonly book: ChannelBook
  readonly checker: ProofChecker
  readonly leastDeposit: TokenAmount
  /** In wei; undefined: whatever it costs. */
  readonly mostFeePerGas: bigint | undefined
  readonly onFailure: (error: unknown) => void
}

export function createRelay(parts: RelayParts): Relay {
  const { chain, transactions, own, manager, book, checker, onFailure } = parts

  async function start(call: Call): Promise<Hex> {
    const feeCap = () => parts.mostFeePerGas
    const { transaction, mined } = await transactions.start({ ...call, feeCap })
    mined().catch(onFailure)
    return transaction
  }

  return {
    open: async (request) => {
      checkDeposit(parts, request)
      const { sender, deposit, permit, signature } = request
      return start(
        chain.calls.createChannelFor({ sender, receiver: own, deposit }, permit, signature),
      )
    },
    topUp: async (request) => {
      checkDeposit(parts, request)
      const { sender, openBlock, deposit, permit, signature } = request
      const channel = { sender, receiver: own, openBlock }
      return start(chain.calls.topUpFor(channel, deposit, permit, signature))
    },
    close: async ({ sender, openBlock, balance, signature }) => {
      // Only the sender may end its channel this way: it has to sign the balance.
      const form = await checker.formOf({ sender, openBlock, balance, signature })
      if (form === undefined) throw notTheSender(sender)
      await manager.agreeToClose(sender, openBlock, balance)
      const proof = book.ledger(sender, openBlock).proof?.signature ?? signature
      const channel = { sender, receiver: own, openBlock }
      return start(chain.calls.cooperativeClose(channel, balance, proof, '0x'))
    },
  }
}

function checkDeposit(
  { own, leastDeposit, token }: RelayParts,
  { receiver, deposit }: SignedDeposit,
): void {
  if (receiver !== own) {
    throw new UraidenError({
      code: 'relay_other_receiver',
      message: `This receiver is ${own}; it sends nothing for channels to ${receiver}.`,
      hint: 'Sign a deposit for this receiver.',
    })
  }
  if (deposit < leastDeposit) {
    throw new UraidenError({
      code: 'relay_deposit_too_small',
      message: `A deposit of ${formatAmount(deposit, token)} is less than the ${formatAmount(leastDeposit, token)} for which this receiver pays the gas.`,
      hint: 'Deposit more.',
    })
  }
}

function notTheSender(sender: Address): UraidenError {
  return new UraidenError({
    code: 'relay_not_the_sender',
    message: `The balance is not signed by ${sender}.`,
    hint: 'Sign the latest balance with the key of the channel’s sender.',
  })
}
