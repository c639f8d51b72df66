// The agent's page on 127.0.0.1. Loaded when the configuration asks for it, and not before.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exactly, oneOf, text as textLike } from '../../../platform/shapes/shape.ts'
import {
  assetBody,
  assetHeaders,
  type LoadedPages,
  loadPages,
} from '../../../platform/web/assets.ts'
import type { Exchange } from '../../../platform/web/request.ts'
import { type Address, parseAddress, type UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { listenOn } from '../../proxy/listen.ts'
import { type CommandHandlers, runCommand } from '../control/server.ts'
import { decode, shaped } from '../control/wire.ts'
import { agentDocument, buildOf, missingDocument, safeHeaders } from './document.ts'
import { createEvents, type Events } from './events.ts'
import { readAsset } from './files.ts'
import { type Asked, checkAction, checkHost, checkLook } from './guard.ts'
import { readText, refuse, refuseSocket } from './io.ts'
import type { PageSpending, PageState } from './state.ts'

export interface PageOptions {
  readonly handlers: CommandHandlers
  /** Where a receiver is; undefined when the configuration does not say it. */
  readonly placeOf: (receiver: Address) => Promise<URL | undefined>
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Whoever knows it may look. */
  readonly key: string
  /** Undefined: the page only shows things. */
  readonly token: () => string | undefined
  readonly state: (about: Pick<PageState, 'build' | 'actions'>) => PageState
  readonly spending: () => PageSpending
  /** The same by the hour and receiver, for 400 days. */
  readonly spendingCsv: () => string
  /** After an action. */
  readonly onAction: (name: string) => void
  /** What is nobody's fault but ours. */
  readonly onDefect: (error: unknown) => void
}

export interface PageServer {
  readonly port: number
  /** Streams end at once; actions under way go on in the daemon. */
  readonly close: () => Promise<void>
}

/** People in front of one Pi. */
const mostStreams = 16

/** Milliseconds. */
const lookEvery = 1000

/** @throws UraidenError `address_in_use` */
export async function startPage(options: PageOptions): Promise<PageServer> {
  const assets = await loadPages(['agent', 'spending'], readAsset)
  const build = assets === undefined ? '' : buildOf(assets.pages)
  const state = (): string => {
    const actions = options.token() === undefined ? 'never' : 'withToken'
    return JSON.stringify(options.state({ build, actions }))
  }
  const events = createEvents({ look: state, every: lookEvery, mostStreams })
  const page: Page = { options, assets, state, events }
  const server = createServer(limits, (request, response) => {
    const exchange = { request, response }
    answer(page, exchange).catch((error: unknown) => refuse(exchange, error, options.onDefect))
  })
  server.on('clientError', refuseSocket)
  await listenOn(server, { host: '127.0.0.1', port: options.port })
  const { port } = server.address() as AddressInfo
  return { port, close: () => close(server, events) }
}

interface Page {
  readonly options: PageOptions
  readonly assets: LoadedPages<'agent' | 'spending'> | undefined
  readonly state: () => string
  readonly events: Events
}

const limits = {
  requireHostHeader: true,
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const

async function answer(page: Page, exchange: Exchange): Promise<void> {
  const { request, response } = exchange
  const { method = '', url = '', headers } = request
  for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value)
  checkHost(headers.host)
  if (method === 'POST' && url.startsWith('/do/')) {
    return doIt(page, url.slice('/do/'.length), exchange)
  }
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  if (url === '/') return sendDocument(page, response)
  if (url.startsWith('/web/')) return sendAsset(page, url.slice('/web/'.length), exchange)
  if (!looks.includes(url)) throw notFound()
  checkLook(askedBy(request), page.options.key)
  response.setHeader('cache-control', 'no-store')
  if (url === '/state') return send(response, 'application/json', page.state())
  if (url === '/spending') {
    return send(response, 'application/json', JSON.stringify(page.options.spending()))
  }
  if (url === '/spending.csv') return send(response, 'text/csv', page.options.spendingCsv())
  response.setHeader('content-type', 'text/event-stream; charset=utf-8')
  if (method === 'HEAD') return void response.end()
  if (!page.events.join(response)) throw tooManyStreams()
}

/** What whoever knows the key may look at. */
const looks: readonly string[] = ['/state', '/events', '/spending', '/spending.csv']

/** `token` is no action: it says whether the token is right. */
async function doIt(
  { options }: Page,
  name: string,
  { request, response }: Exchange,
): Promise<void> {
  checkAction(askedBy(request), options.token())
  const text = await readText(request)
  if (isAction(name)) {
    await act(options, name, text)
    options.onAction(name)
  } else if (name !== 'token') throw notFound()
  response.setHeader('cache-control', 'no-store')
  send(response, 'application/json', '{}')
}

/** What a person does on the page: commands of the control socket, no others. */
const closing = exactly({
  channel: textLike(/^0x[0-9a-fA-F]{40}\/\d+$/),
  how: oneOf('together', 'alone'),
})

type ActionName = 'pause' | 'resume' | 'runJob' | 'close'

const names: readonly string[] = ['pause', 'resume', 'runJob', 'close'] satisfies ActionName[]

function isAction(name: string): name is ActionName {
  return names.includes(name)
}

/** @throws UraidenError `control_malformed`, `receiver_place_unknown`, and the command's own */
async function act(
  { handlers, placeOf }: PageOptions,
  name: ActionName,
  text: string,
): Promise<void> {
  const input = decode(text)
  if (name !== 'close') {
    await runCommand(handlers, name, input)
    return
  }
  const { channel, how } = shaped(closing, input)
  if (how === 'alone') await runCommand(handlers, 'close', { channel })
  else {
    const receiver = parseAddress(channel.slice(0, channel.indexOf('/')))
    const api = await placeOf(receiver)
    if (api === undefined) throw placeUnknown(receiver)
    await runCommand(handlers, 'close', { channel, api: `${api}` })
  }
}

function askedBy({ headers }: IncomingMessage): Asked {
  const { origin, host, authorization, 'content-type': contentType } = headers
  const site = headers['sec-fetch-site']
  return { site: site?.toString(), origin, host, authorization, contentType }
}

function sendDocument({ assets }: Page, response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store')
  if (assets === undefined) response.statusCode = 503
  send(response, 'text/html', assets === undefined ? missingDocument : agentDocument(assets.pages))
}

function sendAsset({ assets }: Page, name: string, { request, response }: Exchange): void {
  const asset = assets?.files.get(name)
  if (asset === undefined) throw notFound()
  const { body, coding } = assetBody(asset, request.headers['accept-encoding']?.toString())
  for (const [field, value] of Object.entries(assetHeaders)) response.setHeader(field, value)
  response.setHeader('content-type', asset.type)
  if (coding !== undefined) response.setHeader('content-encoding', coding)
  response.end(body)
}

function send(response: ServerResponse, type: string, text: string): void {
  response.setHeader('content-type', `${type}; charset=utf-8`)
  response.end(text)
}

function close(server: Server, events: Events): Promise<void> {
  return new Promise((resolve) => {
    events.close()
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function notFound(): UraidenError {
  return agentError({
    code: 'page_not_found',
    message: 'There is no such thing here.',
  })
}

function methodNotAllowed(method: string): UraidenError {
  return agentError({
    code: 'page_method_not_allowed',
    message: `${method} is not answered here.`,
  })
}

function tooManyStreams(): UraidenError {
  return agentError({
    code: 'page_too_many_streams',
    message: `The page is open ${mostStreams} times already.`,
  })
}

function placeUnknown(receiver: Address): UraidenError {
  return agentError({
    code: 'receiver_place_unknown',
    message: `It is not known where the receiver ${receiver} is.`,
  })
}
