// What the owner of a receiver is told: once, and once that it is over, to real webhooks and programs.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text as read } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { Conditions } from '../../../platform/alerts/told.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { startAlerting } from '../../../receiver/alerts/alerting.ts'
import { type AlertFacts, conditionsOf } from '../../../receiver/alerts/conditions.ts'
import { alertsFrom, alertsSchema } from '../../../receiver/alerts/schema.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sender = parseAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3')
const minute = 60_000
const { sinks: _, ...rules } = alertsSchema.parse({ sinks: [{ webhook: 'http://127.0.0.1/' }] })

const well: AlertFacts = {
  contracts: [{ contract: sender, answers: [], watchtowers: [] }],
  chain: { answers: true, age: 1000, ether: 10n ** 18n },
  needed: 10n ** 15n,
  disk: { kind: 'writable', freeBytes: 10 ** 9 },
  token: { symbol: 'TKN', decimals: 18 },
  nameOf: () => undefined,
}
const answer = {
  ...{ sender, openBlock: 7, stake: 5n * 10n ** 17n, remaining: 9, settleBlock: 99 },
  ...({ plan: 'answer', state: undefined } as const),
}
const tower = { watchtower: 'https://tower', behind: 1, behindFor: 20 * minute, trouble: undefined }
const ofContract = { contract: sender, answers: [], watchtowers: [] }
const away = { answers: false, age: 6 * minute, ether: undefined }

const cases: readonly (readonly [string, Partial<AlertFacts>, string, RegExp])[] = [
  [
    'a close below the best proof',
    { contracts: [{ ...ofContract, answers: [answer] }], nameOf: () => 'kitchen' },
    'close_disputed',
    /^kitchen asks to close the channel of block 7 for 0\.5 TKN less .* by 99\.$/,
  ],
  ['a node that is away', { chain: away }, 'node_unreachable', /for 6 min:/],
  [
    'too little ether',
    { chain: { ...well.chain, ether: 10n ** 14n } },
    'ether_low',
    /0\.0001 ETH left, less than 0\.001 ETH/,
  ],
  [
    'a disk that takes nothing',
    { disk: { kind: 'unwritable', why: 'ENOSPC: no space' } },
    'state_unwritable',
    /nothing can be sold: ENOSPC/,
  ],
  ['a disk that fills', { disk: { kind: 'writable', freeBytes: 5e7 } }, 'disk_low', /50 MB left/],
  [
    'a watchtower that is behind',
    { contracts: [{ ...ofContract, watchtowers: [tower] }] },
    'watchtower_behind',
    /https:\/\/tower has not confirmed the proofs of one channel for 20 min\.$/,
  ],
]
for (const [name, change, alert, text] of cases) {
  test(`${name} is told, where it is not turned off`, (t) => {
    t.deepEqual(conditionsOf(rules, well).found, [])
    const { found } = conditionsOf(rules, { ...well, ...change })
    t.deepEqual(
      found.map((each) => [each.alert, each.is]),
      [[alert, 'so']],
    )
    t.regex(found[0]?.text ?? '', text)
    const off = {
      ...({ node: false, ether: false, disk: false, watchtowers: false } as const),
      disputes: false,
    }
    const quiet = conditionsOf(off, { ...well, ...change }).found
    // That nothing can be sold is always told.
    t.is(quiet.length, alert === 'state_unwritable' ? 1 : 0)
  })
}

test('what hovers about its bound is told once; what nobody knows is not over', (t) => {
  const nearly = conditionsOf(rules, {
    ...well,
    chain: { ...well.chain, ether: 105n * 10n ** 13n },
    disk: { kind: 'writable', freeBytes: 105e6 },
  })
  t.deepEqual(
    nearly.found.map(({ is }) => is),
    ['nearly', 'nearly'],
  )
  const starting = { contracts: [], chain: away, needed: undefined, disk: undefined }
  t.deepEqual(conditionsOf(rules, { ...well, ...starting }).unknown, [
    ...['dispute/', 'watchtower/', 'ether', 'disk/'],
  ])
})

async function hook(t: ExecutionContext) {
  const got: { readonly body: string; readonly headers: object }[] = []
  const state = { status: 200 }
  const server = createServer(async (request, response) => {
    const body = await read(request)
    if (state.status === 200) got.push({ body, headers: request.headers })
    response.writeHead(state.status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}/secret-of-it`, got, state }
}

const raised: Conditions = {
  found: [{ key: 'node', alert: 'node_unreachable', subject: 'node', text: 'Away.', is: 'so' }],
  unknown: [],
}
const nothing: Conditions = { found: [], unknown: [] }

async function givenAlerting(t: ExecutionContext, sinks: readonly object[]) {
  const folder = await temporaryFolder(t)
  const now = { conditions: raised }
  const undelivered: string[] = []
  const failed: unknown[] = []
  const file = join(folder, 'alerts.json')
  const open = async (where = file) => {
    const alerting = await startAlerting({
      sinks: alertsFrom(folder, alertsSchema.parse({ sinks })).sinks,
      file: where,
      receiver: sender,
      conditions: async () => now.conditions,
      interval: 1_000_000_000,
      onUndelivered: (sink, error) => undelivered.push(`${sink}: ${error}`),
      onFailed: (error) => failed.push(error),
    })
    t.teardown(alerting.stop)
    return alerting
  }
  return { folder, file, now, undelivered, failed, open }
}

test('a webhook that is away gets each message once, in order, over restarts', async (t) => {
  const { url, got, state } = await hook(t)
  const { now, undelivered, failed, open } = await givenAlerting(t, [{ webhook: url }])
  state.status = 503
  const first = await open()
  await first.look()
  await first.look()
  await first.stop()
  t.is(undelivered.length, 1)
  t.notRegex(undelivered.join(), /secret-of-it/)
  const second = await open()
  now.conditions = nothing
  await second.look()
  state.status = 200
  await second.look()
  await second.look()
  await second.stop()
  await (await open()).look()
  t.deepEqual(
    got.map(({ body }) => JSON.parse(body)).map(({ time: _, ...rest }) => rest),
    [
      {
        alert: 'node_unreachable',
        subject: 'node',
        state: 'raised',
        text: 'Away.',
        receiver: sender,
      },
      {
        ...{ alert: 'node_unreachable', subject: 'node', state: 'over', text: 'Over: Away.' },
        receiver: sender,
      },
    ],
  )
  t.deepEqual(failed, [])
})

test('a program gets the message as the template has it; secrets of a webhook are in files', async (t) => {
  const { url, got } = await hook(t)
  const { folder, undelivered, open } = await givenAlerting(t, [
    { command: ['./tell.sh', 'owner'], template: '{{ $.state }}: {{ $.text }}' },
    { webhook: { urlFile: 'url', headersFile: 'headers', headers: { Title: 'shop' } } },
  ])
  await writeFile(join(folder, 'tell.sh'), `#!/bin/sh\n{ echo "$1"; cat; } > "${folder}/told"\n`)
  await chmod(join(folder, 'tell.sh'), 0o700)
  await writeFile(join(folder, 'url'), `${url}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'headers'), 'Authorization: Bearer abc\n', { mode: 0o600 })
  const alerting = await open()
  await alerting.look()
  t.deepEqual(undelivered, [])
  t.is(await readFile(join(folder, 'told'), 'utf8'), 'owner\nraised: Away.')
  t.like(got[0]?.headers, { authorization: 'Bearer abc', title: 'shop' })
})

test('what cannot be written down is told all the same', async (t) => {
  const { url, got } = await hook(t)
  const { folder, failed, open } = await givenAlerting(t, [{ webhook: url }])
  const alerting = await open(join(folder, 'nowhere', 'alerts.json'))
  await alerting.look()
  t.is(got.length, 1)
  t.true(failed.length > 0)
})

for (const [what, sinks] of Object.entries({
  'no sink': [],
  'two targets': [{ webhook: 'http://a/', command: '/b' }],
  'no target': [{}],
  'a slot that no message has': [{ command: '/b', template: '{{ $.price }}' }],
})) {
  test(`alerts with ${what} are refused`, (t) => {
    t.false(alertsSchema.safeParse({ sinks }).success)
  })
}
