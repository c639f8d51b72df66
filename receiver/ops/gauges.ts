// Metrics that are read from the receiver when somebody asks for them.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ConnectionCounts } from '../../platform/http/connections.ts'
import { version } from '../../platform/system/version.ts'
import { formatNumber, type TokenAmount } from '../../protocol/index.ts'
import { stateOf } from '../channels/records.ts'
import type { Receiver } from '../core/receiver.ts'
import type { PusherStatus } from '../core/watchtower/pusher.ts'
import type { Sums } from './counters.ts'

/**
 * Amounts are shown in whole tokens: the nearest float to the exact sum, so 15 digits are right.
 * For book-keeping there is `/api/1/stats`, which is exact.
 */
export function registerGauges(registry: Registry, receiver: Receiver, sums: () => Sums): void {
  const tokens = (amount: TokenAmount) => Number(formatNumber(amount, receiver.token.decimals))
  const gauge = (name: string, help: string, read: () => number) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  const total = (name: string, help: string, read: () => number) => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  total('uraiden_paid_tokens_total', 'Prices of all paid requests.', () => tokens(sums().paid))
  total(
    'uraiden_credited_tokens_total',
    'What of it became credit again: the resource failed or cost less.',
    () => tokens(sums().credited),
  )
  total('uraiden_fees_ether_total', 'What transactions of its own have cost.', () =>
    Number(formatNumber(sums().fees, 18)),
  )
  gauge(
    'uraiden_uncollected_tokens',
    'Balances of all channels that are not settled: what a lost state would cost.',
    () => tokens(receiver.book.unsettled()),
  )
  gauge(
    'uraiden_at_risk_tokens',
    'Lost if nobody answers the closes that were requested below our proofs.',
    () => tokens(receiver.settlement.status().atRisk),
  )
  gauge('uraiden_lost_tokens', 'What settled channels paid less than there are proofs for.', () =>
    tokens(receiver.settlement.status().lost),
  )
  gauge(
    'uraiden_dishonest_closes',
    'Closes below our proofs that are not answered on the chain yet.',
    () => receiver.settlement.status().answers.length,
  )
  const letGo = () => receiver.settlement.status().answers.filter(({ plan }) => plan === 'let_go')
  gauge(
    'uraiden_closes_let_go',
    'Of them, those that are not answered because that costs more than it is worth.',
    () => letGo().length,
  )
  gauge('uraiden_let_go_tokens', 'What is lost with them.', () =>
    tokens(letGo().reduce((sum, { stake }) => sum + stake, 0n)),
  )
  gauge('uraiden_liquid_tokens', 'Tokens of the receiver outside channels.', () =>
    tokens(receiver.liquidBalance()),
  )
  registerChannels(registry, receiver, tokens)
  registerChain(gauge, receiver)
  registerWatchtowers(registry, receiver)
  registerFacts(registry, receiver)
  registerX402({ gauge, total }, receiver)
}

type Register = (name: string, help: string, read: () => number) => void

/** Where it is taken; in whole units of its asset. */
function registerX402(
  { gauge, total }: { readonly gauge: Register; readonly total: Register },
  { x402 }: Receiver,
): void {
  if (x402 === undefined) return
  const { asset, figures } = x402
  total(
    'uraiden_x402_settled_total',
    'Payments of x402 that were settled.',
    () => figures().settled,
  )
  total('uraiden_x402_income_total', 'What they brought, in whole units of their asset.', () =>
    Number(formatNumber(figures().income, asset.decimals)),
  )
  gauge(
    'uraiden_x402_settling',
    'Payments of x402 whose settlement is under way.',
    () => figures().waiting,
  )
}

export function registerConnections(registry: Registry, counts: () => ConnectionCounts): void {
  const gauge = (name: string, help: string, read: (counts: ConnectionCounts) => number) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(counts()))
      },
    })
  }
  const total = (name: string, help: string, part: 'refused' | 'cut') => {
    new Counter({
      name,
      help,
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [reason, count] of Object.entries(counts()[part])) this.inc({ reason }, count)
      },
    })
  }
  gauge('uraiden_connections', 'Connections that are open.', ({ open }) => open)
  gauge(
    'uraiden_connections_bytes',
    'What is held for clients that do not read, or have not sent all of a request.',
    ({ bytes }) => bytes,
  )
  total('uraiden_connections_refused_total', 'New connections that were not taken.', 'refused')
  total('uraiden_connections_cut_total', 'Connections that were there and were cut.', 'cut')
}

function registerWatchtowers(registry: Registry, { watchtowers }: Receiver): void {
  const gauge = (name: string, help: string, of: (status: PusherStatus) => number) => {
    new Gauge({
      name,
      help,
      labelNames: ['watchtower'],
      registers: [registry],
      collect() {
        for (const status of watchtowers()) this.set({ watchtower: status.watchtower }, of(status))
      },
    })
  }
  gauge(
    'uraiden_watchtower_behind_channels',
    'Channels whose best proof the watchtower has not confirmed.',
    ({ behind }) => behind,
  )
  gauge(
    'uraiden_watchtower_behind_seconds',
    'For how long the oldest of them waits.',
    ({ behindFor }) => behindFor / 1000,
  )
  gauge('uraiden_watchtower_up', '1 while it takes proofs.', ({ trouble }) =>
    trouble === undefined ? 1 : 0,
  )
}

function registerChannels(
  registry: Registry,
  { book }: Receiver,
  tokens: (amount: TokenAmount) => number,
): void {
  new Gauge({
    name: 'uraiden_deposit_tokens',
    help: 'Deposits of channels that are not settled.',
    registers: [registry],
    collect() {
      let sum = 0n
      for (const { state, deposit } of book.all()) if (state !== 'settled') sum += deposit
      this.set(tokens(sum))
    },
  })
  new Gauge({
    name: 'uraiden_channels',
    help: 'Channels by state.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = { open: 0, agreed: 0, closing: 0, settled: 0 }
      for (const channel of book.all()) counts[stateOf(channel)]++
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count)
    },
  })
}

/** What is at stake on contracts that channels are still open on. */
export function registerFormers(registry: Registry, formers: readonly Receiver[]): void {
  const gauge = (name: string, help: string, read: (receiver: Receiver) => TokenAmount) =>
    new Gauge({
      name,
      help,
      labelNames: ['contract'],
      registers: [registry],
      collect() {
        for (const receiver of formers) {
          const { contract, token } = receiver
          this.set({ contract }, Number(formatNumber(read(receiver), token.decimals)))
        }
      },
    })
  gauge(
    'uraiden_former_uncollected_tokens',
    'Balances of channels on a former contract that are not settled.',
    ({ book }) => book.unsettled(),
  )
  gauge(
    'uraiden_former_at_risk_tokens',
    'Lost there if nobody answers the closes that were requested below our proofs.',
    ({ settlement }) => settlement.status().atRisk,
  )
  gauge(
    'uraiden_former_lost_tokens',
    'What settled channels there paid less than there are proofs for.',
    ({ settlement }) => settlement.status().lost,
  )
}

function registerChain(
  gauge: (name: string, help: string, read: () => number) => void,
  { book, health, settlement }: Receiver,
): void {
  const synced = () => book.position()?.block ?? Number.NaN
  const head = () => health.chain().head ?? Number.NaN
  gauge('uraiden_chain_head_block', 'The newest block that the node told of.', head)
  gauge('uraiden_chain_synced_block', 'The chain was read and confirmed up to this block.', synced)
  gauge(
    'uraiden_chain_lag_blocks',
    'Blocks between the two; confirmations - 1 when all is well.',
    () => head() - synced(),
  )
  gauge(
    'uraiden_chain_age_seconds',
    'Since the chain was read up to its head.',
    () => health.chain().age / 1000,
  )
  gauge('uraiden_node_up', '1 while the Ethereum node answers and is not behind.', () =>
    health.chain().answers ? 1 : 0,
  )
  gauge('uraiden_ether', 'Ether of the receiver, to pay for transactions.', () => {
    const { ether } = health.chain()
    return ether === undefined ? Number.NaN : Number(formatNumber(ether, 18))
  })
  gauge('uraiden_reserve_ether', 'Ether that answers to dishonest closes may need now.', () => {
    const { needed } = settlement.status().reserve
    return needed === undefined ? Number.NaN : Number(formatNumber(needed, 18))
  })
}

function registerFacts(registry: Registry, receiver: Receiver): void {
  const { verifier, threads } = receiver.verifier
  const info = (name: string, help: string, labels: { readonly [name: string]: string }) =>
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1)
  info('uraiden_verifier_info', 'How signatures are checked.', { verifier, threads: `${threads}` })
  info('uraiden_build_info', 'The program.', { version, node: process.version })
  info('uraiden_receiver_info', 'Whose metrics these are.', {
    receiver: receiver.address,
    contract: receiver.contract,
    chain_id: `${receiver.chainId}`,
    token: receiver.token.symbol,
  })
}
