// Channels that take no payment any more because we close them or agreed to a close. A payment that
// came after could not be claimed.

import {
  closingAgreementDigest,
  isUraidenError,
  type Signature,
  type SignatureDomain,
  type SignatureForm,
  type Signer,
  type TokenAmount,
} from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { ChannelBook, ChannelId } from './book.ts'
import type { Ledgers, WantedClose } from './ledgers.ts'
import type { Channel, PaymentLedger } from './records.ts'

export interface AgreementParts {
  readonly ledgers: Pick<Ledgers, 'agree'>
  readonly signer: Signer
  readonly domain: SignatureDomain
}

/**
 * Signs that we are content with `balance`. That no payment is taken from then on is durable before.
 * @throws UraidenError `channel_unknown`, `channel_closing`, `never_paid`, `not_latest_balance`
 */
export async function agreeToClose(
  { ledgers, signer, domain }: AgreementParts,
  wanted: WantedClose,
): Promise<Signature> {
  const { proof } = await ledgers.agree(wanted)
  // In the form that the sender itself uses, so that its own check understands it.
  return signAgreement({ signer, domain }, wanted, proof?.form ?? 'seed')
}

/** The signature under a close; to be given away only when the channel is marked. */
export function signAgreement(
  { signer, domain }: Pick<AgreementParts, 'signer' | 'domain'>,
  { sender, openBlock, balance }: WantedClose,
  form: SignatureForm,
): Promise<Signature> {
  return signer.sign(closingAgreementDigest(form, domain, sender)(openBlock, balance))
}

/**
 * Closes channels from our side: takes no payment on them from now on, so that nothing comes after
 * the proofs that `close` sends. If nothing was sent, they go on as before.
 */
export async function whileClosing<Value>(
  book: ChannelBook,
  channels: readonly Channel[],
  close: (channels: readonly Channel[]) => Promise<Value>,
): Promise<Value> {
  const marked = channels.filter(({ collecting }) => collecting !== true)
  const mark = (change: (ledger: PaymentLedger) => PaymentLedger) =>
    Promise.all(
      marked.map(({ sender, openBlock }) =>
        book.putLedger({ sender, openBlock }, change(book.ledger(sender, openBlock))),
      ),
    )
  await mark((ledger) => ({ ...ledger, collecting: true }))
  try {
    // A payment may have come just before the mark.
    return await close(
      channels.map((channel) => ({
        ...channel,
        ...book.ledger(channel.sender, channel.openBlock),
      })),
    )
  } catch (error) {
    const mayBeSent = ['transaction_unconfirmed', 'chain_closed'].some((code) =>
      isUraidenError(error, code),
    )
    // What the sender was given an agreement for meanwhile stays closed all the same.
    if (!mayBeSent) await mark(({ collecting: _, ...ledger }) => ledger)
    throw error
  }
}

/**
 * No payment is taken from now on, also when the close that we answer is taken back with its block: our answer
 * has left, and the chain may take it all the same.
 */
export async function stopForAnswer(
  book: Pick<ChannelBook, 'ledger' | 'putLedger'>,
  channels: readonly ChannelId[],
): Promise<void> {
  await Promise.all(
    channels.map(async ({ sender, openBlock }) => {
      const ledger = book.ledger(sender, openBlock)
      if (ledger.collecting === true) return
      await book.putLedger({ sender, openBlock }, { ...ledger, collecting: true })
    }),
  )
}

/**
 * The channel, if it is there and there is something to end it with.
 * @throws UraidenError `channel_unknown`, `never_paid` with what to do instead
 */
export function paidChannel(channel: Channel | undefined, instead: string): Channel {
  if (channel === undefined || channel.state === 'settled') {
    throw receiverError({
      code: 'channel_unknown',
      message: 'There is no such channel.',
    })
  }
  if (channel.proof !== undefined) return channel
  throw receiverError({
    code: 'never_paid',
    message: 'No payment was ever registered on this channel.',
    hint: instead,
  })
}

/**
 * The channel, if it can be closed at this balance.
 * @throws UraidenError `channel_unknown`, `channel_closing`, `never_paid`, `not_latest_balance`
 */
export function closeable(given: Channel | undefined, balance: TokenAmount): Channel {
  if (given?.state === 'closing') {
    throw receiverError({
      code: 'channel_closing',
      message: 'A close of this channel was requested on the chain already.',
    })
  }
  const withoutUs = 'Close it without the receiver: uncooperativeClose with balance 0.'
  const channel = paidChannel(given, withoutUs)
  if (balance === channel.claims.highest) return channel
  throw receiverError({
    code: 'not_latest_balance',
    message: `The latest balance of this channel is ${channel.claims.highest}, not ${balance}.`,
  })
}
