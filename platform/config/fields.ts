// Values that configuration files of agent and receiver have in common.

import { z } from 'zod'
import {
  etherUnit,
  isUraidenError,
  parseAmount,
  parseTypedAddress,
  shorten,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { parseDuration } from './duration.ts'

/**
 * A text that one of our own parsers reads; its error and hint become the file's.
 */
export function parsed<Value>(parse: (text: string) => Value) {
  return scalar.transform(reading(parse))
}

function reading<Value>(parse: (text: string) => Value) {
  return (text: string, context: z.RefinementCtx): Value => {
    try {
      return parse(text)
    } catch (error) {
      if (!isUraidenError(error)) throw error
      context.addIssue({ code: 'custom', message: error.message, params: { hint: error.hint } })
      return z.NEVER
    }
  }
}

/** YAML reads 0.005 and 16 as numbers; up to 15 digits JavaScript writes them back as they were. */
const scalar = z
  .union([z.string(), z.number()], { error: 'this should be a text or a number.' })
  .transform((value, context) => {
    if (typeof value === 'string' || /^-?[0-9.]{1,16}$/.test(String(value))) return String(value)
    context.addIssue({
      code: 'custom',
      message: `"${value}" has too many digits for a number.`,
      params: { hint: 'Write it in quotes, without an exponent.' },
    })
    return z.NEVER
  })

/** An address as a person writes it: a wrong EIP-55 checksum is an error. */
export const address = parsed(parseTypedAddress)

/**
 * An amount with or without its token's symbol, as it is written. `parseAmount` says later whether symbol and
 * decimals are right, which come from the chain.
 * @throws UraidenError `not_an_amount` and others of `parseAmount`
 */
export function checkedAmount(text: string): string {
  const apart = /^[0-9.]+\s+((?![0-9.,]+(?:\s|$)).*\p{L}.*)$/su
    .exec(text.trim())?.[1]
    ?.replace(/\s+/g, ' ')
  const symbol = apart ?? /[^\s0-9.,+-]\S*$/.exec(text.trim())?.[0] ?? 'TKN'
  parseAmount(text, { symbol: symbol === 'units' ? 'TKN' : symbol, decimals: 36 })
  return text
}

export const amountText = parsed(checkedAmount)

/** A path of a file or folder. Nobody stands between the file and us who would turn `~` into a folder. */
export const filePath = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const [sign] = /^(?:~|\$\{?\w+\}?(?=\/|$))/.exec(text) ?? []
    if (sign === undefined) return
    context.addIssue({
      code: 'custom',
      message: `"${shorten(text)}" begins with ${sign}, which only a shell knows.`,
      params: { hint: 'Write the whole path, such as /home/pi/data.' },
    })
  })

/** An http or https URL. */
export const httpUrl = z.url({
  protocol: /^https?$/,
  error: ({ input }) =>
    /^https?:\/\/\[[^\]]*%/.test(String(input))
      ? 'a URL has no zone (RFC 6874 is in no client). Use an address without %, or a name.'
      : 'this is not an http:// or https:// URL.',
})

/**
 * A URL that a command line names.
 * @throws UraidenError `not_a_url`
 */
export function parseHttpUrl(text: string): string {
  const { success, error } = httpUrl.safeParse(text)
  if (success) return text
  throw platformError({
    code: 'not_a_url',
    message: `"${shorten(text)}": ${error.issues[0]?.message ?? 'this is no URL.'}`,
  })
}

/** A cap for the price of gas: `50 gwei`. Digits after the point are those of a gwei; gives wei. */
export const gasPrice = parsed((text) => {
  const price = parseAmount(text, { symbol: 'gwei', decimals: 9 })
  if (price > 0n) return price
  throw platformError({
    code: 'not_an_amount',
    message: `"${text}" pays for no transaction.`,
    hint: 'Write a price above zero, such as 50 gwei, or leave it out.',
  })
})

/** `5%` or `0.25%`, in hundredths of a percent. @throws UraidenError `not_a_share` */
function parseShare(text: string): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,3})(?:\.(\d{1,2}))? ?%$/.exec(text) ?? []
  const found = Number(whole) * 100 + Number(fraction.padEnd(2, '0'))
  if (whole !== '' && found > 0 && found <= 10_000) return BigInt(found)
  throw platformError({
    code: 'not_a_share',
    message: `"${shorten(text)}" is not a share.`,
  })
}

/** What of something a fee may be: `5%`; gives hundredths of a percent. */
export const share = parsed(parseShare)

/** What fees may cost: `0.01 ETH`; gives wei. */
export const etherAmount = parsed((text) => parseAmount(text, etherUnit))

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** `127.0.0.1:9403`, `[::1]:9403`, `localhost:9403`. */
const listenPattern = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/

/** @throws UraidenError `not_an_address_to_listen_on` */
function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, name, digits] = listenPattern.exec(text.trim()) ?? []
  const host = ipv6 ?? name
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  const [, zone] = /^\[?[0-9a-fA-F:.]+(%[^\]]+)/.exec(text.trim()) ?? []
  throw platformError({
    code: 'not_an_address_to_listen_on',
    message: `"${shorten(text)}" ${zone ? `names a zone (${zone})` : 'is not an address and a port'}.`,
    ...(zone && { hint: 'Listen on an address without a zone, or on all of them: [::]:9403.' }),
  })
}

export const listenAddress = parsed(parseListenAddress)
export const count = z.int({ error: 'this should be a whole number.' })

/** A name that a person gives to something in the file. */
export const ownName = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
  error: 'a name has lower-case letters, digits and hyphens only.',
})

/** An IANA name. */
export const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'this is not the name of a time zone, such as Europe/Berlin.' })

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** `10 MB`, `64 KiB`; in bytes. @throws UraidenError `not_a_size` */
export function parseSize(text: string): number {
  const [, number = '', power = '', binary = ''] =
    /^(\d{1,12}(?:\.\d{1,6})?) ?([kKMG]?)(i?)B$/.exec(text) ?? []
  const exponent = ' KMG'.indexOf(power === '' ? ' ' : power.toUpperCase())
  const size = Math.round(Number(number) * (binary === '' ? 1000 : 1024) ** exponent)
  if (number !== '' && size >= 1 && size <= 2 ** 40) return size
  throw platformError({
    code: 'not_a_size',
    message: `"${shorten(text)}" is not a size.`,
  })
}

export const duration = parsed(parseDuration)

/** A duration such as `30s` or `5m`, or a number of seconds; gives seconds. */
export function seconds(least: number, most: number) {
  const error = `this should be a duration such as 30s, or a number of seconds, from ${least} to ${most}.`
  const number = z.number({ error }).min(least).max(most)
  const text = z.string({ error }).transform(reading((given) => parseDuration(given) / 1000))
  return z.union([number, text.pipe(number)], { error })
}
export const size = parsed(parseSize)
