// What the administrator sees, as plain data for JSON. Amounts are decimal strings of the smallest unit.
import type { TokenAmount } from '../../../protocol/index.ts'
import {
  type Channel,
  type ChannelState,
  channelStates,
  dueOf,
  stateOf,
} from '../../channels/records.ts'
import type { Receiver } from '../../core/receiver.ts'
import { lastBlock } from '../../settlement/exposure.ts'
import type { BuyerNames } from './buyers.ts'

/** `challengePeriod` is undefined where no chain was asked. */
export function adminChannel(channel: Channel, challengePeriod: number | undefined) {
  const { sender, openBlock, claims, deposit, withdrawn, proof, end } = channel
  return {
    sender_address: sender,
    open_block: `${openBlock}`,
    state: stateOf(channel),
    deposit: `${deposit}`,
    balance: `${claims.highest}`,
    withdrawn: `${withdrawn}`,
    due: `${dueOf(channel, claims.highest)}`,
    credit: `${sumOf(claims.unclaimed, ({ from, to }) => to - from)}`,
    signature_form: proof?.form ?? null,
    closing_balance: end === undefined ? null : `${end.balance}`,
    closing_block: end?.block ?? null,
    settle_block:
      channel.state === 'closing' && challengePeriod !== undefined
        ? lastBlock(channel, challengePeriod)
        : null,
  }
}

export function adminStats(receiver: Receiver, buyers?: BuyerNames) {
  const { book, liquidBalance, token, verifier, health, settlement } = receiver
  const clock = receiver.blockClock()
  const channels = [...book.all()]
  const live = channels.filter(({ state }) => state !== 'settled')
  const { atRisk, lost, answers: closes } = settlement.status()
  const { age, answers, head, ether } = health.chain()
  const count = (state: ChannelState) =>
    channels.filter((channel) => stateOf(channel) === state).length
  return {
    channels: Object.fromEntries(channelStates.map((state) => [state, count(state)])),
    unique_senders: new Set(live.map(({ sender }) => sender)).size,
    deposit_sum: `${sumOf(channels, ({ state, deposit }) => (state === 'settled' ? 0n : deposit))}`,
    uncollected_sum: `${book.unsettled()}`,
    at_risk_sum: `${atRisk}`,
    lost_sum: `${lost}`,
    dishonest_closes: closes.map(({ sender, openBlock, stake, remaining, settleBlock, state }) => ({
      sender_address: sender,
      sender_name: buyers?.get(sender) ?? null,
      open_block: `${openBlock}`,
      stake: `${stake}`,
      remaining_blocks: remaining,
      settle_block: settleBlock,
      answer: state?.kind ?? 'due',
    })),
    liquid_balance: `${liquidBalance()}`,
    ether_balance: ether === undefined ? null : `${ether}`,
    token_symbol: token.symbol,
    token_decimals: token.decimals,
    verifier: verifier.verifier,
    verifier_threads: verifier.threads,
    chain_head: head ?? null,
    contract_head: clock?.head ?? null,
    seconds_per_block: clock?.secondsPerBlock ?? null,
    chain_synced: book.position()?.block ?? null,
    chain_age_seconds: Number.isFinite(age) ? Math.round(age / 1000) : null,
    node_answers: answers,
  }
}

function sumOf<Item>(items: readonly Item[], of: (item: Item) => TokenAmount): TokenAmount {
  return items.reduce((sum, item) => sum + of(item), 0n)
}
