import test from 'ava'
import fc from 'fast-check'
import {
  type Announcement,
  addressFromBytes,
  formatAnnouncement,
  isUraidenError,
  parseAddress,
  parseAnnouncement,
} from '../../protocol/index.ts'

const receiver = parseAddress('0x9d80d905bc1e106d5bd0637c12b893c5ab60cb41')
const contract = parseAddress('0x74434527b8e6c8296506d61d0faf3d18c9e4649a')
const plain: Announcement = { path: '/api/1', receiver, contract, chainId: 1337n, tls: false }

test('the record has the names of the specification', (t) => {
  t.deepEqual(formatAnnouncement(plain), { path: '/api/1', receiver, contract, chain: '1337' })
  t.deepEqual(formatAnnouncement({ ...plain, tls: true, price: 'from 0.005 TKN' }), {
    path: '/api/1',
    receiver,
    contract,
    chain: '1337',
    tls: '1',
    price: 'from 0.005 TKN',
  })
})

const addresses = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(addressFromBytes)

test('what is announced is what is read, also as bytes', (t) => {
  const announcements = fc.record(
    {
      path: fc.stringMatching(/^\/[a-z0-9]{1,20}$/),
      receiver: addresses,
      contract: addresses,
      chainId: fc.bigInt({ min: 1n, max: 10n ** 16n - 1n }),
      tls: fc.boolean(),
      price: fc.stringMatching(/^[ -~]{0,60}$/),
    },
    { requiredKeys: ['path', 'receiver', 'contract', 'chainId', 'tls'] },
  )
  fc.assert(
    fc.property(announcements, (announcement) => {
      const record = formatAnnouncement(announcement)
      t.deepEqual(parseAnnouncement(record), announcement)
      const bytes = Object.entries(record).map(([name, text]) => [name, Buffer.from(text)])
      t.deepEqual(parseAnnouncement(Object.fromEntries(bytes)), announcement)
    }),
  )
})

test('names are read in any case, and unknown ones are passed over', (t) => {
  const { path, ...rest } = formatAnnouncement(plain)
  t.deepEqual(parseAnnouncement({ ...rest, PATH: path, txtvers: '1', later: true }), plain)
})

const wrong: readonly (readonly [field: string, value: string | undefined])[] = [
  ['path', undefined],
  ['path', 'http://elsewhere/api/1'],
  ['path', '//elsewhere/api/1'],
  ['receiver', undefined],
  ['receiver', '0x1234'],
  ['contract', 'true'],
  ['chain', undefined],
  ['chain', '0'],
  ['chain', '-1'],
  ['chain', '1'.repeat(17)],
]

for (const [field, value] of wrong) {
  test(`an announcement with ${field} ${value ?? 'missing'} is refused by name`, (t) => {
    const { [field]: _, ...rest } = formatAnnouncement(plain)
    const record = value === undefined ? rest : { ...rest, [field]: value }
    const error = t.throws(() => parseAnnouncement(record))
    t.true(isUraidenError(error, 'bad_announcement'))
    t.true(error?.message.includes(field))
  })
}

test('whatever stands in a record, the answer is an announcement or an error of ours', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.anything()), (record) => {
      try {
        parseAnnouncement(record)
      } catch (error) {
        t.true(isUraidenError(error, 'bad_announcement'))
      }
    }),
  )
  t.pass()
})

test('a foreign price cannot steer a terminal, and is cut', (t) => {
  const hostile = { ...formatAnnouncement(plain), price: `\u001b[2J\u202e${'9'.repeat(100)}` }
  const { price = '' } = parseAnnouncement(hostile)
  t.true(price.startsWith('[2J99'))
  t.is(price.length, 61)
})

test('a string of the record has at most 255 bytes', (t) => {
  const longest = { ...plain, path: `/${'a'.repeat(255 - 'path=/'.length)}` }
  t.is(formatAnnouncement(longest).path, longest.path)
  const error = t.throws(() => formatAnnouncement({ ...longest, path: `${longest.path}a` }))
  t.true(isUraidenError(error, 'announcement_too_long'))
})
