import test from 'ava'
import { receiverConfig } from '../../../receiver/program/config.ts'
import { amountOptions, receiverSettings } from '../../../receiver/program/settings.ts'

const token = { symbol: 'TKN', decimals: 18 }
const base = { contract: `0x${'11'.repeat(20)}`, key: 'key.json' }

const accepts = (more: object) => receiverConfig.safeParse({ ...base, ...more }).success

const bounds = [
  ['relay', 'mostPerDay', 1, 10_000],
  ['relay', 'mostGasPerDay', 200_000, undefined],
  ['relay', 'mostWaiting', 1, 1000],
  ['limits', 'connections', 1, 100_000],
  ['limits', 'perAddress', 1, 100_000],
  ['limits', 'pipelined', 1, 1000],
  ['limits', 'mostBytes', 1 << 20, undefined],
  ['limits', 'requestKeys', 1, undefined],
  ['limits', 'requestKeysInAll', 1, undefined],
] as const

for (const [section, name, least, most] of bounds) {
  test(`${section}.${name} from ${least}${most === undefined ? '' : ` to ${most}`}`, (t) => {
    const takes = (value: number) => accepts({ [section]: { [name]: value } })
    t.true(takes(least))
    t.false(takes(least - 1))
    t.false(takes(least + 0.5))
    if (most === undefined) return
    t.true(takes(most))
    t.false(takes(most + 1))
  })
}

test('times that clients have: from a tenth of a second to', (t) => {
  for (const [name, most] of [
    ['headers', 600],
    ['request', 86_400],
    ['idle', 3600],
    ['stall', 3600],
  ] as const) {
    const takes = (value: number) => accepts({ limits: { [name]: value } })
    t.deepEqual([takes(0.1), takes(0.09), takes(most), takes(most + 1)], [true, false, true, false])
  }
})

test('hosts are names without port and scheme; proxies are addresses', (t) => {
  for (const right of [['shop.example.org'], ['*.example.org', 'kitchen'], ['*']]) {
    t.true(accepts({ hosts: right }), `${right}`)
  }
  for (const wrong of [[], ['http://x'], ['x:80'], ['a*'], ['*.'], [''], ['x/'], ['-x']]) {
    t.false(accepts({ hosts: wrong }), `${wrong}`)
  }
  t.true(accepts({ limits: { proxies: ['10.0.0.2', 'fd00::2'] } }))
  t.false(accepts({ limits: { proxies: ['proxy.lan'] } }))
})

test('a relay as it was configured before goes on, with the limits of one who says nothing', (t) => {
  const read = (relay: object) =>
    amountOptions(receiverConfig.parse({ ...base, relay }), token).relay
  t.deepEqual(read({}), {})
  t.deepEqual(read({ leastDeposit: '5 units' }), { leastDeposit: 5n })
  t.deepEqual(read({ etherPrice: '2500 TKN', mostGasPerDay: 200_000 }), {
    etherPrice: 2500n * 10n ** 18n,
    mostGasPerDay: 200_000n,
  })
})

test('what is not defended is an amount', (t) => {
  const read = (dispute: object) =>
    amountOptions(receiverConfig.parse({ ...base, settlement: { dispute } }), token).settlement
  t.deepEqual(read({}), { fees: {} })
  t.deepEqual(read({ least: '7 units' }), { fees: {}, leastDefended: 7n })
  t.false(accepts({ settlement: { dispute: { least: '-1 units' } } }))
})

test('bound requests are offered, or required', (t) => {
  t.is(receiverConfig.parse(base).bound, 'offer')
  t.true(accepts({ bound: 'require' }))
  t.false(accepts({ bound: 'off' }))
})

test('of an answer to a bound request up to 16 MiB are collected', (t) => {
  const read = (bound: unknown) =>
    receiverSettings(receiverConfig.parse({ ...base, bound })).receiver
  t.like(read('require'), { bound: 'require', collect: undefined })
  t.like(read({ collect: 0 }), { bound: 'offer', collect: 0 })
  t.like(read({ mode: 'require', collect: 16 << 20 }), { bound: 'require', collect: 16 << 20 })
  for (const collect of [-1, (16 << 20) + 1, 0.5]) t.false(accepts({ bound: { collect } }))
  t.false(accepts({ bound: { mode: 'off' } }))
})

test('origins have scheme, host and port, and nothing more', (t) => {
  t.true(accepts({ origins: ['http://192.168.1.20:5000', 'https://shop.example'] }))
  t.true(accepts({ crossOrigins: ['http://192.168.1.20:5000', 'https://shop.example'] }))
  for (const wrong of [
    [],
    ['shop.example'],
    ['http://shop.example/'],
    ['http://shop.example:80'],
  ]) {
    t.false(accepts({ origins: wrong }), `${wrong}`)
    t.false(accepts({ crossOrigins: wrong }), `${wrong}`)
  }
})

test('a public path begins with a slash and ends with none', (t) => {
  t.true(accepts({ publicPath: '/shop/sensors' }))
  for (const wrong of ['', '/', 'shop', '/shop/', '/shop?x'])
    t.false(accepts({ publicPath: wrong }), wrong)
})
