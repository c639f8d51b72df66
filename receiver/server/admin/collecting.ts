// The administrator takes out what is owed: withdrawals, and closes from the receiver's side.

import type { FastifyInstance } from 'fastify'
import { parseUint192, type UraidenError } from '../../../protocol/index.ts'
import type { Receiver } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'
import type { Collected } from '../../settlement/collect.ts'
import type { CollectReport } from '../../settlement/collector.ts'
import type { AskedOptions } from '../../settlement/settlement.ts'
import { type ChannelPath, parseChannel, parsePath } from '../api/paths.ts'
import { field } from '../api/relay.ts'

/** Answers when the transactions are mined, or at once on a dry run. */
export function collectingRoutes(app: FastifyInstance, { settlement }: Receiver): void {
  app.post('/admin/withdraw', async ({ body }) => {
    const how = readAsked(body, ofBoth)
    return collection(await settlement.withdrawAll(how), how)
  })
  app.post('/admin/close-all', async ({ body }) => {
    const how = readAsked(body, ofClosing)
    return collection(await settlement.closeAll(how), how)
  })
  app.delete<{ Params: ChannelPath }>('/admin/channels/:sender/:openBlock', async ({ params }) => {
    const { sender, openBlock } = parsePath(params)
    return transaction(await settlement.closeChannel(sender, openBlock))
  })
}

const ofBoth = ['dry_run', 'least_each', 'most_gas_price_wei'] as const
const ofClosing = [...ofBoth, 'nothing_due', 'channel'] as const

/**
 * What was meant to stop it must not start it: no field is passed over.
 * @throws UraidenError `field_invalid`, `field_missing`
 */
function readAsked(
  body: unknown,
  known: readonly (typeof ofClosing)[number][],
): AskedOptions & { readonly dryRun: boolean } {
  const given = Object(body) as { readonly [name: string]: unknown }
  const unknown = Object.keys(given).find((name) => !known.some((each) => each === name))
  if (unknown !== undefined) throw invalid(`${unknown}: there is no such field.`)
  const flag = (name: 'dry_run' | 'nothing_due') => {
    const { [name]: value = false } = given
    if (typeof value !== 'boolean') throw invalid(`${name}: it is neither true nor false.`)
    return value
  }
  const optional = <Value>(name: (typeof ofClosing)[number], parse: (text: string) => Value) =>
    name in given ? field(given, name, parse) : undefined
  return {
    dryRun: flag('dry_run'),
    nothingDue: flag('nothing_due'),
    leastEach: optional('least_each', parseUint192),
    mostGasPrice: optional('most_gas_price_wei', parseUint192),
    only: optional('channel', parseChannel),
  }
}

function invalid(message: string): UraidenError {
  const hint = `Send {"dry_run": true}, some of ${ofClosing.join(', ')}, or nothing.`
  return receiverError({ code: 'field_invalid', message, hint })
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
