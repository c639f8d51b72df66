// The local paying proxy: any program on this machine pays by setting an HTTP proxy.

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { listenOnSocket, type SocketAccess } from '../../platform/system/local-socket.ts'
import type { Exchange } from '../../platform/web/request.ts'
import { isUraidenError, type TokenUnit, type UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { Agent } from '../options.ts'
import { fieldsOf, passedHere } from './fields.ts'
import { refuse, refuseSocket } from './io.ts'
import { type Loopback, listenOn } from './listen.ts'
import { type NearEnd, passOn, tunnel } from './pass.ts'
import { payAndAnswer } from './pay.ts'
import { createPrograms, type Program, type Programs, type WithoutToken } from './programs.ts'
import { absoluteTarget, authorityTarget } from './target.ts'

/** Who is paid: nobody else is. */
export interface ReceiverPlaces {
  /**
   * The URL to buy at when `url` means a receiver, by its place or by its configured name as the host
   * (`http://living-room/…`); undefined for anybody else.
   * @throws UraidenError `receiver_not_found` for a name that nobody answers to now
   */
  readonly find: (url: URL) => Promise<URL | undefined>
}

export interface ProxyOptions {
  readonly stream: Agent['stream']
  readonly token: TokenUnit
  readonly receivers: ReceiverPlaces
  /** Undefined: no port. */
  readonly listen?: Loopback
  /** Undefined: no Unix socket. */
  readonly socket?: { readonly path: string; readonly access: SocketAccess }
  readonly programs: readonly Program[]
  readonly withoutToken: WithoutToken
  /** Requests to anybody who is no receiver. */
  readonly others: 'pass' | 'refuse'
  /** CONNECT to anybody who is no receiver. */
  readonly connect: 'tunnel' | 'refuse'
  /** `Set-Cookie` of receivers on plain HTTP: nobody has signed it. */
  readonly cookies: 'drop' | 'pass'
  /** For a whole paid answer, or the longest silence of another one, in milliseconds. */
  readonly timeout: number
  /** Most bytes of the content of a request that is paid. */
  readonly mostBody: number
  /** Most requests at a time. */
  readonly mostAtOnce: number
  /** What is nobody's fault but ours. */
  readonly onDefect: (error: unknown) => void
}

export interface LocalProxy {
  /** Undefined without a port. */
  readonly port: number | undefined
  /** True when these options listen at the same places. */
  readonly isAt: (options: ProxyOptions) => boolean
  /** From the next request on. */
  readonly change: (options: ProxyOptions) => void
  /** Takes nothing new, and resolves when the requests under way are over, or cut off after `grace` ms. */
  readonly close: (grace: number) => Promise<void>
}

/** @throws UraidenError `proxy_address_in_use`, `socket_in_use`, `socket_unusable` */
export async function startProxy(options: ProxyOptions): Promise<LocalProxy> {
  const handler = new ProxyHandler(options)
  const servers: Server[] = []
  const close = async (grace: number): Promise<void> => {
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections()
      handler.cutTunnels()
    }, grace)
    await Promise.all(servers.map(closed))
    clearTimeout(cut)
  }
  try {
    if (options.listen !== undefined) {
      const server = serverFor(handler)
      await listenOn(server, options.listen)
      servers.push(server)
      handler.ownPort = (server.address() as AddressInfo).port
    }
    if (options.socket !== undefined) {
      const server = serverFor(handler)
      await listenOnSocket(server, options.socket.path, options.socket.access)
      servers.push(server)
    }
  } catch (error) {
    await close(0)
    throw error
  }
  return {
    port: handler.ownPort,
    isAt: (other) => placesOf(other) === placesOf(options),
    change: (changed) => handler.change(changed),
    close,
  }
}

function placesOf({ listen, socket }: ProxyOptions): string {
  return JSON.stringify([listen, socket])
}

function serverFor(handler: ProxyHandler): Server {
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: 16_384,
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 5_000,
  })
  server.on('request', (request, response) => void handler.request({ request, response }))
  server.on('connect', (request, socket, head) => {
    void handler.connect(request, { socket, head }, server)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET') return void socket.destroy()
    refuseSocket(socket, notHttp(error), 'Bad Request')
  })
  return server
}

interface Inside {
  /** Host and port, as a URL has them. */
  readonly authority: string
  readonly credentials: string | undefined
}

/**
 * Some programs open a tunnel for `http://`, too (undici). Requests inside are paid as all others: what comes
 * through it is HTTP to this server.
 */
function speakInside({ socket, head }: NearEnd, server: Server): void {
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
  if (head.length > 0) socket.unshift(head)
  server.emit('connection', socket)
}

class ProxyHandler {
  #options: ProxyOptions
  #programs: Programs
  readonly #tunnels = new Set<Duplex>()
  /** Connections on which CONNECT was answered here, and what came with it. */
  readonly #inside = new WeakMap<Duplex, Inside>()
  #underWay = 0
  /** To see a request to itself. */
  ownPort: number | undefined

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#programs = createPrograms(options.programs, options.withoutToken)
  }

  change(options: ProxyOptions): void {
    this.#options = options
    this.#programs = createPrograms(options.programs, options.withoutToken)
  }

  async request(exchange: Exchange): Promise<void> {
    this.#underWay++
    try {
      await this.#handle(exchange)
    } catch (error) {
      // A program that hangs up is no defect.
      if (!isUraidenError(error) && !exchange.response.destroyed) this.#options.onDefect(error)
      refuse(exchange, error)
    } finally {
      this.#underWay--
    }
  }

  async connect(request: IncomingMessage, near: NearEnd, server: Server): Promise<void> {
    const { socket } = near
    this.#tunnels.add(socket)
    socket.once('close', () => this.#tunnels.delete(socket))
    // Nobody else listens to it after CONNECT.
    socket.on('error', () => socket.destroy())
    try {
      const credentials = request.headers['proxy-authorization']
      this.#programs.identify(credentials)
      const authority = authorityTarget(request.url ?? '')
      const url = new URL(`http://${request.url}`)
      const { receivers } = this.#options
      if ((await receivers.find(url)) !== undefined) {
        this.#inside.set(socket, { authority: url.host, credentials })
        return speakInside(near, server)
      }
      const secure = await receivers.find(new URL(`https://${request.url}`))
      if (secure !== undefined) throw tunnelCannotPay()
      if (this.#options.connect === 'refuse') throw tunnelRefused(authority.host)
      this.#checkLoop(url)
      await tunnel(authority, near, this.#options.timeout)
    } catch (error) {
      if (!isUraidenError(error)) this.#options.onDefect(error)
      refuseSocket(socket, error, 'Refused')
    }
  }

  cutTunnels(): void {
    for (const socket of this.#tunnels) socket.destroy()
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const { others, timeout, mostAtOnce, receivers } = this.#options
    const { url: target = '', headers } = request
    const inside = this.#inside.get(request.socket)
    const isPath = inside !== undefined && target.startsWith('/')
    const url = absoluteTarget(isPath ? `http://${inside.authority}${target}` : target)
    const credentials = headers['proxy-authorization'] ?? inside?.credentials
    const program = this.#programs.identify(credentials)
    // RFC 9110 section 9.3.8: it would show a program the payment headers.
    if (request.method === 'TRACE') throw methodNotAllowed()
    if (passedHere(fieldsOf(request.rawHeaders))) throw loop()
    if (this.#underWay > mostAtOnce) throw busy(mostAtOnce)
    const paidUrl = await receivers.find(url)
    if (paidUrl !== undefined) {
      return payAndAnswer(this.#options, { url: paidUrl, asked: url, program }, exchange)
    }
    if (others === 'refuse') throw othersRefused(url)
    this.#checkLoop(url)
    await passOn(url, exchange, timeout)
  }

  #checkLoop({ hostname, port }: URL): void {
    const local = /^(localhost|127\..*|\[::1\])$/.test(hostname)
    if (local && Number(port) === this.ownPort) throw loop()
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}

function notHttp(error: NodeJS.ErrnoException): UraidenError {
  return agentError({
    code: 'bad_request',
    message: `This is not HTTP that can be read safely (${error.code}).`,
  })
}

function othersRefused({ host }: URL): UraidenError {
  return agentError({
    code: 'others_refused',
    message: `${host} is no receiver that this proxy pays.`,
  })
}

function tunnelRefused(host: string): UraidenError {
  return agentError({
    code: 'tunnel_refused',
    message: `This proxy opens no tunnel to ${host}.`,
  })
}

function tunnelCannotPay(): UraidenError {
  return agentError({
    code: 'tunnel_cannot_pay',
    message: 'Nobody can pay inside an encrypted tunnel.',
  })
}

function methodNotAllowed(): UraidenError {
  return agentError({
    code: 'method_not_allowed',
    message: 'TRACE is not answered here.',
  })
}

function loop(): UraidenError {
  return agentError({
    code: 'proxy_loop',
    message: 'This request comes back to the proxy that sent it.',
  })
}

function busy(most: number): UraidenError {
  return agentError({
    code: 'proxy_busy',
    message: `There are ${most} requests under way already.`,
  })
}
