// How tokens get into a channel: the ways to open one and to top one up.

import { revertHints } from '../../contracts/reverts.ts'
import type { Locks } from '../../platform/async/locks.ts'
import {
  type Call,
  type ChainClient,
  type Receipt,
  revertOf,
  waitForTransaction,
} from '../../platform/chain/index.ts'
import {
  type Address,
  formatAmount,
  type Hex,
  isUraidenError,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { authoriseDeposit } from './authorise.ts'
import { type Deposit, relayedIntent, transactionIntent } from './intents.ts'
import type { Notes } from './notes.ts'
import { type ChannelName, channelName } from './records.ts'
import { askForDeposit, type Relay, relaysAuthorizations } from './relay.ts'
import {
  authorizationForm,
  depositSigned,
  type Form,
  formOfEarlier,
  lookForEarlier,
  noAuthorizations,
  type SignedDeposit,
  signedCall,
} from './signed-deposit.ts'
import type { FeeLimit } from './transaction-budget.ts'

/**
 * erc223   one transaction: transfer with data
 * permit   one transaction, with an EIP-2612 token and a contract of version 0.3
 * approve  two transactions, with any ERC-20 token
 * authorization  one transaction, opened with an EIP-3009 token and a contract of version 0.4; top-ups as auto
 * relay    none of one's own: the receiver sends it, and pays for it
 * auto     relay without any ether, else ERC-223, and where the token does not know it, approve
 */
export type FundingMethod = 'auto' | 'erc223' | 'permit' | 'approve' | 'authorization' | 'relay'

export interface DepositOptions {
  readonly method: FundingMethod
  readonly confirmations: number
  readonly notes: Notes
  /** Between two looks at the chain, in milliseconds. */
  readonly pollInterval: number
  /** The allowance is one for all channels: who approves opens before another approves. */
  readonly approvals: Locks
  /** Where the receiver sends transactions for others. */
  readonly relay?: Relay
  /** What we may pay for a unit of gas; undefined: the sender's own limit. */
  readonly fees?: FeeLimit | undefined
}

/**
 * Makes a deposit and books it.
 * @throws UraidenError `relay_not_offered`, `authorizations_not_taken`, `deposit_missing`, `deposit_too_large`, and
 * those of the chain
 */
export async function makeDeposit(
  chain: AgentChain,
  deposit: Deposit,
  options: DepositOptions,
): Promise<ChannelName> {
  const { method } = options
  await checkSize(chain, deposit)
  const intent = relayedIntent(deposit)
  const earlier = await lookForEarlier(chain, intent, options)
  if (earlier.kind === 'made') return booked(chain, deposit, { ...earlier, intent })
  const isRelayed = options.relay !== undefined && (await wantsRelay(chain, method))
  const relay = isRelayed ? options.relay : undefined
  const form =
    earlier.kind === 'open'
      ? await formOfEarlier(chain, earlier.note)
      : await formOf(chain, deposit, { relay, method })
  const operation = operationOf(deposit)
  if (form !== undefined) {
    const send = (signed: SignedDeposit, noted: (transaction: Hex) => Promise<void>) =>
      relay === undefined
        ? sendOne(chain, signedCall(chain, deposit, signed), { ...options, operation })
        : sendByRelay(chain, deposit, { ...options, relay, signed, noted })
    const receipt = await depositSigned(chain, deposit, { ...options, form, send })
    const name = await booked(chain, deposit, { receipt, intent })
    if (relay === undefined) await options.notes.now(transactionIntent(operation), undefined)
    return name
  }
  const receipt = await sendDeposit(chain, deposit, { ...options, operation })
  return booked(chain, deposit, { receipt, intent: transactionIntent(operation) })
}

/** Undefined: not signed, but sent as it is. */
async function formOf(
  chain: AgentChain,
  { openBlock }: Deposit,
  { relay, method }: { readonly relay: Relay | undefined; readonly method: FundingMethod },
): Promise<Form | undefined> {
  if (relay === undefined) {
    if (method !== 'authorization' || openBlock !== undefined) return undefined
    const form = await authorizationForm(chain)
    if (form === undefined) throw noAuthorizations()
    return form
  }
  const form = openBlock === undefined ? await authorizationForm(chain) : undefined
  return form !== undefined && (await relaysAuthorizations(relay)) ? form : { kind: 'permit' }
}

async function sendByRelay(
  { client }: AgentChain,
  deposit: Deposit,
  {
    relay,
    signed,
    noted,
    confirmations,
  }: Pick<DepositOptions, 'confirmations'> & {
    readonly relay: Relay
    readonly signed: SignedDeposit
    readonly noted: (transaction: Hex) => Promise<void>
  },
): Promise<Receipt> {
  const transaction = await askForDeposit(relay, deposit, signed)
  await noted(transaction)
  return waitForTransaction(client, transaction, {
    purpose: 'add a deposit through the receiver',
    confirmations,
    pollInterval: relay.pollInterval,
  })
}

function operationOf({ receiver, openBlock }: Deposit): string {
  return openBlock === undefined
    ? `open a channel to ${receiver}`
    : `top up ${channelName(receiver, openBlock)}`
}

type OwnOptions = Pick<DepositOptions, 'fees' | 'confirmations'> & { readonly operation: string }

/** No dearer than we may pay. */
async function limitOf(
  { sender }: AgentChain,
  fees: FeeLimit | undefined,
): Promise<(call: Call) => Call> {
  const most = await fees?.(sender)
  return (call) => (most === undefined ? call : { ...call, feeCap: () => most })
}

async function sendOne(
  chain: AgentChain,
  call: Call,
  { fees, confirmations, operation }: OwnOptions,
): Promise<Receipt> {
  const limited = await limitOf(chain, fees)
  return chain.sender.send(limited(call), confirmations, operation)
}

async function sendDeposit(
  chain: AgentChain,
  deposit: Deposit,
  {
    method,
    confirmations,
    operation,
    approvals,
    fees,
  }: DepositOptions & { readonly operation: string },
): Promise<Receipt> {
  const { token } = await chain.client.contractFacts()
  const limited = await limitOf(chain, fees)
  const send = (call: Call) => chain.sender.send(limited(call), confirmations, operation)
  const inOne = () => send(erc223Call(chain.client, token, deposit))
  const approve = (amount: TokenAmount) =>
    chain.sender.send(limited(chain.client.calls.approve(token, amount)))
  const inTwo = () =>
    approvals.alone(token, async () => {
      const allowed = await chain.client.allowance(deposit.sender)
      if (allowed < deposit.amount) await raiseAllowance(approve, allowed, deposit.amount)
      return send(erc20Call(chain.client, deposit))
    })
  switch (method) {
    case 'erc223':
      return inOne()
    case 'approve':
      return inTwo()
    case 'permit':
      return send(await permitCall(chain, deposit))
    case 'relay':
      throw noRelay(deposit.receiver)
    case 'authorization':
    case 'auto':
      return withFallback(chain, inOne, inTwo)
  }
}

/**
 * What a deposit that was not made has left is in the way of some tokens, USDT for one: their allowances change from
 * and to zero only.
 */
async function raiseAllowance(
  approve: (amount: TokenAmount) => Promise<Receipt>,
  allowed: TokenAmount,
  amount: TokenAmount,
): Promise<void> {
  try {
    await approve(amount)
  } catch (error) {
    if (allowed === 0n || !isUraidenError(error, 'transaction_reverts')) throw error
    await approve(0n)
    await approve(amount)
  }
}

interface Made {
  readonly receipt: Receipt
  readonly intent: string
}

/** The chain's word, not anybody else's: the transaction must have made our deposit. */
async function booked(
  { book, signer }: AgentChain,
  { receiver, openBlock }: Deposit,
  { receipt, intent }: Made,
): Promise<ChannelName> {
  const made = receipt.events.find(({ kind, channel }) => {
    if (channel.sender !== signer.address || channel.receiver !== receiver) return false
    return openBlock === undefined
      ? kind === 'created'
      : kind === 'toppedUp' && channel.openBlock === openBlock
  })
  if (made === undefined) throw depositMissing(receipt)
  await book(receipt, intent)
  return channelName(receiver, made.channel.openBlock)
}

/** Without any ether there is no other way. */
export async function wantsRelay(
  { client, signer }: AgentChain,
  method: FundingMethod,
): Promise<boolean> {
  if (method !== 'auto' && method !== 'authorization') return method === 'relay'
  return (await client.etherBalance(signer.address)) === 0n
}

function depositMissing({ transaction }: Receipt): UraidenError {
  return agentError({
    code: 'deposit_missing',
    message: `The transaction ${transaction} has not made our deposit.`,
  })
}

function noRelay(receiver: Address): UraidenError {
  return agentError({
    code: 'relay_not_offered',
    message: `The receiver ${receiver} does not send transactions for others.`,
  })
}

function erc223Call({ calls }: ChainClient, token: Address, deposit: Deposit): Call {
  const { sender, receiver, amount, openBlock } = deposit
  return openBlock === undefined
    ? calls.openErc223(token, { sender, receiver, deposit: amount })
    : calls.topUpErc223(token, { sender, receiver, openBlock }, amount)
}

async function permitCall(chain: AgentChain, deposit: Deposit): Promise<Call> {
  const { sender, receiver, amount, openBlock } = deposit
  const { permit, signature } = await authoriseDeposit(chain, deposit)
  const { calls } = chain.client
  return openBlock === undefined
    ? calls.createChannelWithPermit({ sender, receiver, deposit: amount }, permit)
    : calls.topUpFor({ sender, receiver, openBlock }, amount, permit, signature)
}

function erc20Call({ calls }: ChainClient, deposit: Deposit): Call {
  const { sender, receiver, amount, openBlock } = deposit
  return openBlock === undefined
    ? calls.createChannel(receiver, amount)
    : calls.topUp({ sender, receiver, openBlock }, amount)
}

/**
 * A token that knows no ERC-223 refuses the transfer with data when it is estimated: nothing is sent. One that
 * gives a reason knows it, and would refuse the other way as well, after an approval was paid for.
 */
async function withFallback(
  { client }: AgentChain,
  first: () => Promise<Receipt>,
  second: () => Promise<Receipt>,
): Promise<Receipt> {
  try {
    return await first()
  } catch (error) {
    if (!isUraidenError(error, 'transaction_reverts')) throw error
    const reason = revertOf(client, error)
    if (reason !== undefined && Object.hasOwn(revertHints, reason)) throw error
    return second()
  }
}

/** @throws UraidenError `deposit_too_large` */
async function checkSize({ client }: AgentChain, { amount }: Deposit): Promise<void> {
  const { mostDeposit } = await client.contractFacts()
  if (amount <= mostDeposit) return
  const token = await client.tokenFacts()
  throw agentError({
    code: 'deposit_too_large',
    message: `The contract takes at most ${formatAmount(mostDeposit, token)} in one channel, not ${formatAmount(amount, token)}.`,
  })
}
