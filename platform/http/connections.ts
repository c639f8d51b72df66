// Limits on what clients take of a server of node:http by their connections: how many there are, and how
// much memory they hold. What node has is used (header and request times, inactivity); this adds what it
// has not: a share for each address, one answer at a time on a connection, a bound on what waits to be
// read, and when all is full or busy, room and time for whoever pays.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { defined, headerName } from '../../protocol/index.ts'
import { addressGroup, createKnown } from './address-group.ts'

export interface ConnectionLimits {
  /** At a time. */
  readonly most: number
  /** Of one IPv4 address or IPv6 network of 64 bits at a time; not of this machine's own. */
  readonly perAddress: number
  /** Addresses of proxies, which come with the connections of many. */
  readonly proxies: readonly string[]
  /** Milliseconds in which a client that does not read takes nothing of its answer. */
  readonly stall: number
  /** Requests on one connection that wait for their turn. */
  readonly pipelined: number
  /** Bytes of all connections together that clients have not read, or of requests that are not whole. */
  readonly mostBytes: number
}

export const defaultConnectionLimits: ConnectionLimits = {
  most: 512,
  perAddress: 64,
  proxies: [],
  stall: 30_000,
  pipelined: 8,
  mostBytes: 64 << 20,
}

/** Why a new connection is not taken. */
export type RefusedFor = 'all are in use' | 'its address has its share'

/** Why one that was there is cut. */
export type CutFor =
  | 'it did not read'
  | 'it sent too many requests at once'
  | 'too much waits to be read'
  | 'another one needed its place'

export interface ConnectionCounts {
  readonly open: number
  /** What is held for clients now, in bytes. */
  readonly bytes: number
  readonly refused: { readonly [Reason in RefusedFor]: number }
  readonly cut: { readonly [Reason in CutFor]: number }
}

export interface ConnectionGuard {
  readonly counts: () => ConnectionCounts
  /** The request under way on this connection pays: nobody else gets its place. */
  readonly paid: (socket: Socket) => void
}

interface Turn {
  readonly response: ServerResponse
  readonly begin: () => void
}

interface Connection {
  /** What requests come over: the socket itself, or TLS on it. */
  stream: Socket
  readonly group: string | undefined
  /** When it was opened, or its last request began. */
  since: number
  /** Until then it keeps its place. */
  paidUntil: number
  current: Current | undefined
  readonly waiting: Turn[]
}

interface Current {
  readonly request: IncomingMessage
  readonly readBefore: number
}

/** An answer that nobody has paid for is being made; in bytes, how far it had come at the last look. */
interface Work {
  written: number
}

interface Guard {
  readonly limits: ConnectionLimits
  readonly isKnown: (address: string | undefined) => boolean
  /** By the client's address and port. */
  readonly connections: Map<string, Connection>
  readonly byStream: WeakMap<Socket, Connection>
  readonly refused: Record<RefusedFor, number>
  readonly cut: Record<CutFor, number>
  timer: NodeJS.Timeout | undefined
  looked: number
  readonly isBusy: () => boolean
  /** Answers that are made at a time for those who have not paid. */
  mostUnpaid: number
  readonly atWork: Map<Connection, Work>
  /** Who waits until fewer answers that nobody has paid for are being made. */
  readonly held: { readonly paying: Held; readonly others: Held }
}

/** In the order in which they came; what begins each. Paying is who says so. */
type Held = Map<Connection, () => void>

/** Milliseconds for which a connection keeps its place after a payment. */
const paidLasts = 60_000
/** Milliseconds between two looks at what is held. */
const lookEvery = 100
/** A process at work for more of its time than this has none to give away. */
const busyFrom = 0.9
/** Answers that are made at a time for those who have not paid, however busy the process is. */
const leastUnpaid = 2
/** Requests at work, however busy the process is, below which one begins that says it pays. */
const mostPaying = 64
const balanceSignature = headerName.signature.toLowerCase()
/** Bytes that a connection may send before its answers are read. */
const mostAhead = 128 << 10
/** Bytes of a request's content that somebody may hold before it is whole. */
const mostContent = 1 << 20

/**
 * To be called when the server has its request listener, and before it listens. While `isBusy`, which is
 * asked ten times a second, few answers are made at a time for those who have not paid.
 * @example
 * const server = createServer(app)
 * limitConnections(server, { most: 200 })
 * server.listen(5000)
 */
export function limitConnections(
  server: Server,
  limits: Partial<ConnectionLimits> = {},
  isBusy = measureBusy(),
): ConnectionGuard {
  const all = { ...defaultConnectionLimits, ...defined(limits) }
  const guard: Guard = {
    limits: all,
    isKnown: createKnown(all.proxies),
    connections: new Map(),
    byStream: new WeakMap(),
    refused: { 'all are in use': 0, 'its address has its share': 0 },
    cut: {
      'it did not read': 0,
      'it sent too many requests at once': 0,
      'too much waits to be read': 0,
      'another one needed its place': 0,
    },
    timer: undefined,
    looked: 0,
    isBusy,
    mostUnpaid: all.most,
    atWork: new Map(),
    held: { paying: new Map(), others: new Map() },
  }
  server.on('connection', (socket: Socket) => open(guard, socket))
  server.on('secureConnection', (stream: Socket) => {
    const connection = guard.connections.get(peerOf(stream))
    if (connection === undefined) return
    connection.stream = stream
    guard.byStream.set(stream, connection)
  })
  takeRequests(guard, server)
  server.setTimeout(all.stall)
  server.on('timeout', (stream: Socket) => silent(guard, stream))
  return {
    counts: () => ({
      refused: { ...guard.refused },
      cut: { ...guard.cut },
      open: guard.connections.size,
      bytes: bytesOf([...guard.connections.values()]),
    }),
    paid: (socket) => {
      const connection = guard.byStream.get(socket)
      if (connection !== undefined) connection.paidUntil = Number.POSITIVE_INFINITY
    },
  }
}

function open(guard: Guard, socket: Socket): void {
  const { limits, connections } = guard
  const { remoteAddress } = socket
  const group = guard.isKnown(remoteAddress) ? undefined : addressGroup(remoteAddress)
  const all = [...connections.values()]
  const own = group === undefined ? [] : all.filter((each) => each.group === group)
  const reason =
    own.length >= limits.perAddress && !makeRoom(guard, own)
      ? 'its address has its share'
      : connections.size >= limits.most && !makeRoom(guard, all)
        ? 'all are in use'
        : undefined
  if (reason !== undefined) {
    guard.refused[reason]++
    socket.destroy()
    return
  }
  const connection: Connection = {
    ...{ stream: socket, group, since: performance.now(), paidUntil: 0 },
    ...{ current: undefined, waiting: [] },
  }
  const peer = peerOf(socket)
  connections.set(peer, connection)
  guard.byStream.set(socket, connection)
  guard.timer ??= setInterval(() => tick(guard), lookEvery).unref()
  socket.once('close', () => {
    if (connections.get(peer) === connection) connections.delete(peer)
    if (connections.size > 0) return
    clearInterval(guard.timer)
    guard.timer = undefined
  })
}

function cut({ cut, connections }: Guard, { stream }: Connection, reason: CutFor): void {
  cut[reason]++
  connections.delete(peerOf(stream))
  stream.destroy()
}

let unnamed = 0
const names = new WeakMap<Socket, string>()

/** Of a Unix socket, a name of our own. */
function peerOf(socket: Socket): string {
  const known = names.get(socket)
  if (known !== undefined) return known
  const { remoteAddress, remotePort } = socket
  const name = remoteAddress === undefined ? `${++unnamed}` : `${remoteAddress} ${remotePort}`
  names.set(socket, name)
  return name
}

/**
 * Takes the place of whoever keeps us waiting for longest and has not paid; else of who came last of those
 * who are held and do not say that they pay.
 */
function makeRoom(guard: Guard, among: readonly Connection[]): boolean {
  const now = performance.now()
  let longest: Connection | undefined
  let last: Connection | undefined
  for (const each of among) {
    if (each.paidUntil > now) continue
    if (isClientsTurn(each)) {
      if (longest === undefined || each.since < longest.since) longest = each
    } else if (guard.held.others.has(each)) {
      if (last === undefined || each.since >= last.since) last = each
    }
  }
  const one = longest ?? last
  if (one === undefined) return false
  cut(guard, one, 'another one needed its place')
  return true
}

/** It sends nothing, not all of what it has begun, or does not read. */
function isClientsTurn({ current, stream }: Connection): boolean {
  return current === undefined || !current.request.complete || stream.writableLength > 0
}

/** Answers are made one at a time on a connection: nothing is held for a client that does not read. */
function takeRequests(guard: Guard, server: Server): void {
  const listeners = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    const begin = () => {
      for (const listener of listeners) listener.call(server, request, response)
    }
    const connection = guard.byStream.get(request.socket)
    if (connection === undefined) return begin()
    const turn = { response, begin: () => answer(guard, connection, { request, response, begin }) }
    if (connection.current === undefined) return turn.begin()
    connection.waiting.push(turn)
    const ahead = connection.stream.bytesRead - connection.current.readBefore
    if (connection.waiting.length < guard.limits.pipelined && ahead <= mostAhead) return
    connection.waiting.length = 0
    cut(guard, connection, 'it sent too many requests at once')
  })
}

interface Begun {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly begin: () => void
}

function answer(guard: Guard, connection: Connection, { request, response, begin }: Begun): void {
  const now = performance.now()
  connection.since = now
  const isPaying = connection.paidUntil > now
  connection.current = { request, readBefore: connection.stream.bytesRead }
  const held = saysThatItPays(request) ? guard.held.paying : guard.held.others
  response.once('close', () => {
    connection.current = undefined
    guard.atWork.delete(connection)
    held.delete(connection)
    const end = performance.now()
    if (connection.paidUntil > end) connection.paidUntil = end + paidLasts
    if (!connection.stream.destroyed) connection.waiting.shift()?.begin()
    letGo(guard)
  })
  if (now - guard.looked > lookEvery / 10) look(guard)
  if (connection.stream.destroyed) return
  if (isPaying) {
    begin()
    return
  }
  held.set(connection, () => {
    guard.atWork.set(connection, { written: connection.stream.bytesWritten })
    begin()
  })
  letGo(guard)
}

/**
 * Begins what was held and may begin now: first what says that it pays, if that is not true it costs little. Of
 * those so many begin in the order in which they came, because payments of one channel that overtake each other
 * are refused.
 */
function letGo(guard: Guard): void {
  const { held, atWork } = guard
  while (atWork.size < guard.mostUnpaid && beginNext(guard));
  while (atWork.size < mostPaying && beginFirst(held.paying));
}

function beginNext({ held }: Guard): boolean {
  return beginFirst(held.paying) || beginFirst(held.others)
}

/** False when there is none. */
function beginFirst(held: Held): boolean {
  const [first] = held
  if (first === undefined) return false
  const [connection, begin] = first
  held.delete(connection)
  if (!connection.stream.destroyed) begin()
  return true
}

function saysThatItPays({ headers }: IncomingMessage): boolean {
  return headers[balanceSignature] !== undefined || headers.signature !== undefined
}

/** Whether this thread had no time left since it was asked last. */
function measureBusy(): () => boolean {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization > busyFrom
  }
}

/**
 * A busy process makes half as many answers for nothing at a time, one that is not a few more. Who has got
 * nothing since the last look waits for something else than this process, and is no work. One is begun in any
 * case: somebody who reads slowly must not keep all others out.
 */
function tick(guard: Guard): void {
  const { limits, held, mostUnpaid, atWork } = guard
  if (guard.isBusy()) {
    guard.mostUnpaid = Math.max(leastUnpaid, Math.floor(Math.min(mostUnpaid, atWork.size) / 2))
  } else {
    const isNoneHeld = held.paying.size + held.others.size === 0
    guard.mostUnpaid = isNoneHeld ? limits.most : Math.min(limits.most, mostUnpaid + 2)
  }
  for (const [connection, work] of atWork) {
    const { bytesWritten } = connection.stream
    if (bytesWritten === work.written) atWork.delete(connection)
    work.written = bytesWritten
  }
  beginNext(guard)
  letGo(guard)
  look(guard)
}

/** Nothing was read and nothing written for a while. While we are at work on an answer, that is our affair. */
function silent(guard: Guard, stream: Socket): void {
  const connection = guard.byStream.get(stream)
  if (connection?.current !== undefined && stream.writableLength === 0) {
    stream.setTimeout(guard.limits.stall)
    return
  }
  if (connection !== undefined && stream.writableLength > 0) {
    cut(guard, connection, 'it did not read')
  } else stream.destroy()
}

/** Who holds most, and has not paid, goes first. */
function look(guard: Guard): void {
  const now = performance.now()
  guard.looked = now
  const all = [...guard.connections.values()]
  let left = bytesOf(all)
  if (left <= guard.limits.mostBytes) return
  const isPaid = ({ paidUntil }: Connection) => (paidUntil > now ? 1 : 0)
  const order = all.sort((a, b) => isPaid(a) - isPaid(b) || heldFor(b) - heldFor(a))
  for (const each of order) {
    if (left <= guard.limits.mostBytes) return
    left -= heldFor(each)
    cut(guard, each, 'too much waits to be read')
  }
}

function bytesOf(connections: readonly Connection[]): number {
  return connections.reduce((sum, each) => sum + heldFor(each), 0)
}

function heldFor({ stream, current }: Connection): number {
  if (current === undefined || current.request.complete) return stream.writableLength
  return stream.writableLength + Math.min(stream.bytesRead - current.readBefore, mostContent)
}
