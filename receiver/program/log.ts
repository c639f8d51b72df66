// What the program tells while it runs: a sentence and its fields, or one JSON object a line. The agent's log has
// the same form and the same words.
import { writeSync } from 'node:fs'
import { type Logger, type LoggerOptions, pino } from 'pino'
import { type LineLevel, linePriority, logLine } from '../../platform/text/log-line.ts'
import { plainJson } from '../../platform/text/plain-text.ts'
import { originsOnly, printedSettings, withoutKeys } from '../../platform/text/printed.ts'
import { etherUnit, formatAmount, isUraidenError, type TokenUnit } from '../../protocol/index.ts'
import type { ReceiverConfig } from './config.ts'

/** Should one of these ever be logged, its value is not. */
const secrets = ['password', 'privateKey', 'authorization', 'cookie', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

type Facts = Record<string, unknown>

/**
 * What went wrong, without its causes: those are libraries' errors, which repeat URLs with the keys in them.
 * Of a defect also where it happened.
 */
function errorFacts(error: unknown): Facts {
  if (isUraidenError(error)) {
    const { code, message, hint } = error
    return { code, reason: withoutKeys(message), hint }
  }
  const { name: type, code, message, stack } = Object(error) as NodeJS.ErrnoException
  const reason = originsOnly(`${message ?? error}`)
  return { type, ...(code && { code }), reason, ...(stack && { stack: originsOnly(stack) }) }
}

const ofTokens = new Set([
  'balance',
  'price',
  'deposit',
  'added',
  'amount',
  'receiverTokens',
  'stake',
  'sum',
])
/** In wei. */
const ofEther = new Set(['needed', 'fee'])
/** An error's words beside the others, and amounts as people read them, once the token is known. */
function plainFacts(facts: Facts, token: TokenUnit | undefined): Facts {
  const plain: Facts = {}
  for (const [name, value] of Object.entries(facts)) {
    const unit = ofEther.has(name) ? etherUnit : ofTokens.has(name) ? token : undefined
    if (name === 'err') Object.assign(plain, errorFacts(value))
    else if (unit !== undefined && /^\d+$/.test(`${value}`)) {
      plain[name] = formatAmount(BigInt(`${value}`), unit)
    } else plain[name] = typeof value === 'bigint' ? `${value}` : value
  }
  return plain
}

export interface ProgramLog {
  readonly log: Logger
  /** From now on amounts are told in it. */
  readonly amountsIn: (token: TokenUnit) => void
}

export interface LogPlace {
  /** A line at a time. Default: standard error, for standard output is for what a command was asked. */
  readonly write?: (text: string) => void
  readonly environment?: NodeJS.ProcessEnv
  readonly isTerminal?: boolean
}

export function createLog(
  { level, format }: ReceiverConfig['log'],
  { write = toStandardError, environment = process.env, isTerminal }: LogPlace = {},
): ProgramLog {
  let token: TokenUnit | undefined
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'message',
    formatters: {
      level: (label) => ({ level: label }),
      log: (facts) => plainFacts(facts as Facts, token),
    },
    redact: { paths: secrets, censor: '[not logged]' },
    serializers: { upstream: printedSettings, url: printedSettings },
    hooks: { streamWrite: withoutKeys },
  }
  const inJournal = environment.JOURNAL_STREAM !== undefined
  const withTime = (isTerminal ?? process.stderr.isTTY === true) && !inJournal
  const log = pino(options, {
    write: (json: string) => {
      const { level: name, time, message = '', ...facts } = JSON.parse(json)
      const mark = inJournal ? `<${linePriority[levelOf(name)]}>` : ''
      if (format === 'json') return write(`${mark}${plainJson(json)}`)
      const clock = withTime ? `${new Date(time).toTimeString().slice(0, 8)} ` : ''
      write(`${mark}${clock}${logLine(levelOf(name), message, flat(facts))}\n`)
    },
  })
  return {
    log,
    amountsIn: (known) => {
      token = known
    },
  }
}

function levelOf(name: string): LineLevel {
  return name === 'fatal' ? 'error' : name === 'trace' ? 'debug' : (name as LineLevel)
}

/** fastify's own objects, `req` and `res`, as fields of their own. */
function flat(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      (name === 'req' || name === 'res') && typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [[name, value] as const],
    ),
  )
}

/** At once: the last words of a process count. */
function toStandardError(text: string): void {
  try {
    writeSync(2, text)
  } catch {
    // Nobody reads: a closed pipe, or a full one that does not block.
  }
}
