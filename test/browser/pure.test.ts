// The parts of the browser client that decide and encode, against other people's implementations.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { Interface } from 'ethers'
import fc from 'fast-check'
import { decodeText, decodeWords, encodeCall } from '../../browser/abi.ts'
import { walletError } from '../../browser/errors.ts'
import { judge, type Refused } from '../../browser/judge.ts'
import { seedBalance, typedBalance } from '../../browser/signing.ts'
import { channelMemory, type StoredChannel } from '../../browser/storage.ts'
import { discoverWallets } from '../../browser/wallet.ts'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import { revertHints } from '../../contracts/reverts.ts'
import {
  type Address,
  addressFromBytes,
  balanceProofDigest,
  type Hex,
  parseAddress,
  signDigest,
  toHex,
} from '../../protocol/index.ts'
import { mapStore } from '../support/map-store.ts'
import { seedHash, typedHash } from '../support/wallet.ts'

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(addressFromBytes)
const uint192 = fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })
const block = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const bytes = fc.uint8Array({ maxLength: 200 })
const channels = new Interface(channelsAbi)
const token = new Interface(tokenAbi)

test('calls are encoded as ethers encodes them', (t) => {
  fc.assert(
    fc.property(address, uint192, block, bytes, bytes, (to, amount, openBlock, first, second) => {
      t.is(
        encodeCall('transfer(address,uint256,bytes)', [to, amount, first]),
        token.encodeFunctionData('transfer(address,uint256,bytes)', [to, amount, first]) as Hex,
      )
      t.is(
        encodeCall('cooperativeClose(address,uint32,uint192,bytes,bytes)', [
          to,
          BigInt(openBlock),
          amount,
          first,
          second,
        ]),
        channels.encodeFunctionData('cooperativeClose', [
          to,
          openBlock,
          amount,
          first,
          second,
        ]) as Hex,
      )
    }),
  )
})

test('answers are decoded as ethers encodes them', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), uint192, (text, amount) => {
      const clean = text.replaceAll('\0', '')
      t.is(
        decodeText(token.encodeFunctionResult('symbol', [clean]) as Hex),
        Buffer.from(clean).toString(),
      )
      t.deepEqual(decodeWords(token.encodeFunctionResult('balanceOf', [amount]) as Hex, 1), [
        amount,
      ])
    }),
  )
})

test('a bytes32 stands for a text in old tokens', (t) => {
  t.is(decodeText(`0x${Buffer.from('RDN').toString('hex').padEnd(64, '0')}`), 'RDN')
})

for (const answer of ['0x', '0x00', `0x${'ff'.repeat(64)}`] as const) {
  test(`${answer.slice(0, 10)} is no answer of a contract`, (t) => {
    t.throws(() => decodeText(answer === '0x00' ? '0x0000' : answer), { code: 'not_a_contract' })
  })
}

test('what a wallet shows and hashes is the balance proof, in both forms', (t) => {
  fc.assert(
    fc.property(address, address, block, uint192, (contract, receiver, openBlock, balance) => {
      const domain = { contract, chainId: 31337n }
      const message = { receiver, openBlock, balance }
      const digest = (form: 'eip712' | 'seed') =>
        toHex(balanceProofDigest(form, domain, receiver)(openBlock, balance))
      const typed = JSON.parse(JSON.stringify(typedBalance(domain, message)))
      t.is(typedHash(typed), digest('eip712'))
      t.is(seedHash(seedBalance(domain, message)), digest('seed'))
    }),
    { numRuns: 30 },
  )
})

test('the seed form is the one of the independent cases', (t) => {
  const file = new URL('../protocol/balance-proofs.json', import.meta.url)
  const cases = JSON.parse(readFileSync(file, 'utf8'))
  t.true(cases.length > 0)
  for (const { receiver, contract, open_block_number, balance, balance_proof_hash } of cases) {
    const domain = { contract: parseAddress(contract), chainId: 1n }
    const message = {
      receiver: parseAddress(receiver),
      openBlock: open_block_number,
      balance: BigInt(balance),
    }
    t.is(seedHash(seedBalance(domain, message)), balance_proof_hash)
  }
})

const key = new Uint8Array(32).fill(7)
const someone = parseAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3')
const signature = signDigest(new Uint8Array(32).fill(1), key)
const pending = { balance: 15n, price: 5n, signature, key: 'k' }
const channel: StoredChannel = { openBlock: 1, balance: 10n, signature, recovered: false }
const refused: Refused = {
  channel,
  sent: pending,
  repeated: false,
  fresh: false,
  reason: undefined,
  price: 5n,
  claimed: 10n,
  proven: true,
}
const verdicts: readonly (readonly [string, Partial<Refused>, ReturnType<typeof judge>])[] = [
  ['waits for confirmations, always', { reason: 'insufficient_confirmations' }, 'wait'],
  ['waits while a new channel is unknown', { reason: 'nonexisting_channel', fresh: true }, 'wait'],
  ['gives a channel up after that', { reason: 'nonexisting_channel' }, 'channel_gone'],
  ['waits for a top-up to be seen', { reason: 'invalid_balance_proof', fresh: true }, 'wait'],
  ['gives up a proof after that', { reason: 'invalid_balance_proof' }, 'proof_refused'],
  ['pays no other price', { price: 6n }, 'price_changed'],
  ['takes a proven balance', { claimed: 40n, reason: 'invalid_amount' }, 'correct'],
  ['finds a receiver that keeps a payment', { claimed: 15n }, 'cheated'],
  ['is not cheated by what it repeats', { claimed: 15n, repeated: true }, 'correct'],
  [
    'is not cheated when a recovered channel stands just there',
    { claimed: 15n, channel: { ...channel, recovered: true } },
    'correct',
  ],
  ['needs no proof of what it knows', { claimed: 10n, proven: false }, 'correct'],
  ['believes no other balance', { claimed: 11n, proven: false }, 'unproven'],
  ['believes no loss of a balance', { claimed: undefined, proven: false }, 'unproven'],
  [
    'starts a recovered channel at nothing',
    { claimed: undefined, proven: false, channel: { ...channel, recovered: true } },
    'correct',
  ],
]
for (const [name, change, verdict] of verdicts) {
  test(`a refused payment: ${name}`, (t) => {
    t.is(judge({ ...refused, ...change }), verdict)
  })
}

test('a stored channel comes back as it was, with amounts over 2^53', (t) => {
  const memory = channelMemory(mapStore(), owner(someone))
  const full = { ...channel, balance: 2n ** 90n, pending: { ...pending, balance: 2n ** 91n } }
  memory.save(full)
  t.deepEqual(memory.load(), full)
  memory.forget()
  t.is(memory.load(), undefined)
})

test('a damaged record counts as none', (t) => {
  const store = mapStore()
  const memory = channelMemory(store, owner(someone))
  memory.save(channel)
  for (const damage of ['', '{}', 'null', '{"openBlock":"1","balance":"-1"}']) {
    for (const name of store.keys()) store.setItem(name, damage)
    t.is(memory.load(), undefined)
  }
})

const refusals: readonly (readonly [object, string, RegExp])[] = [
  [{ code: 4001, message: 'no' }, 'wallet_refused', /Nothing was signed/],
  [{ code: -32002 }, 'wallet_busy', /Open the wallet/],
  [{ code: 4900 }, 'wallet_disconnected', /network/],
  [{ code: 4902 }, 'wallet_chain_unknown', /Add the network/],
  [{ code: 4100 }, 'wallet_locked', /Unlock/],
  [{ code: -32601, message: 'no method' }, 'wallet_unsupported', /another wallet/],
  [{ code: -32603, message: 'x'.repeat(9999) }, 'wallet_failed', /network/],
  [
    { code: -32603, data: { originalError: { data: selector('ChannelExists') } } },
    'would_revert_now',
    /in the next/,
  ],
  [{ code: 3, message: 'execution reverted' }, 'would_revert', /lacks tokens/],
]
for (const [thrown, code, hint] of refusals) {
  test(`a wallet that throws ${JSON.stringify(thrown).slice(0, 60)} means ${code}`, (t) => {
    const error = walletError(thrown, 'eth_call')
    t.is(error.code, code)
    t.regex(error.hint, hint)
    t.true(error.message.length < 400)
  })
}

test('each error that is explained is one of the contract or of its token', (t) => {
  const errors: readonly { readonly type: string; readonly name?: string }[] = [
    ...channelsAbi,
    ...tokenAbi,
  ]
  const known = errors.filter(({ type }) => type === 'error').map(({ name }) => name)
  t.deepEqual(
    Object.keys(revertHints).filter((name) => !known.includes(name)),
    [],
  )
})

test('wallets are found as they announce themselves; without any, window.ethereum is', (t) => {
  const provider = { request: async () => null }
  const target = Object.assign(new EventTarget(), { ethereum: provider })
  const alone: string[] = []
  discoverWallets(({ name }) => alone.push(name), target)
  t.deepEqual(alone, ['Browser wallet'])

  const announce = (detail: unknown) =>
    target.dispatchEvent(Object.assign(new Event('eip6963:announceProvider'), { detail }))
  const good = { info: { uuid: 'u', name: 'Fox', icon: 'https://elsewhere/i.png' }, provider }
  target.addEventListener('eip6963:requestProvider', () => announce(good))
  const found: object[] = []
  const stop = discoverWallets((wallet) => found.push(wallet), target)
  announce(good)
  announce({ info: { uuid: 'v' }, provider })
  announce(undefined)
  stop()
  announce({ ...good, info: { ...good.info, uuid: 'late' } })
  t.deepEqual(found, [{ id: 'u', name: 'Fox', icon: '', provider }])
})

function selector(name: string): string {
  return new Interface([`error ${name}()`]).encodeErrorResult(name)
}

function owner(party: Address) {
  return { chainId: 1n, contract: party, receiver: party, sender: party }
}
