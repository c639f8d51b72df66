// What the checked configuration becomes: units, folders, amounts.
import test from 'ava'
import { parseConfig } from '../../../platform/config/index.ts'
import { receiverConfig } from '../../../receiver/program/config.ts'
import { amountOptions, receiverSettings } from '../../../receiver/program/settings.ts'
import { watchConfig, watchSettings } from '../../../receiver/program/watchtower/config.ts'

const contract = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const token = { symbol: 'TKN', decimals: 18 }

function settingsOf(yaml: string, environment: NodeJS.ProcessEnv = { STATE_DIRECTORY: '/state' }) {
  const text = `contract: '${contract}'\nkey: /key.json\n${yaml}`
  const config = parseConfig(text, { file: 'receiver.yaml', schema: receiverConfig })
  return receiverSettings(config, environment)
}

test('seconds become milliseconds, and a chain id an integer of any size', (t) => {
  const { receiver, connection, stopWithin } = settingsOf(
    'pollInterval: 0.25\nreplies: { lifetime: 30 }\nstopWithin: 3\nchainId: 1337\nquorum: 2\n',
  )
  t.like(receiver, { pollInterval: 250, replies: { lifetime: 30_000 } })
  t.is(stopWithin, 3000)
  t.like(connection, { chainId: 1337n, quorum: 2, contract })
})

test('what is taken beside channels: nothing, or x402 with seconds as milliseconds and the general cap of gas', (t) => {
  t.deepEqual(settingsOf('').receiver.accept, {})
  const { accept } = settingsOf(
    `mostGasPrice: 5 gwei
accept:
  x402:
    asset: '${contract}'
    tokenPrice: 2 USDC
    patience: 5s
    facilitator: { url: 'https://f.example/x402', timeout: 2 }
    limits: { mostPerPayer: 2 }
`,
  ).receiver
  t.like(accept?.x402, {
    ...{ asset: contract, tokenPrice: '2 USDC', patience: 5000, timeout: 60, channels: 'on' },
    facilitator: { url: 'https://f.example/x402', trust: 'chain', timeout: 2000 },
    ...{ mostFeePerGas: 5_000_000_000n, limits: { mostPerPayer: 2 } },
  })
})

test('a least challenge period is in seconds for receiver and watchtower', (t) => {
  const text = `contract: '${contract}'\nreceiver: '${contract}'\nkey: k\ntoken: t\nleastChallengePeriod: 2h\n`
  const config = parseConfig(text, { file: 'watchtower.yaml', schema: watchConfig })
  t.is(watchSettings(config).tower.leastChallengePeriod, 7200)
  t.is(settingsOf('leastChallengePeriod: 2h\n').receiver.leastChallengePeriod, 7200)
})

test('what nobody has set is not there, so that the library’s own defaults count', (t) => {
  const { receiver, connection, amounts } = settingsOf('')
  t.false('verifier' in receiver || 'quorum' in connection || 'chainId' in connection)
  t.deepEqual(amountOptions(amounts, token), {
    ...{ confirmations: 2, notFinal: {}, outage: {} },
    settlement: { fees: {} },
  })
})

test('limits have the library’s own defaults, and units', (t) => {
  t.deepEqual(settingsOf('').limits, { requestKeys: {} })
  t.is(settingsOf('').hosts, undefined)
  const all = settingsOf(
    'limits: { connections: 9, perAddress: 3, proxies: [10.0.0.2], headers: 1, request: 2, idle: 3, stall: 4, pipelined: 5, mostBytes: 2000000, requestKeys: 6, requestKeysInAll: 7 }\nhosts: [shop.example]\n',
  )
  t.deepEqual(all.limits, {
    ...{ most: 9, perAddress: 3, proxies: ['10.0.0.2'], pipelined: 5, mostBytes: 2_000_000 },
    ...{ headersTimeout: 1000, requestTimeout: 2000, keepAliveTimeout: 3000, stall: 4000 },
    requestKeys: { perAddress: 6, most: 7 },
  })
  t.deepEqual(all.hosts, ['shop.example'])
})

test('state and socket are where nobody named a place; the socket can be off', (t) => {
  t.like(settingsOf(''), { state: '/state', socket: '/state/control.sock' })
  const home = { XDG_STATE_HOME: '/home/me/.local/state' }
  t.is(settingsOf('', home).state, '/home/me/.local/state/uraiden-receiver')
  t.like(settingsOf('state: /books'), { state: '/books', socket: '/books/control.sock' })
  t.is(settingsOf('admin: { socket: /run/r.sock }').socket, '/run/r.sock')
  t.is(settingsOf('admin: { socket: off }').socket, undefined)
})

test('amounts are read with the token’s decimals, and refused in another token', (t) => {
  const { amounts } = settingsOf(
    'mostGasPrice: 50 gwei\nrelay: { leastDeposit: 2 TKN }\noutage: { longest: 5, mostInAll: 1.5 TKN }\n',
  )
  t.like(amountOptions(amounts, { symbol: 'TKN', decimals: 2 }), {
    relay: { leastDeposit: 200n, mostFeePerGas: 50_000_000_000n },
    outage: { longest: 5000, mostInAll: 150n },
    settlement: { fees: { usual: 50_000_000_000n } },
  })
  const other = { symbol: 'DAI', decimals: 18 }
  t.throws(() => amountOptions(amounts, other), { message: /TKN/ })
})

test('buyers have one name each', (t) => {
  const account = `0x${'ab'.repeat(20)}`
  const { buyers } = settingsOf(`buyers: { kitchen: '${account}' }\n`)
  t.deepEqual(
    [...buyers].map(([each, name]) => [each.toLowerCase(), name]),
    [[account, 'kitchen']],
  )
  const twice = `buyers: { kitchen: '${account}', cellar: '${account}' }\n`
  t.throws(() => settingsOf(twice), { message: /has two names/ })
})
