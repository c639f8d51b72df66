// Token amounts: integers of the token's smallest unit inside, `0.005 TKN` for a person.

import { shorten } from './bytes.ts'
import { protocolError, type UraidenError } from './errors.ts'

/** An amount in the token's smallest unit: never a fraction, never negative. */
export type TokenAmount = bigint

/** The contract's interface and the wire carry amounts as `uint192`. */
export const maxTokenAmount: TokenAmount = 2n ** 192n - 1n

/** What a token calls itself. */
export interface TokenUnit {
  readonly symbol: string
  /** Digits after the point: one token is 10^decimals of the smallest unit. */
  readonly decimals: number
}

/** What fees are paid in; its smallest unit is a wei. */
export const etherUnit: TokenUnit = { symbol: 'ETH', decimals: 18 }

/** The suffix for the smallest unit: `5 units` is 5 of them whatever the decimals. */
const smallestUnit = 'units'

const decimalUint = /^[0-9]{1,58}$/
/** The token's symbol follows after a space, or at once where it begins as most do. */
const personAmount = /^([0-9]+)(?:\.([0-9]+))?(?:\s+(\S.*)|([^\s0-9.,+-].*))?$/s
/** What can be a symbol that is not the token's own: a letter in it, or it begins with a sign such as ₿. */
const usualSymbol = /^[^\s0-9.,+-]\S*$/

/**
 * A decimal `uint192` as headers and JSON carry it.
 * @throws UraidenError `not_an_integer`, `amount_too_large`
 * @example
 * parseUint192('5000000000000000') // 5000000000000000n
 */
export function parseUint192(text: string): TokenAmount {
  // 58 digits are enough for uint192; the bound keeps BigInt from chewing on a megabyte.
  if (!decimalUint.test(text)) {
    throw protocolError({
      code: 'not_an_integer',
      message: `"${shorten(text)}" is not an amount of smallest units.`,
    })
  }
  return boundAmount(BigInt(text), text)
}

/**
 * An amount as a person writes it: `0.005 TKN`, `0.005` (also tokens), or `5 units` (smallest).
 * @throws UraidenError `not_an_amount`, `wrong_token`, `too_many_decimals`, `amount_too_large`
 * @example
 * parseAmount('0.005 TKN', { symbol: 'TKN', decimals: 18 }) // 5000000000000000n
 */
export function parseAmount(text: string, token: TokenUnit): TokenAmount {
  const match = personAmount.exec(text.trim())
  if (!match) throw notAnAmount(text, token)
  const [, whole = '0', fraction = '', apart, attached] = match
  const unit = (apart ?? attached ?? token.symbol).replace(/\s+/g, ' ')
  if (unit === smallestUnit) {
    if (fraction !== '') throw notAnAmount(text, token)
    return parseUint192(whole)
  }
  if (unit !== token.symbol) {
    if (!usualSymbol.test(unit)) throw notAnAmount(text, token)
    throw protocolError({
      code: 'wrong_token',
      message: `"${shorten(text)}" is in ${shorten(unit)}, but the token here is ${token.symbol}.`,
      hint: `Write the amount in ${token.symbol}.`,
    })
  }
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > token.decimals) {
    throw protocolError({
      code: 'too_many_decimals',
      message: `"${shorten(text)}" is finer than ${token.symbol} can be divided.`,
      hint: `${token.symbol} has ${token.decimals} decimals: write at most that many.`,
    })
  }
  if (whole.length > 58) throw tooLarge(text)
  return boundAmount(BigInt(whole + digits.padEnd(token.decimals, '0')), text)
}

/**
 * `0.005 TKN`: exact, without superfluous zeros; with at least `leastDecimals` digits after the
 * point where columns should line up.
 * @example
 * formatAmount(5000000000000000n, { symbol: 'TKN', decimals: 18 }) // '0.005 TKN'
 */
export function formatAmount(amount: TokenAmount, token: TokenUnit, leastDecimals = 0): string {
  return `${formatNumber(amount, token.decimals, leastDecimals)} ${token.symbol}`
}

/** For a token that has no symbol that could be written. */
const anyToken = 'tokens'
const longestSymbol = 32
/** Controls and formats, halves of characters, spaces of any kind. */
const between = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]+/gu

/**
 * A symbol as it is shown and read, of what the token says, undefined when it says nothing: one line that steers
 * no terminal, of at most 32 characters, and never the word for smallest units.
 * @example
 * tokenSymbol(undefined) // 'tokens'
 */
export function tokenSymbol(said: string | undefined): string {
  const line = (said ?? '').replace(between, ' ').trim()
  const symbol = [...line].slice(0, longestSymbol).join('').trim()
  return symbol === '' || symbol === smallestUnit ? anyToken : symbol
}

/**
 * The number of `formatAmount` without the symbol.
 * @example
 * formatNumber(1500n, 3) // '1.5'
 * formatNumber(1500n, 3, 2) // '1.50'
 */
export function formatNumber(amount: TokenAmount, decimals: number, leastDecimals = 0): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const least = Math.min(leastDecimals, decimals)
  const fraction = digits.slice(whole.length).replace(/0+$/, '').padEnd(least, '0')
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

function boundAmount(amount: bigint, text: string): TokenAmount {
  if (amount > maxTokenAmount) throw tooLarge(text)
  return amount
}

function tooLarge(text: string): UraidenError {
  return protocolError({
    code: 'amount_too_large',
    message: `"${shorten(text)}" is more than the contract can hold (uint192).`,
  })
}

function notAnAmount(text: string, token: TokenUnit): UraidenError {
  const withPoint = text.includes(',') ? text.replace(',', '.') : ''
  const example = personAmount.test(withPoint.trim()) ? withPoint.trim() : `0.02 ${token.symbol}`
  return protocolError({
    code: 'not_an_amount',
    message: `"${shorten(text)}" is not an amount.`,
    hint: withPoint === '' ? `Write it like ${example}.` : `Write a decimal point: ${example}.`,
  })
}
