import test from 'ava'
import { parseClosingBalance } from '../../../../receiver/server/api/closing-balance.ts'

const tkn = 10n ** 18n
const most = 2n ** 192n - 1n

/** The balance as JSON, the latest one, and what it is read as. */
const cases: readonly (readonly [string, bigint, bigint | string])[] = [
  ['"10"', 10n, 10n],
  ['10', 10n, 10n],
  ['9', 10n, 9n],
  ['9007199254740991', 2n ** 53n - 1n, 2n ** 53n - 1n],
  ['9007199254740992', 2n ** 53n, 2n ** 53n],
  // 0.02 TKN, as the original's page asked for.
  ['20000000000000000', tkn / 50n, tkn / 50n],
  ['20000000000000001', tkn / 50n + 1n, tkn / 50n + 1n],
  ['1e+21', 1000n * tkn, 1000n * tkn],
  ['20000000000000000', tkn, tkn / 50n],
  ['20000000000000004', tkn, tkn / 50n + 4n],
  [`${most}`, most, most],
  ['1e300', tkn, 'not_an_integer'],
  ['-5', 5n, 'not_an_integer'],
  ['5.5', 5n, 'balance_missing'],
  ['null', 5n, 'balance_missing'],
  ['[5]', 5n, 'balance_missing'],
]

for (const [json, latest, expected] of cases) {
  test(`${json} where ${latest} is the latest: ${expected}`, (t) => {
    const read = () => parseClosingBalance(JSON.parse(json), latest)
    if (typeof expected === 'bigint') t.is(read(), expected)
    else t.like(t.throws(read), { code: expected })
  })
}
