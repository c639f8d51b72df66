// The daemon's end of the control socket.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { listenOnSocket } from '../../../platform/system/local-socket.ts'
import { readContent } from '../../../platform/web/request.ts'
import { isUraidenError, type UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { AgentStream, RequestOptions } from '../../options.ts'
import {
  type CommandInput,
  type CommandName,
  commands,
  decode,
  decodeHeader,
  encode,
  encodeError,
  encodeHeader,
  factsHeader,
  malformed,
  mostHeaderBytes,
  purchase,
  shaped,
} from './wire.ts'

export type CommandHandlers = {
  readonly [Name in CommandName]: (input: CommandInput<Name>) => unknown
}

export interface ControlOptions {
  readonly handlers: CommandHandlers
  readonly buy: (url: URL, options: RequestOptions) => Promise<AgentStream>
  /** Prometheus text; see `metrics.ts`. */
  readonly metrics: () => string
  /** What is nobody's fault but ours. */
  readonly onDefect: (error: unknown) => void
}

/** Of a command's input. */
const mostInput = 1 << 20

/** Of what is bought with: it may be sent twice, so it is kept whole. */
const mostContent = 64 << 20

export class ControlServer {
  readonly #server: Server

  constructor(options: ControlOptions) {
    this.#server = createServer({ maxHeaderSize: mostHeaderBytes }, (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        // A command that hangs up is no defect.
        if (!isUraidenError(error) && !response.destroyed) options.onDefect(error)
        if (response.headersSent) return void response.destroy()
        response.writeHead(400, { 'Content-Type': 'application/json', Connection: 'close' })
        response.end(encodeError(error))
      })
    })
  }

  /**
   * Its user alone may connect: who can, can spend.
   * @throws UraidenError `socket_in_use`, `socket_unusable`
   */
  async start(path: string): Promise<void> {
    await listenOnSocket(this.#server, path, 'owner')
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

async function answer(
  options: ControlOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, url = '' } = request
  if (method === 'GET' && url === '/metrics') {
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' })
    return void response.end(options.metrics())
  }
  if (method !== 'POST') throw unknownCommand(`${method} ${url}`)
  if (url === '/buy') return buy(options, request, response)
  const name = url.slice(1)
  if (!isCommand(name)) throw unknownCommand(name)
  const text = (await readAll(request, mostInput)).toString('utf8')
  const result = await runCommand(options.handlers, name, decode(text))
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end(encode(result))
}

/** @throws UraidenError `control_malformed`, and the command's own */
export async function runCommand<Name extends CommandName>(
  handlers: CommandHandlers,
  name: Name,
  input: unknown,
): Promise<unknown> {
  return handlers[name](shaped(commands[name], input) as CommandInput<Name>)
}

async function buy(
  options: ControlOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = decodeHeader(String(request.headers[factsHeader] ?? ''))
  const { url, ...wanted } = shaped(purchase, asked)
  const body = await readAll(request, mostContent)
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { body: content, ...facts } = await options.buy(new URL(url), {
    ...(wanted as RequestOptions),
    ...(body.length > 0 && { body }),
    signal: gone.signal,
  })
  response.writeHead(200, { [factsHeader]: encodeHeader(facts) })
  await pipeline(content, response)
}

async function readAll(request: IncomingMessage, most: number): Promise<Buffer> {
  const content = await readContent(request, most)
  if (content === undefined) throw malformed(`it has more than ${most} bytes`)
  return content
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

function unknownCommand(name: string): UraidenError {
  return agentError({
    code: 'control_unknown_command',
    message: `The daemon knows no command "${name}".`,
  })
}
