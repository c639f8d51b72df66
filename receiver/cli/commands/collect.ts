// uraiden-receiver withdraw, close-all and close: by the receiver that runs here, or without it.
import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import {
  defined,
  etherUnit,
  formatAmount,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { type ConnectedContract, connectContract, startReceiverOn } from '../../core/receiver.ts'
import { amountOptions, openSigner, type ReceiverSettings } from '../../program/settings.ts'
import { type CollectionView, collection } from '../../server/admin/collecting.ts'
import { parseChannel } from '../../server/api/paths.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface CollectOptions extends GlobalOptions {
  readonly dryRun?: boolean
  /** Of each channel, as typed. */
  readonly least?: string
  readonly minimumAmount?: string
  /** Also channels that owe nothing any more. */
  readonly every?: boolean
}

/** One of the two: as the running receiver knows it, as a function, and in “withdraw 5 TKN”. */
interface CollectCommand {
  readonly path: '/admin/withdraw' | '/admin/close-all'
  readonly run: 'withdrawAll' | 'closeAll'
  readonly verb: string
  /** The only one, as typed. */
  readonly channel?: string
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

/** Ends one channel, named `<sender>/<open block>`, at its best proof. */
export function closeOne(channel: string, options: CollectOptions): Promise<ExitCode> {
  const command = { path: '/admin/close-all', run: 'closeAll', verb: 'collect' } as const
  return collect({ ...options, every: true }, { ...command, channel })
}

/** @throws UraidenError those of `startReceiver`, of the transaction sender, and `receiver_unreachable` */
async function collect(options: CollectOptions, command: CollectCommand): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const settings = await openSettings(inGwei(options))
  const connected = await connectContract(settings.connection)
  try {
    const wanted = wantedOf(options, command, { settings, token: connected.token })
    const request: CollectRequest = { ...command, wanted, output }
    const report =
      (await askRunning(settings, request)) ?? (await collectHere(settings, connected, request))
    const { token } = connected
    output.print(output.json ? toJson(report) : collectionText(command.verb, { report, token }))
    return isAllDone(report) ? exitCode.ok : exitCode.refused
  } finally {
    connected.chain.close()
  }
}

/** `--gas-price` of these commands is in gwei, as it is of the original's. */
function inGwei(options: CollectOptions): CollectOptions {
  const { gasPrice } = options
  if (gasPrice === undefined || !/^[\d.]+$/.test(gasPrice)) return options
  return { ...options, gasPrice: `${gasPrice} gwei` }
}

/** What was typed goes to a running receiver, too, which has read its own configuration. */
function wantedOf(
  options: CollectOptions,
  { channel }: CollectCommand,
  { settings, token }: { readonly settings: ReceiverSettings; readonly token: TokenUnit },
): Wanted {
  const { dryRun = false, every, mostGasPrice, gasPrice } = options
  const least = options.least ?? options.minimumAmount
  const isCapped = (mostGasPrice ?? gasPrice) !== undefined
  return {
    dryRun,
    leastEach: least === undefined ? undefined : parseAmount(least, token),
    mostGasPrice: isCapped ? settings.amounts.mostGasPrice : undefined,
    nothingDue: every,
    only: channel === undefined ? undefined : parseChannel(channel),
  }
}

/** False when something is left for its price, or did not get through. */
function isAllDone({ dry_run, reason, sum, planned_sum }: CollectionView): boolean {
  return dry_run || (reason !== 'gas_price' && reason !== 'fee_share' && sum === planned_sum)
}

interface Wanted {
  readonly dryRun: boolean
  readonly leastEach: TokenAmount | undefined
  /** In wei. */
  readonly mostGasPrice: bigint | undefined
  readonly nothingDue: boolean | undefined
  readonly only: ReturnType<typeof parseChannel> | undefined
}

interface CollectRequest extends CollectCommand {
  readonly wanted: Wanted
  readonly output: Output
}

/** Undefined when no receiver runs here. */
async function askRunning(
  { socket }: ReceiverSettings,
  { path, wanted, output }: CollectRequest,
): Promise<CollectionView | undefined> {
  if (socket === undefined) return undefined
  const { dryRun, leastEach, mostGasPrice, nothingDue, only } = wanted
  const fields = defined({
    dry_run: dryRun,
    least_each: leastEach?.toString(),
    most_gas_price_wei: mostGasPrice?.toString(),
    nothing_due: nothingDue,
    channel: only && `${only.sender}/${only.openBlock}`,
  })
  const answer = await output.during('waiting for the receiver', () =>
    askReceiver(socket, path, fields),
  )
  return answer === undefined ? undefined : JSON.parse(answer)
}

/** With a receiver of its own, without a server. It answers dishonest closes, and withdraws nothing unasked. */
async function collectHere(
  settings: ReceiverSettings,
  connected: ConnectedContract,
  { run, wanted, output }: CollectRequest,
): Promise<CollectionView> {
  const { settlement, ...amounts } = amountOptions(settings.amounts, connected.token)
  const warn = (_: object, message: string) => output.say(message)
  const receiver = await startReceiverOn(connected, {
    ...settings.receiver,
    ...amounts,
    contract: settings.connection.contract,
    settlement: { ...settlement, withdraw: undefined },
    signer: await openSigner(settings.key),
    ...{ state: settings.state, database: settings.shared },
    log: { info: () => undefined, warn },
  })
  try {
    await output.during('reading the chain', () => receiver.synced)
    const report = await output.during('waiting for the chain', () =>
      receiver.settlement[run](wanted),
    )
    return collection(report, wanted)
  } finally {
    await receiver.stop()
  }
}

const reasons: Readonly<Record<string, string>> = {
  nothing_due: 'Nothing is owed.',
  too_little: 'Too little is owed, by each or in all.',
  gas_price: 'Gas costs more than mostGasPrice allows: raise it with --most-gas-price, or wait.',
  fee_share: 'The rest is not worth its fee.',
}

function collectionText(verb: string, { report, token }: Collection): string {
  const amount = (text: string) => formatAmount(BigInt(text), token)
  const ether = (wei: string) => formatAmount(BigInt(wei), etherUnit)
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
