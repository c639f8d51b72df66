// Where messages go: a webhook, or a program that gets the message on its standard input. No shell.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'undici'
import { readPrivateFile } from '../../platform/keys/private-file.ts'
import { printedCommand, printedUrl, withoutPartsOf } from '../../platform/text/printed.ts'
import type { AlertSinkConfig } from './schema.ts'
import { bodyOf, type Message } from './template.ts'

export interface AlertSink {
  /** For the log. */
  readonly name: string
  /** @throws Error when it has not arrived */
  readonly deliver: (message: Message, stop: AbortSignal) => Promise<void>
}

export function createAlertSink(config: AlertSinkConfig): AlertSink {
  const { webhook, command, timeout, template } = config
  if (webhook !== undefined) {
    return {
      name: webhook.url === undefined ? 'webhook' : printedUrl(webhook.url),
      deliver: (message, stop) => {
        const type = template === undefined ? 'application/json' : 'text/plain; charset=utf-8'
        return post(webhook, { body: bodyOf(message, template), type, stop })
      },
    }
  }
  const [program = '', ...args] = command ?? []
  return {
    name: printedCommand([program, ...args]),
    deliver: (message, stop) =>
      run([program, args], {
        body: bodyOf(message, template),
        stop: AbortSignal.any([stop, AbortSignal.timeout(timeout)]),
      }),
  }
}

interface Posted {
  readonly body: string
  readonly type: string
  readonly stop: AbortSignal
}

async function post(
  webhook: NonNullable<AlertSinkConfig['webhook']>,
  { body, type, stop }: Posted,
): Promise<void> {
  const { urlFile, headersFile, method, headers, timeout } = webhook
  // Read each time: a new secret counts without a restart.
  const [fromFile] = urlFile === undefined ? [] : await linesOf(urlFile)
  const url = webhook.url ?? fromFile ?? ''
  const secret = headersFile === undefined ? [] : await linesOf(headersFile)
  const own = secret.map((line) => line.split(/:\s*(.*)/s, 2) as [string, string])
  let status: number
  try {
    const answer = await request(url, {
      ...{ method, body },
      headers: { 'content-type': type, ...headers, ...Object.fromEntries(own) },
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeout)]),
    })
    status = answer.statusCode
    await answer.body.dump()
  } catch (error) {
    throw new Error(withoutPartsOf(url, error instanceof Error ? error.message : String(error)))
  }
  if (status < 200 || status >= 300) throw new Error(`It answers ${status}.`)
}

async function linesOf(file: string): Promise<readonly string[]> {
  const lines = (await readPrivateFile(file)).split(/\r?\n/)
  return lines.map((line) => line.trim()).filter((line) => line !== '')
}

async function run(
  [program, args]: readonly [string, readonly string[]],
  { body, stop: signal }: { readonly body: string; readonly stop: AbortSignal },
): Promise<void> {
  const { PATH, HOME, LANG } = process.env
  const child = spawn(program, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not the receiver's own: it may hold the password of its key.
    env: { PATH, HOME, LANG },
    signal,
  })
  // A program need not read its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(body)
  const [code, killed] = await once(child, 'exit')
  if (code !== 0) throw new Error(`It ends with ${code ?? killed}.`)
}
