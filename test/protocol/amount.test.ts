import test from 'ava'
import fc from 'fast-check'
import {
  formatAmount,
  formatNumber,
  maxTokenAmount,
  parseAmount,
  parseUint192,
  tokenSymbol,
} from '../../protocol/index.ts'

const tkn = { symbol: 'TKN', decimals: 18 }
const whole = { symbol: 'PT', decimals: 0 }

const readable: readonly (readonly [string, bigint, { symbol: string; decimals: number }])[] = [
  ['0.005 TKN', 5_000_000_000_000_000n, tkn],
  ['0.005TKN', 5_000_000_000_000_000n, tkn],
  ['0.005', 5_000_000_000_000_000n, tkn],
  ['  2 TKN ', 2n * 10n ** 18n, tkn],
  ['1.500 TKN', 15n * 10n ** 17n, tkn],
  ['0.000000000000000001 TKN', 1n, tkn],
  ['0.0000000000000000010 TKN', 1n, tkn],
  ['0', 0n, tkn],
  ['5 units', 5n, tkn],
  ['7 PT', 7n, whole],
  ['7.0 PT', 7n, whole],
]

for (const [text, amount, token] of readable) {
  test(`"${text}" is ${amount} of the smallest unit`, (t) => t.is(parseAmount(text, token), amount))
}

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['0,02 TKN', 'not_an_amount', /Write a decimal point: 0\.02 TKN\./],
  ['-1 TKN', 'not_an_amount', /Write it like/],
  ['+1 TKN', 'not_an_amount', /Write it like/],
  ['1e3 TKN', 'not_an_amount', /Write it like/],
  ['1e3', 'wrong_token', /Write the amount in TKN/],
  ['.5 TKN', 'not_an_amount', /Write it like/],
  ['5. TKN', 'not_an_amount', /Write it like/],
  ['1 2 TKN', 'not_an_amount', /Write it like/],
  ['1_000 TKN', 'not_an_amount', /Write it like/],
  ['', 'not_an_amount', /Write it like/],
  ['TKN', 'not_an_amount', /Write it like/],
  ['1 ETH', 'wrong_token', /Write the amount in TKN/],
  ['0.5 units', 'not_an_amount', /Write it like/],
  ['0.0000000000000000001 TKN', 'too_many_decimals', /18 decimals/],
]

for (const [text, code, hint] of refused) {
  test(`"${text}" is refused with ${code}`, (t) => {
    const error = t.throws(() => parseAmount(text, tkn), { code }) as Error & { hint: string }
    t.regex(error.hint, hint)
  })
}

const symbols = [
  '1INCH',
  '+X',
  '-X',
  '.x',
  'USD Coin',
  '₿',
  'USD₮0',
  '2 TKN',
  '000',
  '5',
  'units2',
  "a'b",
]

for (const symbol of symbols) {
  test(`amounts in "${symbol}" are read as they are written`, (t) => {
    for (const decimals of [0, 6, 18]) {
      const token = { symbol, decimals }
      for (const amount of [0n, 1n, 5n, 10n ** 6n, 123_456_789n * 10n ** 12n]) {
        t.is(parseAmount(formatAmount(amount, token), token), amount)
        t.is(parseAmount(` ${formatAmount(amount, token)} `.replaceAll(' ', '  '), token), amount)
        t.is(parseAmount(`${amount} units`, token), amount)
      }
    }
  })
}

test('an amount in a token with an odd symbol is no amount in another', (t) => {
  for (const symbol of symbols) {
    const error = t.throws(() => parseAmount(`5 ${symbol}`, tkn)) as Error & { code: string }
    t.true(['wrong_token', 'not_an_amount'].includes(error.code))
  }
})

test('a symbol can be shown and read, whatever the token says', (t) => {
  for (const [said, shown] of [
    ['TKN', 'TKN'],
    [' T\tK\n N ', 'T K N'],
    ['', 'tokens'],
    [undefined, 'tokens'],
    ['\0\0', 'tokens'],
    ['units', 'tokens'],
    [' units\u200b', 'tokens'],
    ['\u001b[2JX', '[2JX'],
    ['\u202eNKT', 'NKT'],
    ['x'.repeat(32), 'x'.repeat(32)],
    ['x'.repeat(33), 'x'.repeat(32)],
    ['😀'.repeat(33), '😀'.repeat(32)],
    [`${'x'.repeat(31)} y`, 'x'.repeat(31)],
  ] as const) {
    t.is(tokenSymbol(said), shown)
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.bigInt(0n, 10n ** 30n), (said, amount) => {
      const token = { symbol: tokenSymbol(said), decimals: 18 }
      t.is(parseAmount(formatAmount(amount, token), token), amount)
    }),
  )
})

test('the largest amount fits, one more does not', (t) => {
  t.is(parseUint192(maxTokenAmount.toString()), maxTokenAmount)
  t.throws(() => parseUint192((maxTokenAmount + 1n).toString()), { code: 'amount_too_large' })
  t.is(parseAmount(formatNumber(maxTokenAmount, 18), tkn), maxTokenAmount)
  t.throws(() => parseAmount(formatNumber(maxTokenAmount + 1n, 18), tkn), {
    code: 'amount_too_large',
  })
  t.throws(() => parseAmount('9'.repeat(59), tkn), { code: 'amount_too_large' })
})

test('a header with a sign, a point, an exponent, hex or a megabyte is no integer', (t) => {
  for (const text of ['', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1 ', '١', '9'.repeat(59)]) {
    t.throws(() => parseUint192(text), { code: 'not_an_integer' })
  }
  const error = t.throws(() => parseUint192('9'.repeat(1_000_000)))
  t.true((error?.message.length ?? 0) < 200)
})

test('formatted amounts are exact and line up when asked', (t) => {
  t.is(formatAmount(5_000_000_000_000_000n, tkn), '0.005 TKN')
  t.is(formatAmount(100_000_000_000_000_000n, tkn, 3), '0.100 TKN')
  t.is(formatAmount(0n, tkn), '0 TKN')
  t.is(formatAmount(7n, whole, 3), '7 PT')
  t.is(formatAmount(-5_000_000_000_000_000n, tkn), '-0.005 TKN')
})

test('every amount is read back from what is shown', (t) => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: maxTokenAmount }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }),
      (amount, decimals, least) => {
        const token = { symbol: 'TKN', decimals }
        t.is(parseAmount(formatAmount(amount, token, least), token), amount)
      },
    ),
  )
})
