import test from 'ava'
import { type QuoteBooks, quoteOf, quoteText } from '../../../agent/cli/commands/quote.ts'
import { parseAddress } from '../../../protocol/index.ts'

const receiver = parseAddress('0x9d80D905bC1E106d5bd0637c12B893c5Ab60CB41')
const token = { symbol: 'TKN', decimals: 18 }
const none: QuoteBooks = { channels: [], limits: [], deposits: {} }
const channel = {
  receiver,
  openBlock: 7,
  deposit: 50n,
  balance: 42n,
  bound: 42n,
  certain: true,
  state: 'open',
} as QuoteBooks['channels'][number]

for (const { when, price, books, opensChannel, deposit } of [
  { when: 'no channel yet', price: 5n, books: none, opensChannel: true, deposit: 50n },
  {
    when: 'a channel with room',
    price: 5n,
    books: { ...none, channels: [channel] },
    opensChannel: false,
    deposit: 0n,
  },
  {
    when: 'a channel without room',
    price: 9n,
    books: { ...none, channels: [channel] },
    opensChannel: false,
    deposit: 37n,
  },
  {
    when: 'a channel that is closing',
    price: 5n,
    books: { ...none, channels: [{ ...channel, state: 'closing' as const }] },
    opensChannel: true,
    deposit: 50n,
  },
  {
    when: 'a budget that leaves less',
    price: 5n,
    books: {
      ...none,
      limits: [{ scope: 'all' as const, window: 'day' as const, cap: 20n, used: 0n }],
    },
    opensChannel: true,
    deposit: 20n,
  },
  {
    when: 'deposit.open of the configuration',
    price: 5n,
    books: { ...none, deposits: { open: (asked: bigint) => 3n * asked } },
    opensChannel: true,
    deposit: 15n,
  },
]) {
  test(`a dry run with ${when}`, (t) => {
    const quote = quoteOf({ price, receiver }, token, books)
    t.like(quote, { price, symbol: 'TKN', decimals: 18, receiver, opensChannel, deposit })
  })
}

test('a dry run is one sentence', (t) => {
  const one = 10n ** 18n
  const books = { ...none, channels: [{ ...channel, deposit: one, balance: 0n }] }
  const text = (price: bigint, given: QuoteBooks) =>
    quoteText(quoteOf({ price, receiver }, token, given))
  t.is(text(one / 200n, none), '0.005 TKN, and a channel with about 0.05 TKN would be opened')
  t.is(text(one / 200n, books), '0.005 TKN, from the channel that is open')
  t.is(text(2n * one, books), '2 TKN, and about 9 TKN would be added to the channel')
  t.is(quoteText(quoteOf(undefined, token, none)), 'free')
})
