// What can go wrong while a page pays: every code of this room, once.
import { type ErrorCatalogue, errorMaker, protocolErrors } from '../protocol/errors.ts'

export const browserErrors = {
  answer_lost: {
    kind: 'failed',
    hint: 'Somebody between may alter the traffic. What was signed is kept and pays once only: try again.',
  },
  binding_refused: {
    kind: 'failed',
    hint: 'Nothing was paid. A receiver that never offered bound requests is paid with bound: prefer.',
  },
  channel_closing: {
    kind: 'failed',
    hint: 'Settle it when the challenge period is over, then open another one.',
  },
  channel_gone: { kind: 'failed' },
  channel_missing: { kind: 'failed', hint: 'Open one, or look for it on the chain.' },
  cheated: { kind: 'failed', hint: 'Do not pay it again. Close the channel.' },
  close_refused: {
    kind: 'failed',
    hint: 'Close without it, then settle after the challenge period.',
  },
  closing_agreement_invalid: {
    kind: 'failed',
    hint: 'Nothing was sent to the chain. Close without the receiver.',
  },
  deposit_missing: { kind: 'failed', hint: 'Write how many tokens go into the channel.' },
  deposit_spent: { kind: 'failed', hint: 'Top the channel up.' },
  never_paid: { kind: 'failed' },
  chain_unsupported: {
    kind: 'chain',
    hint: 'Use a chain whose blocks carry the numbers that its contracts see.',
  },
  not_a_contract: {
    kind: 'failed',
    hint: 'Check that the wallet is on the chain that the receiver uses.',
  },
  not_connected: { kind: 'failed', hint: 'Choose a wallet first.' },
  not_delivered: {
    kind: 'failed',
    hint: 'It has cost nothing: the same payment is used for the next try.',
  },
  paid_elsewhere: { kind: 'failed', hint: 'The signature was thrown away. Pay again.' },
  permit_unsupported: {
    kind: 'failed',
    hint: 'Give the account some ether: then it sends its transactions itself.',
  },
  price_changed: {
    kind: 'failed',
    hint: 'Nothing was paid. Reload the page to see the new price.',
  },
  proof_refused: {
    kind: 'failed',
    hint: 'Wait until the last transaction is confirmed, then try again.',
  },
  receiver_key_untrusted: {
    kind: 'failed',
    hint: 'Nothing was paid. Somebody between may alter the traffic, or the receiver’s key is old.',
  },
  receiver_refused: { kind: 'failed' },
  receiver_unreachable: {
    kind: 'failed',
    hint: 'Check the network and try again. What was signed is kept and pays once only.',
  },
  relay_refused: {
    kind: 'failed',
    hint: 'Give the account some ether: then it sends its transactions itself.',
  },
  request_key_replaced: {
    kind: 'failed',
    hint: 'Try again to go on here: the wallet signs a newer key, and the other one stops.',
  },
  traffic_altered: { kind: 'failed', hint: 'Nothing was signed anew. Use another network.' },
  transaction_failed: {
    kind: 'failed',
    hint: 'Look at the channel again, then decide whether to repeat it.',
  },
  transaction_gone: {
    kind: 'failed',
    hint: 'The wallet has dropped or replaced it. Look for the channel on the chain.',
  },
  unproven: { kind: 'failed', hint: 'Do not pay it again. Close the channel without it.' },
  waiting_stopped: { kind: 'failed', hint: 'What was sent goes on all the same.' },
  wallet_busy: { kind: 'failed' },
  wallet_chain_unknown: { kind: 'failed' },
  wallet_disconnected: { kind: 'failed' },
  wallet_failed: { kind: 'failed' },
  wallet_locked: { kind: 'failed' },
  wallet_refused: { kind: 'failed' },
  wallet_signed_otherwise: {
    kind: 'failed',
    hint: 'Nothing was sent. Check the account in the wallet, or use another wallet.',
  },
  wallet_unsupported: { kind: 'failed', hint: 'Use another wallet.' },
  would_revert: { kind: 'failed' },
  would_revert_now: { kind: 'failed' },
  wrong_chain: { kind: 'failed', hint: 'Switch the network in the wallet.' },
} as const satisfies ErrorCatalogue

/** An error of this room or of those below it; a code that is in no catalogue does not compile. */
export const browserError = errorMaker({ ...protocolErrors, ...browserErrors })
