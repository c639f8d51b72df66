// uraiden-agent get URL: like curl, and it pays.

import { createWriteStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { Transform, type TransformOptions } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { toJson } from '../../../platform/cli/output.ts'
import { plainText } from '../../../platform/text/plain-text.ts'
import { isUraidenError, type UraidenError } from '../../../protocol/index.ts'
import { parsePriceLimit } from '../../budget/assets.ts'
import { agentError, jobUnknown } from '../../errors/index.ts'
import type { AgentStream, RequestOptions } from '../../options.ts'
import { paidText } from '../text/paid.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { follow, Hop } from './redirects.ts'
import { type GlobalOptions, type Session, withAgent } from './session.ts'

export interface GetOptions extends GlobalOptions {
  readonly output?: string
  readonly header: readonly string[]
  readonly data?: string
  readonly request?: string
  readonly maxPrice?: string
  readonly dryRun?: boolean
  readonly job?: string
  readonly location?: boolean
  readonly include?: boolean
}

export function get(target: string, options: GetOptions): Promise<ExitCode> {
  const needs = options.dryRun === true ? 'books' : 'purchases'
  return withAgent(options, (session) => bought(target, options, session), needs)
}

async function bought(target: string, options: GetOptions, session: Session): Promise<ExitCode> {
  const { agent, receivers, jobs, output, token } = session
  // A name that nobody knows has no caps: the purchase would be counted against nothing.
  if (options.job !== undefined && !jobs.includes(options.job)) {
    throw jobUnknown(options.job, jobs)
  }
  const first = await receivers.resolve(target)
  const request = await requestOptions(options, session)
  if (options.output !== undefined) await checkWritable(options.output)
  const hop = { url: first, options: { ...request, signal: interrupted() } }
  const ask = (each: Hop) => agent.stream(each.url, each.options)
  if (options.dryRun === true) return quoted(session, () => ask(hop))
  const { answer, url, before } =
    options.location === true
      ? await followed(hop, ask)
      : { answer: await ask(hop), url: first, before: [] }
  const redirects = before.map((each) => {
    return { url: `${each.url}`, status: each.answer.status, payment: each.answer.payment }
  })
  if (output.json) output.print(await described(answer, redirects, options.output))
  else {
    await save(answer, options)
    const paid = paidText(
      [...redirects, answer].map(({ payment }) => payment),
      token,
    )
    if (paid !== undefined && process.stderr.isTTY) output.say(paid)
  }
  if (answer.status < 400) return exitCode.ok
  output.say(`uraiden-agent: ${url.origin} answers with HTTP status ${answer.status}.`)
  return exitCode.httpError
}

async function followed(...given: Parameters<typeof follow>): ReturnType<typeof follow> {
  const { follow } = await import('./redirects.ts')
  return follow(...given)
}

/** What it would cost, as an answer: nobody has refused anything. */
async function quoted(session: Session, ask: () => Promise<AgentStream>): Promise<ExitCode> {
  const { agent, output, token } = session
  // With all that knows of deposits.
  const { askedIn, quoteOf, quoteText } = await import('./quote.ts')
  const answer = await ask().catch((error: unknown) => {
    const asked = askedIn(error)
    if (asked === undefined) throw error
    return asked
  })
  const isFree = 'status' in answer
  const books = {
    channels: agent.channels(),
    limits: agent.budget().limits,
    deposits: await session.deposits(),
  }
  const quote = quoteOf(isFree ? undefined : answer, token, books)
  if (isFree) answer.body.destroy()
  if (output.json) output.print(toJson(quote))
  else output.print(quoteText(quote))
  if (!isFree || answer.status < 400) return exitCode.ok
  output.say(`uraiden-agent: it answers with HTTP status ${answer.status}.`)
  return exitCode.httpError
}

/** Ctrl-C ends the request, not the process: the agent still writes its books. */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort())
  }
  return controller.signal
}

async function requestOptions(
  options: GetOptions,
  { token, assets }: Pick<Session, 'token' | 'assets'>,
): Promise<RequestOptions> {
  const { header, data, maxPrice, job } = options
  const body = data?.startsWith('@') ? await readBody(data.slice(1)) : data
  return {
    method: (options.request ?? (data === undefined ? 'GET' : 'POST')).toUpperCase(),
    headers: Object.fromEntries(header.map(splitHeader)),
    ...(body !== undefined && { body }),
    ...(maxPrice !== undefined && parsePriceLimit(maxPrice, token, assets)),
    ...(job !== undefined && { job }),
    ...(options.dryRun !== undefined && { dryRun: options.dryRun }),
  }
}

async function readBody(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw agentError({
      code: 'file_unreadable',
      message: `The file ${file} for the body cannot be read.`,
      cause,
    })
  }
}

function splitHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text) ?? []
  if (name !== undefined && value !== undefined) return [name.toLowerCase(), value]
  throw agentError({
    code: 'not_a_header',
    message: `"${text}" is not a header.`,
  })
}

/** Before anything is paid. What is in the file stays until there is an answer. */
async function checkWritable(path: string): Promise<void> {
  try {
    await (await open(path, 'a')).close()
  } catch (cause) {
    throw agentError({
      code: 'file_unwritable',
      message: `The file ${path} cannot be written.`,
      hint: 'Nothing was sent. Check that its folder exists and belongs to you.',
      cause,
    })
  }
}

async function save(
  answer: AgentStream,
  { output: file, include }: Pick<GetOptions, 'output' | 'include'>,
): Promise<void> {
  const body = include === true ? withHead(answer) : answer.body
  try {
    if (file !== undefined) await pipeline(body, createWriteStream(file))
    else if (process.stdout.isTTY !== true) await pipeline(body, process.stdout, { end: false })
    else await pipeline(body, readable(), process.stdout, { end: false })
  } catch (error) {
    const { code, syscall } = error as { readonly code?: string; readonly syscall?: string }
    // Who reads standard output may stop when it has enough.
    if (code === 'EPIPE' || isUraidenError(error)) throw error
    throw syscall === 'write' ? notWritten(file, error) : cutShort(error)
  }
}

/** As curl prints it. */
async function* withHead({ status, headers, body }: AgentStream): AsyncGenerator<Uint8Array> {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => `${name}: ${value}\r\n`),
  )
  yield Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`, 'latin1')
  yield* body
}

/** At a terminal an answer is text that steers nothing; a file or a program gets it byte for byte. */
function readable(): Transform {
  const decoder = new TextDecoder()
  const transform: TransformOptions['transform'] = (chunk, _, next) =>
    next(null, plainText(decoder.decode(chunk, { stream: true })))
  return new Transform({ transform, flush: (next) => next(null, plainText(decoder.decode())) })
}

function notWritten(file: string | undefined, cause: unknown): UraidenError {
  return agentError({
    code: 'answer_not_written',
    message: `The answer cannot be written to ${file ?? 'standard output'}.`,
    cause,
  })
}

function cutShort(cause: unknown): UraidenError {
  return agentError({
    code: 'answer_lost',
    message: 'The answer ended before it was complete.',
    hint: 'It was paid for. Look at the connection and the receiver, then get it again.',
    cause,
  })
}

async function described(
  answer: AgentStream,
  redirects: readonly object[],
  file: string | undefined,
): Promise<string> {
  const { status, headers, payment, roundTrips } = answer
  const facts = { status, headers, payment, roundTrips, ...(redirects.length > 0 && { redirects }) }
  if (file !== undefined) {
    await save(answer, { output: file })
    return toJson({ ...facts, file })
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const text = body.toString('utf8')
  const readable = Buffer.from(text).equals(body)
  return toJson({
    ...facts,
    ...(readable ? { body: text } : { bodyBase64: body.toString('base64') }),
  })
}
