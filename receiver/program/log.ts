// What the program tells while it runs: pino, one JSON object a line, or text at a terminal.
import { type Logger, type LoggerOptions, pino } from 'pino'
import pretty from 'pino-pretty'
import { plainJson, plainValue } from '../../platform/text/plain-text.ts'
import { originsOnly, printedSettings, withoutKeys } from '../../platform/text/printed.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { ReceiverConfig } from './config.ts'

/** Should one of these ever be logged, its value is not. */
const secrets = ['password', 'privateKey', 'authorization', 'cookie', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

/**
 * What went wrong, without its causes: those are libraries' errors, which repeat URLs with the keys in them.
 * Of a defect also where it happened.
 */
function printedError(error: unknown): object {
  if (isUraidenError(error)) {
    const { name: type, code, message, hint } = error
    return { type, code, message: withoutKeys(message), hint }
  }
  const { name: type, code, message, stack } = Object(error) as NodeJS.ErrnoException
  const texts = { message: originsOnly(`${message ?? error}`), stack: stack && originsOnly(stack) }
  return { type, ...(code !== undefined && { code }), ...texts }
}

/** Writes to standard error; standard output is for what a command was asked. */
export function createLog({ level, format }: ReceiverConfig['log']): Logger {
  const options: LoggerOptions = {
    level,
    redact: { paths: secrets, censor: '[not logged]' },
    serializers: { err: printedError, upstream: printedSettings, url: printedSettings },
    hooks: { streamWrite: withoutKeys },
  }
  const asText = format === 'text' || (format === 'auto' && process.stderr.isTTY === true)
  if (!asText) {
    const json = pino.destination({ fd: 2, sync: true })
    return pino(options, { write: (line: string) => json.write(plainJson(line)) })
  }
  const text = pretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY === true && !process.env.NO_COLOR,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  })
  return pino(options, {
    write: (line: string) => text.write(`${JSON.stringify(plainValue(JSON.parse(line)))}\n`),
  })
}
