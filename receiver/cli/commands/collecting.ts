// Withdrawals and closes from the command line: by the receiver that runs here, or without it.
import type { Output } from '../../../platform/cli/output.ts'
import { formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import { type Receiver, startReceiver } from '../../core/receiver.ts'
import { amountOptions, type ReceiverConfig, receiverOptions } from '../../program/config.ts'
import { readToken } from '../../program/run.ts'
import { type CollectionView, collection } from '../../server/admin/collecting.ts'
import { controlSocket } from '../../server/admin/place.ts'
import { askReceiver } from './control.ts'
import type { GlobalOptions } from './options.ts'
import { openSigner, stateFolder } from './session.ts'

export interface CollectCommandOptions extends GlobalOptions {
  readonly dryRun?: boolean
}

/** One of the two: as the running receiver knows it, and as a function. */
export interface CollectCommand {
  readonly path: '/admin/withdraw' | '/admin/close-all'
  readonly run: 'withdrawAll' | 'closeAll'
}

export interface Collection {
  readonly report: CollectionView
  readonly token: TokenUnit
}

/** @throws UraidenError those of `startReceiver`, of the transaction sender, and `receiver_unreachable` */
export async function collectWith(
  config: ReceiverConfig,
  output: Output,
  { path, run }: CollectCommand,
  dryRun: boolean,
): Promise<Collection> {
  const token = await readToken(receiverOptions(config))
  const socket = controlSocket(config.admin, stateFolder(config))
  const answer =
    socket &&
    (await output.during('waiting for the receiver', () =>
      askReceiver(socket, path, { dry_run: dryRun }),
    ))
  if (answer !== undefined) return { report: JSON.parse(answer), token }
  return withReceiver(config, token, output, async (receiver) => {
    const report = await receiver.settlement[run]({ dryRun })
    return { report: collection(report, dryRun), token }
  })
}

/** Without a server, for as long as `work` lasts. It answers dishonest closes, and withdraws nothing unasked. */
async function withReceiver<Value>(
  config: ReceiverConfig,
  token: TokenUnit,
  output: Output,
  work: (receiver: Receiver) => Promise<Value>,
): Promise<Value> {
  const { settlement, ...amounts } = amountOptions(config, token)
  const warn = (_: object, message: string) => output.say(message)
  const receiver = await startReceiver({
    ...receiverOptions(config),
    ...amounts,
    settlement: { ...settlement, withdraw: undefined },
    signer: await openSigner(config, output.say),
    state: stateFolder(config),
    log: { info: () => undefined, warn },
  })
  try {
    await output.during('reading the chain', () => receiver.synced)
    return await output.during('waiting for the chain', () => work(receiver))
  } finally {
    await receiver.stop()
  }
}

const reasons: Readonly<Record<string, string>> = {
  nothing_due: 'Nothing is owed.',
  too_little: 'Too little is owed.',
  gas_price: 'Gas costs more than mostGasPrice allows: raise it with --most-gas-price, or wait.',
  fee_share: 'The rest is not worth its fee.',
}

/** `verb` as in “withdraw 5 TKN”. */
export function collectionText(verb: string, { report, token }: Collection): string {
  const amount = (text: string) => formatAmount(BigInt(text), token)
  const ether = (wei: string) => formatAmount(BigInt(wei), { symbol: 'ETH', decimals: 18 })
  const { planned, planned_sum, expected_fee_wei, transactions, sum, left, reason } = report
  const lines = planned.map(
    ({ sender_address, open_block, amount: due }) =>
      `  ${sender_address}/${open_block}  ${amount(due)}`,
  )
  const done = transactions.map(
    ({ transaction_hash, gas_used }) => `  ${transaction_hash}  ${gas_used} gas`,
  )
  return [
    ...(planned.length === 0
      ? []
      : [
          `${verb} ${amount(planned_sum)} from ${planned.length} channels, for about ${ether(expected_fee_wei)}:`,
          ...lines,
        ]),
    ...(done.length === 0 ? [] : [`got ${amount(sum)}:`, ...done]),
    ...(reason === null ? [] : [reasons[reason] ?? reason]),
    ...(left.channels === 0 ? [] : [`left ${amount(left.sum)} in ${left.channels} channels`]),
    ...(report.dry_run && planned.length > 0 ? ['Nothing was sent.'] : []),
  ].join('\n')
}
