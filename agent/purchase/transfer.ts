// Payments without HTTP: a balance proof for whatever carries it, under the same budgets, and on disk before it
// is handed out. Nobody can be asked where a channel stands, so transfers have channels of their own.
import type { Locks } from '../../platform/async/locks.ts'
import { type Amount, addressOption, amountOption } from '../../platform/written/written.ts'
import {
  type Address,
  contractAbilities,
  formatTransfer,
  type ProofMaker,
  type TokenAmount,
  type TransferProof,
} from '../../protocol/index.ts'
import { budgetSpent } from '../budget/caps.ts'
import type { ChannelFunding } from '../channels/funding.ts'
import type { LedgerFacts } from '../channels/ledger-storage.ts'
import type { Ledger, Purchase, Shortfall, Taken } from '../channels/ledger-types.ts'
import type { ChannelName } from '../channels/records.ts'
import { agentError } from '../errors/index.ts'
import type { Behaviours } from './behaviour.ts'
import { type AgentHooks, askBeforePayment } from './hooks.ts'
import { checkProposal, type Policy } from './policy.ts'

/** Whom a transfer pays, and how much. */
export interface TransferOptions {
  /** The receiver's address. */
  readonly receiver: string
  readonly amount: Amount
  /** The job whose budget it counts against too. */
  readonly job?: string
}

export interface Transfers {
  /**
   * Pays without HTTP: a proof as plain JSON, good for one `receiver.take`, whoever hands it over. It counts as
   * spent from here on. The first one to a receiver opens a channel, which pays transfers only.
   * @throws UraidenError `not_an_address`, `wrong_checksum`, those of `parseAmount`, `transfer_empty`, of policy,
   * budget and funding, `stopped_by_hook`
   * @example
   * const proof = await agent.transfer({ receiver: '0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1', amount: '0.005 TKN' })
   * await port.write(JSON.stringify(proof))
   */
  readonly transfer: (wanted: TransferOptions) => Promise<TransferProof>
}

export interface TransferParts {
  readonly ledger: Ledger
  readonly funding: ChannelFunding
  readonly proofs: ProofMaker
  readonly own: Address
  readonly chainId: bigint
  readonly policy: Policy
  readonly facts: LedgerFacts
  readonly behaviours: Pick<Behaviours, 'troubled' | 'mayPay'>
  /** By receiver: one payment at a time is signed on a channel of transfers. */
  readonly locks: Locks
  readonly hooks: AgentHooks | undefined
}

export function createTransfers(parts: TransferParts): Transfers {
  const { token } = parts.facts
  return {
    transfer: async ({ receiver, amount, ...rest }) => {
      const to = addressOption('receiver', receiver)
      const order = { ...rest, to, amount: amountOption('amount', amount, token) }
      if (order.amount <= 0n) {
        throw agentError({
          code: 'transfer_empty',
          message: 'amount: There is nothing to transfer.',
        })
      }
      return parts.locks.alone(to, () => transfer(parts, order))
    },
  }
}

interface Order extends Pick<TransferOptions, 'job'> {
  readonly to: Address
  readonly amount: TokenAmount
}

async function transfer(parts: TransferParts, order: Order): Promise<TransferProof> {
  const { ledger, proofs, own, chainId, facts, policy } = parts
  const { amount, job } = order
  await check(parts, order)
  const purchase: Purchase = {
    ...{ price: amount, receiverKnows: 'balances' },
    ...(job !== undefined && { job }),
  }
  const channel = await channelFor(parts, order, purchase)
  const taken = await takeFresh(ledger, channel, purchase)
  if ('short' in taken) throw shortfallError(parts, taken, amount)
  const balance = taken.interval.to
  try {
    // After a crash nobody can be asked where the channel stands.
    await ledger.setTransferred(channel, balance)
    const { forms } = contractAbilities(facts.contractVersion)
    const form = forms.includes('eip712') ? 'eip712' : 'seed'
    const { openBlock } = ledger.get(channel)
    const { signature } = await proofs.payment({ receiver: order.to, openBlock }, balance, form)
    ledger.settle(taken, amount)
    const { contract } = policy
    const parties = { chainId, contract, sender: own, receiver: order.to }
    return formatTransfer({ ...parties, openBlock, balance, amount, signature })
  } catch (error) {
    ledger.takeBack(taken)
    throw error
  }
}

async function takeFresh(
  ledger: Ledger,
  channel: ChannelName,
  purchase: Purchase,
): Promise<Taken | Shortfall> {
  for (;;) {
    const taken = await ledger.take(channel, purchase)
    if ('short' in taken || taken.source === 'fresh') return taken
    // Of a process that was killed: it may have been handed out, so it counts as paid.
    ledger.settle(taken, purchase.price)
  }
}

/** Where hosts are listed, they limit requests: a transfer goes to none. */
async function check(
  { policy: { hosts: _, ...policy }, facts: { token }, behaviours, hooks }: TransferParts,
  { to: receiver, amount: price }: Order,
): Promise<void> {
  const terms = { receiver, contract: policy.contract, token: token.address, price }
  checkProposal(policy, { url: new URL(`transfer:${receiver}`), terms }, token)
  if (behaviours.troubled.size > 0) behaviours.mayPay(receiver)
  await askBeforePayment(hooks, { terms, request: undefined })
}

async function channelFor(
  parts: TransferParts,
  { to: receiver, amount: price }: Order,
  purchase: Purchase,
): Promise<ChannelName> {
  const { ledger, funding, facts } = parts
  for (const { name, certain } of ledger.payable(receiver, 'transfers')) {
    // Whatever was signed is below what was noted before.
    if (!certain) await ledger.correct(name, ledger.transferred(name) ?? 0n)
  }
  const atHand = ledger.withRoom(receiver, price, 'transfers')
  if (atHand !== undefined) return atHand
  // A transaction costs a fee: ask the budget first.
  const shortfall = ledger.shortfall(receiver, purchase)
  if (shortfall !== undefined) throw shortfallError(parts, shortfall, price)
  const wanted = { receiver, price, lastPrice: price, timesPerDay: undefined, relay: undefined }
  const beforeDeposit = () => undefined
  const channel = await funding.ensure({ ...wanted, use: 'transfers', beforeDeposit }, facts.token)
  if (ledger.transferred(channel) === undefined) await ledger.setTransferred(channel, 0n)
  return channel
}

function shortfallError({ ledger, facts }: TransferParts, why: Shortfall, amount: TokenAmount) {
  if (why.short === 'budget') {
    return budgetSpent(amount, { ...why, freeAt: ledger.freeAt(why.limit, amount) }, facts.token)
  }
  return agentError({
    code: 'deposit_spent',
    message: 'The channel’s deposit does not reach for this transfer.',
  })
}
