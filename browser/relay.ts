// Without ether: the receiver sends the transactions whose contents the wallet has signed
// (wire-protocol.md section 8, relay). It can send them or not; it cannot change them.

import { type Hex, isHex, isUraidenError } from '../protocol/index.ts'
import { type AuthorisedDeposit, authoriseDeposit, type Deposit } from './authorise.ts'
import type { BoundChannel } from './bound.ts'
import { positive, stored } from './channels.ts'
import { browserError } from './error-codes.ts'
import type { Parts, ReceiverPlace } from './parts.ts'
import { send } from './receiver-api.ts'
import type { StoredChannel } from './storage.ts'
import { mined } from './transactions.ts'

/**
 * Remembers, before the receiver can send anything, from which block on a channel may be its work: it
 * may send whatever it answers.
 * @throws UraidenError `deposit_missing`, `relay_refused`, `receiver_unreachable`, and those of
 * `authoriseDeposit`
 */
export async function relayOpening(
  parts: Parts,
  deposit: Deposit['amount'],
): Promise<StoredChannel | undefined> {
  positive(deposit)
  const { memory, chain } = parts
  const authorised = await authoriseDeposit(parts, { amount: deposit })
  // After the nonces were read: what is mined from here on has used one that was signed now, so only
  // one of the two can be.
  const earlier = memory.relayed()
  if (earlier !== undefined) {
    const [made] = (await chain.openings(parts.sender, parts.receiver, earlier)).slice(-1)
    if (made !== undefined) return adopt(parts, made)
  }
  memory.setRelayed(earlier ?? (await chain.blockNumber()) + 1)
  const body = { ...deposited(parts, authorised), deposit: `${deposit}` }
  const signed = { ...body, open_signature: authorised.message }
  memory.setOpening({ transaction: await askToSend(parts, 'open', signed) })
  memory.setRelayed(undefined)
  return undefined
}

function adopt({ memory }: Parts, openBlock: number): StoredChannel {
  const channel = { openBlock, balance: 0n, recovered: false }
  memory.save(channel)
  memory.setRelayed(undefined)
  return channel
}

/**
 * @throws UraidenError `channel_missing`, `deposit_missing`, `relay_refused`,
 * `receiver_unreachable`, and those of `authoriseDeposit` and `mined`
 */
export async function relayTopUp(parts: Parts, added: Deposit['amount']): Promise<void> {
  positive(added)
  const { openBlock } = stored(parts)
  const authorised = await authoriseDeposit(parts, { amount: added, openBlock })
  const transaction = await askToSend(parts, 'topup', {
    ...deposited(parts, authorised),
    open_block: `${openBlock}`,
    added_deposit: `${added}`,
    top_up_signature: authorised.message,
  })
  await mined(parts.wallet, transaction, parts.patience)
}

/**
 * Ends the channel in one transaction of the receiver's.
 * @throws UraidenError `channel_missing`, `never_paid`, `relay_refused`, `receiver_unreachable`, and
 * those of `mined`
 */
export async function relayClose(parts: Parts): Promise<void> {
  const { memory } = parts
  const bound = await parts.binding.ensure(stored(parts).openBlock)
  const channel = stored(parts)
  const { openBlock, balance, signature } = channel
  if (signature === undefined) {
    throw browserError({
      code: 'never_paid',
      message: 'Nothing was paid on this channel, so the receiver has no reason to close it.',
      hint: 'Closing it without the receiver needs some ether in the account.',
    })
  }
  memory.save({ ...channel, closing: true })
  const asked = {
    sender_address: parts.sender,
    open_block: `${openBlock}`,
    balance: `${balance}`,
    balance_signature: signature,
  }
  const transaction = await askToSend(parts, 'close', asked, bound).catch((error) => {
    if (isUraidenError(error, 'relay_refused'))
      memory.save({ ...stored(parts), closing: undefined })
    throw error
  })
  await mined(parts.wallet, transaction, parts.patience)
  parts.memory.forget()
}

function deposited({ sender, receiver }: Parts, { deadline, permit }: AuthorisedDeposit) {
  return {
    sender_address: sender,
    receiver_address: receiver,
    deadline: `${deadline}`,
    permit_signature: permit,
  }
}

async function askToSend(
  place: ReceiverPlace,
  path: string,
  body: object,
  bound?: BoundChannel,
): Promise<Hex> {
  const answer = await send(place, bound, { method: 'POST', path: `relay/${path}`, body })
  const said = (await answer.json().catch(() => ({}))) as {
    readonly transaction_hash?: unknown
    readonly detail?: string
  }
  const hash = said.transaction_hash
  if (answer.ok && isHex(hash) && hash.length === 66) return hash
  throw browserError({
    code: 'relay_refused',
    message: `The server does not send this transaction: ${said.detail ?? answer.status}`,
  })
}
