// The administrator takes out what is owed: withdrawals, and closes from the receiver's side.

import type { FastifyInstance } from 'fastify'
import type { Receiver } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'
import type { Collected } from '../../settlement/collect.ts'
import type { CollectReport } from '../../settlement/collector.ts'
import { type ChannelPath, parsePath } from '../api/paths.ts'

/** Answers when the transactions are mined, or at once on a dry run. */
export function collectingRoutes(app: FastifyInstance, { settlement }: Receiver): void {
  app.post('/admin/withdraw', async ({ body }) => {
    const how = { dryRun: readDryRun(body) }
    return collection(await settlement.withdrawAll(how), how)
  })
  app.post('/admin/close-all', async ({ body }) => {
    const how = { dryRun: readDryRun(body) }
    return collection(await settlement.closeAll(how), how)
  })
  app.delete<{ Params: ChannelPath }>('/admin/channels/:sender/:openBlock', async ({ params }) => {
    const { sender, openBlock } = parsePath(params)
    return transaction(await settlement.closeChannel(sender, openBlock))
  })
}

/** @throws UraidenError `field_invalid`: a word that was meant to stop it must not start it */
function readDryRun(body: unknown): boolean {
  const { dry_run: dryRun = false, ...rest } = Object(body) as { readonly dry_run?: unknown }
  const [unknown] = Object.keys(rest)
  if (typeof dryRun === 'boolean' && unknown === undefined) return dryRun
  throw receiverError({
    code: 'field_invalid',
    message:
      unknown === undefined
        ? 'dry_run: it is neither true nor false.'
        : `${unknown}: there is no such field.`,
    hint: 'Send {"dry_run": true} or nothing.',
  })
}

export type CollectionView = ReturnType<typeof collection>

/** Amounts are decimal strings: of the token's smallest unit, or of wei where the name says so. */
export function collection(
  { plan, done, sum }: CollectReport,
  { dryRun }: { readonly dryRun: boolean },
) {
  const { batches, reason = null, fee, gasPrice, left } = plan
  return {
    dry_run: dryRun,
    planned: batches.flat().map(({ channel, due }) => ({
      sender_address: channel.sender,
      open_block: `${channel.openBlock}`,
      amount: `${due}`,
    })),
    planned_sum: `${plan.sum}`,
    expected_fee_wei: `${fee}`,
    gas_price_wei: `${gasPrice}`,
    reason,
    left: { channels: left.channels, sum: `${left.sum}` },
    transactions: done.map(transaction),
    sum: `${sum}`,
  }
}

function transaction(collected: Collected) {
  return {
    transaction_hash: collected.transaction,
    block: collected.block,
    gas_used: `${collected.gasUsed}`,
    channels: collected.channels.map(({ sender, openBlock, amount }) => ({
      sender_address: sender,
      open_block: `${openBlock}`,
      amount: `${amount}`,
    })),
  }
}
