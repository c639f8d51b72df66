// uraiden-receiver withdraw and close-all: by the receiver that runs here, or without it.
import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import { formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import { type ConnectedContract, connectContract, startReceiverOn } from '../../core/receiver.ts'
import { amountOptions, openSigner, type ReceiverSettings } from '../../program/settings.ts'
import { type CollectionView, collection } from '../../server/admin/collecting.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface CollectOptions extends GlobalOptions {
  readonly dryRun?: boolean
}

/** One of the two: as the running receiver knows it, as a function, and in “withdraw 5 TKN”. */
interface CollectCommand {
  readonly path: '/admin/withdraw' | '/admin/close-all'
  readonly run: 'withdrawAll' | 'closeAll'
  readonly verb: string
}

interface Collection {
  readonly report: CollectionView
  readonly token: TokenUnit
}

/** Takes out what open channels owe; they stay open. */
export function withdraw(options: CollectOptions): Promise<ExitCode> {
  return collect(options, { path: '/admin/withdraw', run: 'withdrawAll', verb: 'withdraw' })
}

/** Ends all channels that owe something, each at its best proof. */
export function closeAll(options: CollectOptions): Promise<ExitCode> {
  return collect(options, { path: '/admin/close-all', run: 'closeAll', verb: 'collect' })
}

/** @throws UraidenError those of `startReceiver`, of the transaction sender, and `receiver_unreachable` */
async function collect(options: CollectOptions, command: CollectCommand): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const settings = await openSettings(options)
  const request: CollectRequest = { ...command, dryRun: options.dryRun ?? false, output }
  const connected = await connectContract(settings.connection)
  try {
    const report =
      (await askRunning(settings, request)) ?? (await collectHere(settings, connected, request))
    const { token } = connected
    output.print(output.json ? toJson(report) : collectionText(command.verb, { report, token }))
    return exitCode.ok
  } finally {
    connected.chain.close()
  }
}

interface CollectRequest extends CollectCommand {
  readonly dryRun: boolean
  readonly output: Output
}

/** Undefined when no receiver runs here. */
async function askRunning(
  { socket }: ReceiverSettings,
  { path, dryRun, output }: CollectRequest,
): Promise<CollectionView | undefined> {
  if (socket === undefined) return undefined
  const answer = await output.during('waiting for the receiver', () =>
    askReceiver(socket, path, { dry_run: dryRun }),
  )
  return answer === undefined ? undefined : JSON.parse(answer)
}

/** With a receiver of its own, without a server. It answers dishonest closes, and withdraws nothing unasked. */
async function collectHere(
  settings: ReceiverSettings,
  connected: ConnectedContract,
  { run, dryRun, output }: CollectRequest,
): Promise<CollectionView> {
  const { settlement, ...amounts } = amountOptions(settings.amounts, connected.token)
  const warn = (_: object, message: string) => output.say(message)
  const receiver = await startReceiverOn(connected, {
    ...settings.receiver,
    ...amounts,
    contract: settings.connection.contract,
    settlement: { ...settlement, withdraw: undefined },
    signer: await openSigner(settings.key, output.say),
    state: settings.state,
    log: { info: () => undefined, warn },
  })
  try {
    await output.during('reading the chain', () => receiver.synced)
    const report = await output.during('waiting for the chain', () =>
      receiver.settlement[run]({ dryRun }),
    )
    return collection(report, { dryRun })
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

function collectionText(verb: string, { report, token }: Collection): string {
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
