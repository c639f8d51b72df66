import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadAgentConfig } from '../../../../agent/program/configuration/config.ts'
import { parseAddress } from '../../../../protocol/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const someAddress = parseAddress(`0x${'12'.repeat(20)}`)
const least = `rpc: http://127.0.0.1:8545\ncontract: ${someAddress}\nkey: k\n`

async function load(t: ExecutionContext, more = '', environment: NodeJS.ProcessEnv = {}) {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, least + more)
  return loadAgentConfig(file, environment)
}

const wrong: readonly (readonly [text: string, key: RegExp])[] = [
  ['deposit: { open: 0x }', /:4 deposit\.open: "0x"/],
  ['deposit: { open: 1.5x }', /:4 deposit\.open: "1\.5x"/],
  ['budget: { hour: -1 }', /:4 budget\.hour: "-1" is not an amount/],
  ['receivers: { A: { url: http://a } }', /:4 receivers\.A/],
  ['receivers: { a: { url: http://a, budget: { hour: 1 } } }', /needs its "address"/],
  ['receivers: { a: { url: http://a, bound: always } }', /:4 receivers\.a\.bound/],
  ['budget: { ether: { day: 1 TKN } }', /:4 budget\.ether\.day: /],
  ['budget: { ether: { week: 1 ETH } }', /:4 budget\.ether\.week: there is no such setting/],
  ['budget: { openings: { day: -1 } }', /:4 budget\.openings\.day: -1/],
  ['budget: { openingsPerReceiver: { day: 1.5 } }', /:4 budget\.openingsPerReceiver\.day: 1\.5/],
  ['timeZone: Mars/Olympus', /:4 timeZone: "Mars\/Olympus"/],
  ['reservation: 0', /:4 reservation: 0/],
  ['reservation: 1.5', /:4 reservation: 1\.5/],
  ['ticks: on', /:4 ticks: /],
  ['ticks: 0', /:4 ticks: /],
  ['ticks: 257', /:4 ticks: /],
  ['mostGasPrice: 0', /:4 mostGasPrice: "0" pays for no transaction/],
  ['mostGasPrice: 5 wei', /:4 mostGasPrice: /],
  ['timeout: 3601', /:4 timeout: 3601/],
  ['confirmTimeout: 0', /:4 confirmTimeout: 0/],
  ['confirmTimeout: 86401', /:4 confirmTimeout: 86401/],
  ['confirmTimeout: soon', /:4 confirmTimeout: "soon" is not a duration/],
  ['retryInterval: 0.04', /:4 retryInterval: 0\.04/],
  ['retryInterval: 60.1', /:4 retryInterval: 60\.1/],
  ['tls: { authority: a, pinned: b }', /:4 tls: .*not both/],
  ['history: -1', /:4 history: -1/],
  ['history: 100001', /:4 history: 100001/],
  ['chainId: 0', /:4 chainId: 0/],
  ['deposit: { open: "0,1 TKN" }', /:4 deposit\.open: "0,1 TKN" is not an amount/],
  ['deposit: { topUp: 2.5x }', /:4 deposit\.topUp: "2\.5x" is neither/],
  ['deposit: { open: "" }', /:4 deposit\.open: "" is not an amount/],
  ['state: ~/state', /:4 state: "~\/state" begins with ~, which only a shell knows/],
  [`state: '~pi/state'`, /:4 state: .* begins with ~/],
  ['state: $HOME/state', /:4 state: .* begins with \$HOME/],
  [`state: '${'$'}{HOME}/state'`, /:4 state: .* begins with \$\{HOME\}/],
  ['page: { token: ~/token }', /:4 page\.token: .* begins with ~/],
  ['jobs: { a: { get: http://a, every: "@daily", sinks: [{ file: ~/f }] } }', /begins with ~/],
  ['metrics: "[fe80::1%eth0]:9403"', /names a zone \(%eth0\)/],
  [
    'receivers: { a: { url: "http://[fe80::1%25eth0]/" } }',
    /:4 receivers\.a\.url: a URL has no zone/,
  ],
  ['rpc2: x', /:4 rpc2: there is no such setting/],
]
for (const [text, message] of wrong) {
  test(`refused: ${text}`, async (t) => {
    await t.throwsAsync(load(t, `${text}\n`), { code: 'config_invalid', message })
  })
}

test('the log’s format has an earlier name, which is still read', async (t) => {
  for (const [text, log] of [
    ['', { level: 'info', format: 'text' }],
    ['log: { format: json, level: debug }', { level: 'debug', format: 'json' }],
    ['log: { form: json }', { level: 'info', format: 'json' }],
  ] as const) {
    t.deepEqual((await load(t, `${text}\n`)).log, log)
  }
  const message = /:4 log: "form" is the earlier name of "format": give one of them/
  await t.throwsAsync(load(t, 'log: { form: json, format: json }\n'), {
    code: 'config_invalid',
    message,
  })
})
