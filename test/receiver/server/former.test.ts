// Whose a request is, where a receiver serves several contracts.
import test from 'ava'
import type { Address } from '../../../protocol/index.ts'
import type { Receiver } from '../../../receiver/core/receiver.ts'
import { type FormerServer, formerOf } from '../../../receiver/server/former.ts'

const [newest, former, older, strange] = ['11', '22', '33', '44'].map(
  (byte) => `0x${byte.repeat(20)}` as Address,
) as [Address, Address, Address, Address]
const sender = `0x${'ab'.repeat(20)}`

function receiver(contract: Address, channels: readonly string[]): Receiver {
  const has = (address: string, block: number) =>
    channels.includes(`${address.toLowerCase()}/${block}`)
  const book = { get: (address: string, block: number) => (has(address, block) ? {} : undefined) }
  return { contract, book } as unknown as Receiver
}

const main = receiver(newest, [`${sender}/7`])
const formers = [
  receiver(former, [`${sender}/7`, `${sender}/8`]),
  receiver(older, [`${sender}/9`]),
].map((each) => ({ receiver: each }) as FormerServer)

/** The contract that a request goes to. */
function whose(url: string, headers: Readonly<Record<string, string>> = {}): Address {
  return formerOf({ url, headers }, main, formers)?.receiver.contract ?? newest
}

test('the contract that a request names, by header, cookie, or in the query of the channel API', (t) => {
  t.is(whose('/reading'), newest)
  for (const contract of [newest, former, older]) {
    t.is(whose('/reading', { 'rdn-contract-address': contract }), contract)
    t.is(
      whose('/reading', { 'rdn-contract-address': contract.toUpperCase().replace('X', 'x') }),
      contract,
    )
    t.is(whose('/reading', { cookie: `a=b; RDN-Contract-Address=${contract}` }), contract)
    t.is(whose(`/api/1/stats?contract=${contract}`), contract)
    t.is(whose(`//api/1//stats?contract=${contract}`), contract)
  }
  // A header stands above a cookie; the query of what is sold is the resource's own.
  const both = { 'rdn-contract-address': older, cookie: `RDN-Contract-Address=${former}` }
  t.is(whose('/reading', both), older)
  t.is(whose(`/reading?contract=${former}`), newest)
})

test('one that is not served, or cannot be read, goes to the newest, which refuses it', (t) => {
  t.is(whose('/reading', { 'rdn-contract-address': strange }), newest)
  const paying = { 'rdn-sender-address': sender, 'rdn-open-block': '8' }
  t.is(whose('/reading', { ...paying, 'rdn-contract-address': strange }), newest)
  for (const text of ['', 'x', '0x', `${former}00`, '__proto__']) {
    t.is(whose('/reading', { 'rdn-contract-address': text }), newest)
    t.is(whose(`/api/1/stats?contract=${text}`), newest)
    t.is(whose(`/api/1/channels/${text || '-'}/8`), newest)
    t.is(whose('/reading', { 'rdn-sender-address': sender, 'rdn-open-block': text }), newest)
  }
})

test('without a name: where the channel is, and the newest where several have one', (t) => {
  const paths = ['', '/request-key', '/answers/x']
  for (const rest of paths) {
    t.is(whose(`/api/1/channels/${sender}/8${rest}`), former)
    t.is(whose(`//api/1//channels/${sender}/9${rest}?balance=1`), older)
    t.is(whose(`/api/1/channels/${sender}/7${rest}`), newest)
    t.is(whose(`/api/1/channels/${sender}/10${rest}`), newest)
  }
  const paid = (block: string) => ({ 'rdn-sender-address': sender, 'rdn-open-block': block })
  t.deepEqual(
    ['7', '8', '9', '10'].map((block) => whose('/reading', paid(block))),
    [newest, former, older, newest],
  )
  t.is(whose('/reading', { cookie: `RDN-Sender-Address=${sender}; RDN-Open-Block=9` }), older)
  t.is(whose(`/api/1/channels/${sender}`), newest)
})
