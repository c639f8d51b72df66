// The command line's end of the control socket: the daemon's agent, used from another process.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { finished } from 'node:stream/promises'
import { reach } from '../../../platform/system/local-socket.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { amountOption } from '../../../platform/written/written.ts'
import type { Address, TokenAmount, TokenUnit, UraidenError } from '../../../protocol/index.ts'
import { defined } from '../../../protocol/index.ts'
import type { HourSum } from '../../channels/hours.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import type { ChannelName } from '../../channels/records.ts'
import type { Swept } from '../../channels/sweep.ts'
import { agentError } from '../../errors/index.ts'
import type { RunDone } from '../../jobs/types.ts'
import type { Agent, AgentStream, BudgetView, CloseOptions, RequestOptions } from '../../options.ts'
import type { PurchaseRecord } from '../../purchase/history.ts'
import type { Probe } from '../../purchase/probe.ts'
import type { ReadByDaemon } from '../configuration/known.ts'
import type { DaemonStatus } from './status.ts'
import {
  type CommandInput,
  type CommandName,
  decode,
  decodeError,
  decodeHeader,
  encode,
  encodeHeader,
  factsHeader,
  malformed,
  mostHeaderBytes,
  type PurchaseInput,
} from './wire.ts'

/** What a command answers. */
interface Results {
  readonly status: DaemonStatus
  readonly configuration: ReadByDaemon
  readonly facts: { readonly address: Address; readonly token: TokenUnit }
  readonly books: {
    readonly channels: readonly ChannelBalance[]
    readonly budget: BudgetView
    readonly history: readonly PurchaseRecord[]
    readonly unfinished: readonly string[]
  }
  readonly hours: readonly HourSum[]
  readonly open: ChannelName
  readonly topUp: null
  readonly close: `0x${string}`
  readonly settle: readonly ChannelName[]
  readonly recover: readonly ChannelName[]
  readonly sweep: Swept
  readonly pause: null
  readonly resume: null
  readonly runJob: RunDone
  readonly flush: null
  readonly reload: null
  readonly probe: Probe
}

export type RemoteAgent = Pick<
  Agent,
  | 'address'
  | 'stream'
  | 'channels'
  | 'budget'
  | 'history'
  | 'unfinished'
  | 'openChannel'
  | 'topUp'
  | 'closeChannel'
  | 'settle'
  | 'recoverChannels'
  | 'sweep'
  | 'probe'
> & {
  /** As `Agent.hours.since`. */
  readonly hoursSince: (start: Milliseconds) => Promise<readonly HourSum[]>
}

export interface DaemonConnection {
  /** @throws UraidenError the command's own, `daemon_gone`, `control_malformed` */
  readonly command: <Name extends CommandName>(
    name: Name,
    input: CommandInput<Name>,
  ) => Promise<Results[Name]>
  readonly agent: (
    needs?: Needs,
  ) => Promise<{ readonly agent: RemoteAgent; readonly token: TokenUnit }>
}

/** What buys asks for no books: they are long after a year. */
export type Needs = 'books' | 'purchases'

/**
 * Undefined when no daemon listens at `path`.
 * @throws UraidenError `daemon_of_another_user`
 */
export async function connectToDaemon(path: string): Promise<DaemonConnection | undefined> {
  const reached = await reach(path)
  if (reached === 'nobody') return undefined
  if (reached === 'forbidden') throw ofAnotherUser(path)
  const command: DaemonConnection['command'] = async (name, input) => {
    const response = await send(path, { path: `/${name}`, body: encode(input) })
    // The same version of this program has encoded it: it has the type of the command.
    return decode(await readText(response)) as Results[typeof name]
  }
  return {
    command,
    agent: (needs = 'books') => remoteAgent(path, command, needs),
  }
}

async function remoteAgent(
  path: string,
  command: DaemonConnection['command'],
  needs: Needs,
): ReturnType<DaemonConnection['agent']> {
  const { address, token } = await command('facts', {})
  let books = needs === 'books' ? await command('books', {}) : undefined
  const read = (): Results['books'] => {
    if (books === undefined) throw new Error('The books were not asked for.')
    return books
  }
  const changed = async <Value>(work: Promise<Value>): Promise<Value> => {
    const value = await work
    books = await command('books', {})
    return value
  }
  const agent: RemoteAgent = {
    address,
    stream: (url, options) => buy(path, url, inUnits(options, token)),
    channels: () => read().channels,
    budget: () => read().budget,
    history: () => read().history,
    unfinished: () => read().unfinished,
    openChannel: (receiver, deposit, api) =>
      changed(command('open', { receiver, deposit, ...at(api) })),
    topUp: async (channel, added, api) => {
      await changed(command('topUp', { channel, added, ...at(api) }))
    },
    closeChannel: (channel, how) => changed(command('close', { channel, ...closing(how) })),
    settle: () => changed(command('settle', {})),
    recoverChannels: (from) => changed(command('recover', defined({ from }))),
    sweep: (to) => command('sweep', { to }),
    probe: (url) => command('probe', { url: `${url}` }),
    hoursSince: (since) => command('hours', { since }),
  }
  return { agent, token }
}

function at(api: string | URL | undefined): { readonly api?: string } {
  return api === undefined ? {} : { api: `${api}` }
}

function closing(how: string | URL | CloseOptions): Omit<CommandInput<'close'>, 'channel'> {
  if (typeof how === 'string' || how instanceof URL) return { api: `${how}` }
  const { api, otherwise, balance } = how
  return {
    ...(api !== undefined && { api: `${api}` }),
    ...defined({ otherwise, balance }),
  }
}

/** As they go over the socket: amounts in the smallest unit. */
type WiredOptions = Omit<RequestOptions, 'mostPrice'> & { readonly mostPrice?: TokenAmount }

function inUnits({ mostPrice, ...options }: RequestOptions = {}, token: TokenUnit): WiredOptions {
  if (mostPrice === undefined) return options
  return { ...options, mostPrice: amountOption('mostPrice', mostPrice, token) }
}

async function buy(
  socketPath: string,
  url: string | URL,
  { body, signal, onPayment: _, content: __, ...wanted }: WiredOptions,
): Promise<AgentStream> {
  const purchase: PurchaseInput = { url: `${url}`, ...wanted }
  const headers = { [factsHeader]: encodeHeader(purchase) }
  const response = await send(socketPath, { path: '/buy', headers, body: body ?? '', signal })
  const facts = decodeHeader(String(response.headers[factsHeader] ?? ''))
  return { ...(facts as Omit<AgentStream, 'body'>), body: response }
}

interface ControlRequest {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  readonly signal?: AbortSignal | undefined
}

/** Resolves with an answer of status 200. */
async function send(socketPath: string, request: ControlRequest): Promise<IncomingMessage> {
  const { path, headers = {}, body, signal } = request
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({
      socketPath,
      path,
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      maxHeaderSize: mostHeaderBytes,
      ...(signal && { signal }),
    })
    sent.once('response', resolve)
    sent.once('error', (cause) => reject(signal?.aborted ? interrupted(cause) : gone(cause)))
    sent.end(body)
  })
  if (response.statusCode === 200) return response
  throw decodeError(await readText(response))
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  response.on('data', (chunk) => chunks.push(chunk))
  try {
    await finished(response)
  } catch (cause) {
    throw malformed('it broke off', cause)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function interrupted(cause: unknown): UraidenError {
  return agentError({
    code: 'aborted',
    message: 'The request was aborted.',
    hint: 'If a payment was on its way, it stays counted until the receiver says where the channel stands.',
    cause,
  })
}

function gone(cause: unknown): UraidenError {
  return agentError({
    code: 'daemon_gone',
    message: 'The daemon ended while it was asked.',
    cause,
  })
}

function ofAnotherUser(path: string): UraidenError {
  return agentError({
    code: 'daemon_of_another_user',
    message: `The daemon’s socket ${path} belongs to another user.`,
  })
}
