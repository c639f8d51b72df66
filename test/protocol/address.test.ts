import test from 'ava'
import {
  addressFromBytes,
  addressToBytes,
  channelKey,
  parseAddress,
  parseBlockNumber,
  parseTypedAddress,
  storedAddress,
} from '../../protocol/index.ts'

// The examples of EIP-55 itself.
const checksummed = [
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
  '0xde709f2102306220921060314715629080e2fb77',
  '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
]

for (const text of checksummed) {
  test(`${text} is read in any case and printed with its checksum`, (t) => {
    t.is<string, string>(parseAddress(text), text)
    t.is<string, string>(parseAddress(text.toLowerCase()), text)
    t.is<string, string>(parseAddress(`0x${text.slice(2).toUpperCase()}`), text)
    t.is<string, string>(parseTypedAddress(text), text)
    t.is<string, string>(addressFromBytes(addressToBytes(parseAddress(text))), text)
  })
}

test('a mistyped address of a person is found by its checksum', (t) => {
  t.throws(() => parseTypedAddress('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD'), {
    code: 'wrong_checksum',
  })
  t.notThrows(() => parseTypedAddress('0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'))
})

test('what has not 20 bytes in hex is no address', (t) => {
  for (const text of [
    '',
    '0x',
    '0x00',
    `0x${'0'.repeat(39)}`,
    `0x${'0'.repeat(41)}`,
    'x'.repeat(42),
  ]) {
    t.throws(() => parseAddress(text), { code: 'not_an_address' })
  }
})

test('the channel key depends on each of its three parts', (t) => {
  const [a, b, c] = checksummed.map(parseAddress)
  if (!a || !b || !c) return t.fail()
  const keys = [
    channelKey({ sender: a, receiver: b, openBlock: 1 }),
    channelKey({ sender: b, receiver: a, openBlock: 1 }),
    channelKey({ sender: a, receiver: c, openBlock: 1 }),
    channelKey({ sender: a, receiver: b, openBlock: 2 }),
  ]
  t.is(new Set(keys).size, keys.length)
})

test('block numbers are uint32', (t) => {
  t.is(parseBlockNumber('0'), 0)
  t.is(parseBlockNumber('4294967295'), 4294967295)
  for (const text of ['4294967296', '-1', '', '1.0', '0x1', '1e3', '99999999999']) {
    t.throws(() => parseBlockNumber(text), { code: 'not_a_block_number' })
  }
})

test('an address that was stored is taken as it stands, and nothing that is none', (t) => {
  for (const text of checksummed) t.is<string, string>(storedAddress(text), text)
  for (const text of ['', '0x', `${checksummed[0]}0`, checksummed[0]?.slice(2) ?? '']) {
    t.throws(() => storedAddress(text), { code: 'not_an_address' })
  }
})

test('an address that is asked for again is the same in each of its spellings', (t) => {
  for (let again = 0; again < 3; again++) {
    for (const text of checksummed) {
      const odd = `0x${text.slice(2, 20).toLowerCase()}${text.slice(20).toUpperCase()}`
      for (const spelt of [text, text.toLowerCase(), odd]) {
        t.is<string, string>(parseAddress(spelt), text)
      }
    }
  }
})
