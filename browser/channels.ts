// The life of a channel on the chain: open, find again, top up, close, settle.

import { concatBytes } from '@noble/hashes/utils.js'
import {
  addressToBytes,
  type ChannelId,
  type ContractBlock,
  fromHex,
  type Hex,
  isUraidenError,
  type ShownProof,
  type Signature,
  shortProof,
  type TokenAmount,
  type UraidenError,
} from '../protocol/index.ts'
import { type AbiValue, encodeCall } from './abi.ts'
import type { ChannelFacts } from './chain.ts'
import { browserError } from './error-codes.ts'
import type { Parts } from './parts.ts'
import { signBalance } from './signing.ts'
import type { StoredChannel } from './storage.ts'
import { type Call, mined, send, tryOut } from './transactions.ts'

/** A stored channel and what the chain says about it. */
export interface ChannelView extends ChannelId, StoredChannel {
  /** Undefined when the contract has no such channel: it was closed. */
  readonly facts: ChannelFacts | undefined
}

export function identify(
  { sender, receiver }: Pick<Parts, 'sender' | 'receiver'>,
  openBlock: ContractBlock,
): ChannelId {
  return { sender, receiver, openBlock }
}

/** The stored channel beside what the chain says; undefined when none is stored. */
export async function viewChannel(parts: Parts): Promise<ChannelView | undefined> {
  const stored = parts.memory.load()
  if (stored === undefined) return undefined
  const id = identify(parts, stored.openBlock)
  return { ...stored, ...id, facts: await parts.chain.channel(id) }
}

/**
 * Takes the newest of the sender's openings whose channel is on the chain, and stores it. What was
 * paid on it is not known: at least what the receiver has withdrawn.
 */
export async function findChannel(
  parts: Parts,
  openings: readonly ContractBlock[],
): Promise<StoredChannel | undefined> {
  for (const openBlock of [...openings].sort((a, b) => b - a)) {
    const facts = await parts.chain.channel(identify(parts, openBlock))
    if (facts === undefined) continue
    const known = parts.memory.load()
    if (known?.openBlock === openBlock) return known
    const found = { openBlock, balance: facts.withdrawn, recovered: true }
    parts.memory.save(found)
    return found
  }
  return undefined
}

/**
 * Opens a channel, or goes on waiting for one that was sent before the page was left.
 * @throws UraidenError `deposit_missing`, and those of `signBalance`, `send` and `mined`
 */
export async function openChannel(parts: Parts, deposit: TokenAmount): Promise<StoredChannel> {
  const { memory } = parts
  if (memory.opening() === undefined) {
    positive(deposit)
    await tryToSign(parts)
    const data = concatBytes(addressToBytes(parts.sender), addressToBytes(parts.receiver))
    const direct = contractCall(parts, 'createChannel(address,uint192)', [parts.receiver, deposit])
    memory.setOpening({ transaction: await sendDeposit(parts, { amount: deposit, data, direct }) })
  }
  return awaitOpening(parts)
}

/**
 * Wallets give the form of 2017 up, which contracts of version 0.2 want: one that cannot sign it any more would
 * leave the deposit locked. A balance of 0 in a channel that cannot be is worth nothing.
 */
async function tryToSign(parts: Parts): Promise<void> {
  const { form, receiver } = parts
  if (form === 'seed') await signBalance(parts, { receiver, openBlock: 0, balance: 0n })
}

/** @throws UraidenError `deposit_missing` when no opening was sent, and those of `mined` */
export async function awaitOpening(parts: Parts): Promise<StoredChannel> {
  const { chain, memory, wallet, patience } = parts
  const opening = memory.opening()
  if (opening === undefined) throw depositMissing()
  try {
    const openBlock = await chain.contractBlock(await mined(wallet, opening.transaction, patience))
    const channel = { openBlock, balance: 0n, recovered: false }
    memory.save(channel)
    memory.setOpening(undefined)
    return channel
  } catch (error) {
    if (isUraidenError(error, 'transaction_failed')) memory.setOpening(undefined)
    if (isUraidenError(error, 'transaction_gone')) memory.setOpening(undefined)
    throw error
  }
}

/**
 * @throws UraidenError `channel_missing`, `deposit_missing`, and those of `signBalance`, `send` and
 * `mined`
 */
export async function topUp(parts: Parts, added: TokenAmount): Promise<void> {
  positive(added)
  const { openBlock, signature } = stored(parts)
  if (signature === undefined) await tryToSign(parts)
  const { sender, receiver } = parts
  const block = fromHex(`0x${openBlock.toString(16).padStart(8, '0')}`)
  const data = concatBytes(addressToBytes(sender), addressToBytes(receiver), block)
  const direct = contractCall(parts, 'topUp(address,uint32,uint192)', [
    receiver,
    BigInt(openBlock),
    added,
  ])
  await mined(
    parts.wallet,
    await sendDeposit(parts, { amount: added, data, direct }),
    parts.patience,
  )
}

/**
 * Ends the channel with the receiver's agreement.
 * @throws UraidenError `channel_missing`, `never_paid`, and those of `send` and `mined`
 */
export async function closeWith(parts: Parts, closing: Signature): Promise<void> {
  const { openBlock, balance, signature } = stored(parts)
  if (signature === undefined) {
    throw browserError({
      code: 'never_paid',
      message: 'Nothing was paid on this channel, so there is no proof to close it with.',
      hint: 'Close it without the receiver, then settle it after the challenge period.',
    })
  }
  const call = contractCall(parts, 'cooperativeClose(address,uint32,uint192,bytes,bytes)', [
    parts.receiver,
    BigInt(openBlock),
    balance,
    signatureBytes(parts, signature),
    signatureBytes(parts, closing),
  ])
  await sendAndWait(parts, call)
  parts.memory.forget()
}

function signatureBytes({ hasShortSignatures }: Parts, proof: ShownProof): Uint8Array {
  return fromHex(hasShortSignatures ? shortProof(proof) : proof)
}

/**
 * Asks the contract to close; the receiver has the challenge period to object.
 * @throws UraidenError `channel_missing`, and those of `send` and `mined`
 */
export async function requestClose(parts: Parts): Promise<void> {
  const { openBlock, balance } = stored(parts)
  const values = [parts.receiver, BigInt(openBlock), balance]
  await sendAndWait(
    parts,
    contractCall(parts, 'uncooperativeClose(address,uint32,uint192)', values),
  )
}

/**
 * Pays out after the challenge period.
 * @throws UraidenError `channel_missing`, and those of `send` and `mined`
 */
export async function settle(parts: Parts): Promise<void> {
  const { openBlock } = stored(parts)
  const values = [parts.receiver, BigInt(openBlock)]
  await sendAndWait(parts, contractCall(parts, 'settle(address,uint32)', values))
  parts.memory.forget()
}

/** What a test token's `mint()` takes, in wei. */
const mintPrice = 10n ** 17n

function mint({ token }: Parts): Call {
  return { to: token, data: encodeCall('mint()'), value: mintPrice }
}

/** True for a token that sells itself, when the account has the ether. */
export async function canBuyTokens(parts: Parts): Promise<boolean> {
  try {
    await tryOut(parts.wallet, parts.sender, mint(parts))
    return true
  } catch {
    return false
  }
}

/** Buys tokens of the test token for 0.1 ether. @throws UraidenError those of `send` and `mined` */
export async function buyTokens(parts: Parts): Promise<void> {
  await sendAndWait(parts, mint(parts))
}

/** More gas than any transaction of a channel takes. */
const mostGas = 200_000n

/** True when the account could not pay for a transaction at the node's price of gas. */
export async function lacksEther({ chain, sender }: Parts): Promise<boolean> {
  const [ether, price] = await Promise.all([
    chain.etherBalance(sender),
    // Not every wallet answers this; without any ether the price does not matter.
    chain.gasPrice().catch(() => 1n),
  ])
  return ether < mostGas * price
}

/** @throws UraidenError `channel_missing` */
export function stored({ memory }: Pick<Parts, 'memory'>): StoredChannel {
  const channel = memory.load()
  if (channel !== undefined) return channel
  throw browserError({
    code: 'channel_missing',
    message: 'There is no channel to this receiver here.',
  })
}

interface DepositCall {
  readonly amount: TokenAmount
  /** What the channels contract reads of an ERC-223 transfer. */
  readonly data: Uint8Array
  /** The contract's own call, after an approval. */
  readonly direct: Call
}

/**
 * By ERC-223 in one transaction; a plain ERC-20 token has no such transfer, and takes an approval
 * and the contract's own call.
 */
async function sendDeposit(parts: Parts, { amount, data, direct }: DepositCall): Promise<Hex> {
  const { sender, token, domain } = parts
  const transfer = encodeCall('transfer(address,uint256,bytes)', [domain.contract, amount, data])
  try {
    return await send(parts, { to: token, data: transfer })
  } catch (error) {
    if (!isUraidenError(error, 'would_revert') || (await hasErc223(parts))) throw error
  }
  const allowed = await parts.chain.allowance(token, sender)
  if (allowed < amount) await raiseAllowance(parts, allowed, amount)
  return send(parts, direct)
}

/** Of some tokens, USDT for one, an allowance changes from and to zero only. */
async function raiseAllowance(parts: Parts, allowed: bigint, amount: bigint): Promise<void> {
  const { token, domain } = parts
  const approve = async (sum: bigint) => {
    const data = encodeCall('approve(address,uint256)', [domain.contract, sum])
    await sendAndWait(parts, { to: token, data })
  }
  try {
    await approve(amount)
  } catch (error) {
    if (allowed === 0n || !isUraidenError(error, 'would_revert')) throw error
    await approve(0n)
    await approve(amount)
  }
}

/** A transfer of nothing to oneself, an account without code, works where there is the function. */
async function hasErc223({ wallet, sender, token }: Parts): Promise<boolean> {
  const data = encodeCall('transfer(address,uint256,bytes)', [sender, 0n, new Uint8Array()])
  try {
    await wallet.request({
      method: 'eth_call',
      params: [{ from: sender, to: token, data }, 'latest'],
    })
    return true
  } catch {
    return false
  }
}

function contractCall({ domain }: Parts, signature: string, values: readonly AbiValue[]): Call {
  return { to: domain.contract, data: encodeCall(signature, values) }
}

async function sendAndWait(parts: Parts, call: Call): Promise<void> {
  await mined(parts.wallet, await send(parts, call), parts.patience)
}

/** @throws UraidenError `deposit_missing` */
export function positive(amount: TokenAmount): void {
  if (amount <= 0n) throw depositMissing()
}

function depositMissing(): UraidenError {
  return browserError({
    code: 'deposit_missing',
    message: 'A deposit must be more than nothing.',
  })
}
