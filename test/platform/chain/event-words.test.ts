// Events as ethers reads them, without its cost.
import test from 'ava'
import { Interface } from 'ethers'
import fc from 'fast-check'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { addressOfWord, parseEvent } from '../../../platform/chain/event-words.ts'

const contract = new Interface(channelsAbi)
const names = [
  ...['ChannelCreated', 'ChannelToppedUp', 'ChannelCloseRequested', 'ChannelChallenged'],
  ...['ChannelWithdraw', 'ChannelSettled'],
]
const addresses = fc.bigInt({ min: 0n, max: 2n ** 160n - 1n })
const numbers = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), fc.constantFrom(0n, 1n))

test('a log says what ethers reads in it', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.tuple(addresses, addresses, numbers, fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })),
      (name, [sender, receiver, small, large]) => {
        const args = [addressOfWord(sender), addressOfWord(receiver), small, large, large / 3n]
        const inputs = contract.getEvent(name)?.inputs ?? []
        const log = contract.encodeEventLog(name, args.slice(0, inputs.length))
        const read = contract.parseLog(log)
        const parsed = parseEvent(contract, log)
        t.is(parsed?.name, read?.name)
        t.deepEqual(
          parsed?.args.map((word, at) => (at < 2 ? addressOfWord(word) : word)),
          read?.args.toArray(),
        )
      },
    ),
  )
})

test('a log of another contract is none, and one of another form is refused', (t) => {
  const sender = addressOfWord(7n)
  const log = contract.encodeEventLog('ChannelWithdraw', [sender, sender, 5, 6n])
  const [hash = '', ...rest] = log.topics
  t.truthy(
    parseEvent(contract, { ...log, topics: [hash.toUpperCase().replace('X', 'x'), ...rest] }),
  )
  t.is(parseEvent(contract, { ...log, topics: [`0x${'11'.repeat(32)}`, ...rest] }), undefined)
  t.is(parseEvent(contract, { ...log, topics: [] }), undefined)
  const large = `0x${'11'.repeat(32)}`
  for (const [title, wrong] of [
    ['without data', { ...log, data: '0x' }],
    ['data that is cut', { ...log, data: log.data.slice(0, -2) }],
    ['a topic less', { ...log, topics: [hash, ...rest.slice(1)] }],
    ['a topic more', { ...log, topics: [hash, ...rest, large] }],
    ['no address', { ...log, topics: [hash, large, ...rest.slice(1)] }],
    ['more than the contract counts', { ...log, data: large }],
  ] as const) {
    t.throws(() => parseEvent(contract, wrong), { instanceOf: RangeError }, title)
  }
})
