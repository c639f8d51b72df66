// What a request costs: one price, a function, or a table by method and path.

import { parseAmount, type TokenAmount, type TokenUnit } from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import type { RequestView } from './dialect.ts'

/** The parts of a path that its pattern names, decoded. */
export type PathParameters = { readonly [name: string]: string }

/**
 * In the token's smallest unit as bigint, as text with a unit (`0.005 TKN`), or computed. 0 is free.
 */
export type PriceOf<Request> =
  | TokenAmount
  | string
  | ((request: Request, parameters: PathParameters) => TokenAmount | Promise<TokenAmount>)

/**
 * Prices by `METHOD /path`, `/path` for all methods, or `*` for the rest, which must be there. In a
 * path `:name` is any one part and a last `*` any rest. The first match counts. Patterns are compared
 * without regard to case, doubled slashes, dot segments and percent encoding, as servers differ in
 * these and nobody shall get round a price by them.
 */
export type PriceTable<Request> = { readonly [pattern: string]: PriceOf<Request> }

export type PriceRule<Request> = PriceOf<Request> | PriceTable<Request>

/** An amount when it is the same for all requests. */
export type Pricer<Request> =
  | TokenAmount
  | ((
      asked: Pick<RequestView, 'method' | 'url'>,
      request: Request,
    ) => TokenAmount | Promise<TokenAmount>)

/** @throws UraidenError `price_missing`, `bad_price_pattern`, and those of `parseAmount` */
export function createPricer<Request>(rule: PriceRule<Request>, token: TokenUnit): Pricer<Request> {
  if (typeof rule === 'function') return (_, request) => rule(request, {})
  if (typeof rule !== 'object') return fixedAmount(rule, token)
  const entries = Object.entries(rule).map(([pattern, price]) => ({
    match: compile(pattern),
    of: amountOf(price, token),
  }))
  if (!Object.hasOwn(rule, '*')) {
    throw receiverError({
      code: 'price_missing',
      message: 'The prices do not say what all other requests cost.',
      hint: "Add '*': a price, or 0n when the rest is free.",
    })
  }
  return ({ method, url }, request) => {
    const path = partsOf(url)
    for (const { match, of } of entries) {
      const parameters = match(method, path)
      if (parameters !== undefined) return of(request, parameters)
    }
    throw new Error('the pattern * matches everything')
  }
}

/** Whether two requests of one method and URL may differ in price. */
export function isComputed<Request>(rule: PriceRule<Request> | undefined): boolean {
  const prices = typeof rule === 'object' ? Object.values(rule) : [rule]
  return prices.some((price) => typeof price === 'function')
}

function amountOf<Request>(price: PriceOf<Request>, token: TokenUnit) {
  if (typeof price === 'function') return price
  const amount = fixedAmount(price, token)
  return () => amount
}

function fixedAmount(price: TokenAmount | string, token: TokenUnit): TokenAmount {
  return typeof price === 'bigint' ? price : parseAmount(price, token)
}

type Match = (method: string, path: readonly string[]) => PathParameters | undefined

function compile(pattern: string): Match {
  if (pattern === '*') return () => ({})
  const [, method, path] = /^(?:([A-Z]+) )?(\/\S*)$/.exec(pattern) ?? []
  if (path === undefined) {
    throw receiverError({
      code: 'bad_price_pattern',
      message: `"${pattern}" is no pattern of requests.`,
    })
  }
  const wanted = path.split('/').filter((part) => part !== '')
  const open = wanted.at(-1) === '*'
  const fixed = open ? wanted.slice(0, -1) : wanted
  return (asked, parts) => {
    if (method !== undefined && method !== asked) return undefined
    if (open ? parts.length < fixed.length : parts.length !== fixed.length) return undefined
    const parameters: { [name: string]: string } = {}
    for (const [at, part] of fixed.entries()) {
      const given = parts[at] ?? ''
      if (part.startsWith(':')) parameters[part.slice(1)] = given
      else if (part.toLowerCase() !== given.toLowerCase()) return undefined
    }
    return parameters
  }
}

function partsOf(url: string): readonly string[] {
  const [path = ''] = url.split(/[?#]/, 1)
  const parts: string[] = []
  for (const part of decode(path).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}

/** What cannot be decoded is compared as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
