// Where messages go: a webhook, or a program that gets the message on its standard input. No shell.
import { request } from 'undici'
import { headersIn, urlIn } from '../../platform/http/webhook-files.ts'
import { runProgram } from '../../platform/system/program.ts'
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
  if (command === undefined) throw new TypeError('a sink of alerts without a target')
  return {
    name: printedCommand(command),
    deliver: async (message, stop) => {
      const { code, signal } = await runProgram({
        command,
        input: bodyOf(message, template),
        stop: AbortSignal.any([stop, AbortSignal.timeout(timeout)]),
      })
      if (code !== 0) throw new Error(`It ends with ${code ?? signal}.`)
    },
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
  const url = webhook.url ?? (await urlIn(urlFile ?? '', fileUnusable))
  const own = await headersIn(headersFile, fileUnusable)
  let status: number
  try {
    const answer = await request(url, {
      ...{ method, body },
      headers: { 'content-type': type, ...headers, ...own },
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeout)]),
    })
    status = answer.statusCode
    await answer.body.dump()
  } catch (error) {
    throw new Error(withoutPartsOf(url, error instanceof Error ? error.message : String(error)))
  }
  if (status < 200 || status >= 300) throw new Error(`It answers ${status}.`)
}

function fileUnusable(file: string, why: string): Error {
  return new Error(`${file} cannot be used: ${why}.`)
}
