// Whether a payment is good, whatever signed it.
import test from 'ava'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import type { Ledgers } from '../../../receiver/channels/ledgers.ts'
import {
  createChannelManager,
  decidePayment,
  type ManagerOptions,
  type PaymentCase,
} from '../../../receiver/channels/manager.ts'
import type { Channel } from '../../../receiver/channels/records.ts'

const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const channel: Channel = {
  ...{ sender, openBlock: 7, deposit: 100n, withdrawn: 0n, state: 'open' },
  claims: { highest: 5n, unclaimed: [] },
  agreedToClose: false,
}
const payment = { sender, openBlock: 7, balance: 10n, signature }
const good: PaymentCase = {
  payment,
  price: 5n,
  channel,
  seenUnconfirmed: false,
  mostBalance: 1000n,
}
const unknown = { channel: undefined }
const exact = { payment: { ...payment, amount: 5n } }

for (const [given, change, expected] of [
  ['the price above the last balance', {}, 'acceptable'],
  ['the amount that it names is the price', exact, 'acceptable'],
  [
    'it leaves a gap, and says its amount',
    { payment: { ...exact.payment, balance: 20n } },
    'acceptable',
  ],
  [
    'it leaves a gap, and says nothing',
    { payment: { ...payment, balance: 20n } },
    'invalid_amount',
  ],
  ['the amount that it names is another', { ...exact, price: 4n }, 'invalid_amount'],
  ['the balance has paid already', { payment: { ...payment, balance: 5n } }, 'balance_spent'],
  ['all of the deposit', { price: 95n, payment: { ...payment, balance: 100n } }, 'acceptable'],
  [
    'more than the deposit',
    { price: 96n, payment: { ...payment, balance: 101n } },
    'balance_over_deposit',
  ],
  ['as much as may be owed now', { mostBalance: 10n }, 'acceptable'],
  ['more than may be owed now', { mostBalance: 9n }, 'insufficient_confirmations'],
  [
    'another price, and more than may be owed now',
    { ...exact, price: 4n, mostBalance: 0n },
    'invalid_amount',
  ],
  [
    'of credit, which owes no more',
    {
      mostBalance: 0n,
      channel: { ...channel, claims: { highest: 20n, unclaimed: [{ from: 5n, to: 10n }] } },
    },
    'acceptable',
  ],
  ['no such channel', unknown, 'nonexisting_channel'],
  [
    'a channel not yet confirmed',
    { ...unknown, seenUnconfirmed: true },
    'insufficient_confirmations',
  ],
  [
    'we agreed to its close',
    { channel: { ...channel, agreedToClose: true } },
    'nonexisting_channel',
  ],
  ['its close was requested', { channel: { ...channel, state: 'closing' } }, 'nonexisting_channel'],
  ['it is settled', { channel: { ...channel, state: 'settled' } }, 'nonexisting_channel'],
] as const) {
  test(`${given}: ${expected}`, (t) => {
    const decision = decidePayment({ ...good, ...change })
    t.is(decision.kind === 'refused' ? decision.code : decision.kind, expected)
  })
}

for (const [given, after, expected] of [
  ['was given back while its repetition waited', { unclaimed: [{ from: 0n, to: 5n }] }, 'paid'],
  ['has paid, and its answer left whole', { unclaimed: [] }, 'refused'],
] as const) {
  test(`what ${given}: ${expected}`, async (t) => {
    let claims: Channel['claims'] = { highest: 5n, unclaimed: [] }
    let looks = 0
    const ledgers: Partial<Ledgers> = {
      look: () => {
        looks++
        return {
          channel: { ...channel, claims, proof: { signature, form: 'eip712' } },
          ...{ seenUnconfirmed: false, mostBalance: 1000n, earlierDeposits: [] },
        }
      },
      again: async () => {
        claims = { ...claims, ...after }
        return undefined
      },
      claim: async (claimed) => ({
        ...{ kind: 'claimed', channel },
        claimed: { ...claimed, paid: { from: 0n, to: 5n }, number: undefined },
      }),
    }
    const manager = createChannelManager({ ledgers } as ManagerOptions)
    const mac = '11'.repeat(16)
    const asked = { sender, openBlock: 7, balance: 5n, bound: true, mac } as const
    const outcome = await manager.registerPayment(asked, 5n)
    t.is(outcome.kind, expected)
    t.true(looks <= 3)
  })
}
