// Receivers on former contracts behind the same address: a request goes to the one whose contract, or whose
// channel, it names, and to the newest when it names none.
import type { Socket } from 'node:net'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import type { ConnectionGuard } from '../../platform/http/connections.ts'
import {
  type Address,
  type ContractBlock,
  fromOriginal,
  type HeaderSource,
  headerName,
  isUraidenError,
  parseAddress,
  parseBlockNumber,
} from '../../protocol/index.ts'
import { gatewayPath, type Receiver } from '../core/receiver.ts'
import { type RequestView, type ServerRequest, viewOf } from '../paywall/dialect.ts'

/** Sells the same on a former contract; it listens nowhere itself. */
export interface FormerServer {
  readonly receiver: Receiver
  readonly server: FastifyInstance
  /** Told of the connections that its requests come over; once, before the first one. */
  readonly behind: (connections: Pick<ConnectionGuard, 'paid'>) => void
}

export function receiversOf(formers: readonly FormerServer[]): readonly Receiver[] {
  return formers.map(({ receiver }) => receiver)
}

/** What a former server is told of those who pay, once it is behind another one. */
export function createPaidListener() {
  let guard: Pick<ConnectionGuard, 'paid'> | undefined
  return {
    onPaid: (socket: Socket) => guard?.paid(socket),
    behind: (connections: Pick<ConnectionGuard, 'paid'>) => {
      guard = connections
    },
  }
}

/** The first of all hooks: what it hands over nobody else here sees. */
export function handOver(
  newest: Receiver,
  formers: readonly FormerServer[],
): onRequestAsyncHookHandler {
  return async ({ raw }, reply) => {
    const former = formerOf(raw, newest, formers)
    if (former === undefined) return
    reply.hijack()
    former.server.routing(raw, reply.raw)
    return reply
  }
}

/** Undefined: the newest is meant, or none that is here. */
export function formerOf(
  request: ServerRequest,
  newest: Receiver,
  formers: readonly FormerServer[],
): FormerServer | undefined {
  const view = viewOf(request)
  const contract = namedContract(view)
  if (contract !== undefined) {
    return formers.find(({ receiver }) => receiver.contract === contract)
  }
  const channel = namedChannel(view)
  if (channel === undefined || has(newest, channel)) return undefined
  return formers.find(({ receiver }) => has(receiver, channel))
}

interface NamedChannel {
  readonly sender: Address
  readonly openBlock: ContractBlock
}

function has({ book }: Receiver, { sender, openBlock }: NamedChannel): boolean {
  return book.get(sender, openBlock) !== undefined
}

/** By its header or cookie, or, of the channel API, in its query. */
function namedContract({ url, header, cookie }: RequestView): Address | undefined {
  const named = header(headerName.contract) ?? cookie(headerName.contract) ?? queried(url)
  return named === undefined ? undefined : read(() => fromOriginal(parseAddress)(named))
}

function queried(url: string): string | undefined {
  const [path = '', query] = url.split('?', 2)
  if (query === undefined || !plain(path).startsWith(`${gatewayPath}/`)) return undefined
  return new URLSearchParams(query).get('contract') ?? undefined
}

/** By a payment's headers or cookies, or by a path of the channel API. */
function namedChannel({ url, header, cookie }: RequestView): NamedChannel | undefined {
  const [path = ''] = url.split('?', 1)
  const [, sender, openBlock] = ofChannel.exec(plain(path)) ?? []
  if (sender !== undefined && openBlock !== undefined) return channelOf(sender, openBlock)
  const source: HeaderSource = (name) => header(name) ?? cookie(name)
  const [paying, opened] = [source(headerName.sender), source(headerName.openBlock)]
  return paying === undefined || opened === undefined ? undefined : channelOf(paying, opened)
}

const ofChannel = new RegExp(`^${gatewayPath}/(?:admin/)?channels/([^/]+)/([^/]+)`)

/** As the server reads it: the original asks for doubled slashes. */
function plain(path: string): string {
  return path.replace(/\/{2,}/g, '/')
}

function channelOf(sender: string, openBlock: string): NamedChannel | undefined {
  return read(() => ({
    sender: fromOriginal(parseAddress)(sender),
    openBlock: parseBlockNumber(openBlock),
  }))
}

/** What cannot be read is refused where it belongs. */
function read<Value>(parse: () => Value): Value | undefined {
  try {
    return parse()
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}
