// A secret in every setting that can hold one, of agent, receiver, watchtower and provisioning: none of them is
// in a log, a page, a status, a diff, a metric or an error, whatever fails.
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { agentConfig } from '../../../agent/program/configuration/config.ts'
import { inventorySchema } from '../../../deploy/pi/fleet/hosts/inventory.ts'
import { jsonSchemaOf } from '../../../platform/config/index.ts'
import { receiverConfig } from '../../../receiver/program/config.ts'
import { watchConfig } from '../../../receiver/program/watchtower/config.ts'
import { freePort } from '../../lab/processes/free-port.ts'
import { daemonFolder, startDaemonProcess } from '../../support/daemon.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { runProvisionWith } from '../../support/provision.ts'
import { givenReceiverFolder, runReceiver, spawnReceiver } from '../../support/receiver-program.ts'
import { startSystem } from '../../support/system.ts'
import { until } from '../../support/until.ts'

const test = anyTest.serial

/** Looks like an access key, and is found again. */
let keys = 0
const secret = () => `HUSH${++keys}0123456789abcdef`
const inUrl = (host: string) => `http://me:${secret()}@${host}/v3/${secret()}?key=${secret()}`

function givesNothingAway(t: ExecutionContext, said: Readonly<Record<string, string>>): void {
  const found = Object.entries(said).flatMap(([where, text]) => {
    const there = /.{0,200}HUSH.{0,60}/.exec(text)?.[0]
    return there === undefined ? [] : [[where, there]]
  })
  t.deepEqual(found, [])
}

interface Json {
  readonly type?: string
  readonly format?: string
  readonly enum?: unknown
  readonly const?: unknown
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Json>>
  readonly additionalProperties?: Json | boolean
  readonly items?: Json
  readonly prefixItems?: readonly Json[]
  readonly anyOf?: readonly Json[]
}

/** Where a text of any kind may stand. A pattern holds no key of a service. */
function texts(schema: Json, path = ''): readonly string[] {
  const {
    properties = {},
    additionalProperties: others,
    items,
    prefixItems = [],
    anyOf = [],
  } = schema
  const below = path === '' ? '' : `${path}.`
  const isFree =
    schema.enum === undefined && schema.const === undefined && schema.pattern === undefined
  return [
    ...(schema.type === 'string' && isFree ? [path] : []),
    ...Object.entries(properties).flatMap(([name, each]) => texts(each, below + name)),
    ...(typeof others === 'object' ? texts(others, `${below}*`) : []),
    ...[...prefixItems, ...(items ? [items] : [])].flatMap((each) => texts(each, `${path}[]`)),
    ...anyOf.flatMap((each) => texts(each, path)),
  ]
}

/** Of a job's sinks, and of those of alerts. */
const inSinks = (names: readonly string[]): readonly string[] =>
  ['jobs.*.sinks[]', 'alerts.sinks[]'].flatMap((sink) => names.map((each) => `${sink}.${each}`))

/** Names of files, machines and things: what is secret is in the files. */
const names: Readonly<Record<string, readonly string[]>> = {
  agent: [
    ...['key', 'password', 'state', 'hosts[]', 'timeZone', 'tls.authority', 'tls.pinned'],
    ...['proxy.socket', 'proxy.programs.*.token', 'jobs.*.timeZone'],
    ...inSinks(['file', 'webhook.urlFile', 'webhook.headersFile', 'csv', 'csv.path']),
    ...inSinks(['name', 'class', 'unit', 'value'].map((each) => `mqtt.homeAssistant.${each}`)),
    ...inSinks(
      ['bucket', 'org', 'database', 'measurement', 'username', 'token', 'password'].map(
        (each) => `influx.${each}`,
      ),
    ),
    ...inSinks(['csv.columns.*', 'influx.fields.*', 'influx.tags.*']),
    ...['mqtt.username', 'mqtt.password', 'mqtt.ca', 'mqtt.cert', 'mqtt.certKey', 'mqtt.name'],
    ...['control.socket', 'page.token', 'mqtt.homeAssistant.url'],
    ...['assets.*.name', 'assets.*.version'],
    // Durations.
    ...['confirmTimeout', 'proxy.timeout', 'retryInterval', 'timeout'],
  ],
  receiver: [
    ...['key', 'password', 'state', 'page', 'origins[]', 'relay.key', 'relay.password'],
    ...['watchtowers[].token', 'watchtowers[].ca', 'tls.cert', 'tls.key'],
    ...['contracts[].watchtowers[].token', 'contracts[].watchtowers[].ca'],
    ...['state.folder', 'state.passwordFile', 'state.tls.ca'],
    ...['accept.x402.domain.name', 'accept.x402.domain.version'],
    'crossOrigins[]',
    ...['free[]', 'files', 'module', 'teaser.show[]', 'teaser.query[]'].map(
      (each) => `resources.*.${each}`,
    ),
    ...['webhook.urlFile', 'webhook.headersFile'].map((each) => `alerts.sinks[].${each}`),
    // Durations.
    ...['admin.sessionLifetime', 'ops.chainAge', 'outage.longest', 'pollInterval', 'stopWithin'],
    ...['headers', 'idle', 'request', 'stall'].map((each) => `limits.${each}`),
    ...['replies.lifetime', 'resources.*.cache', 'resources.*.timeout'],
    ...['watchtowers[].every', 'contracts[].watchtowers[].every'],
    ...['accept.x402.patience', 'accept.x402.facilitator.timeout'],
  ],
  watchtower: [
    ...['key', 'password', 'state', 'tls.cert', 'tls.key', 'token', 'pollInterval', 'stopWithin'],
  ],
  provisioning: [
    ...['template', 'packages', 'funding.key', 'funding.password', 'firstBoot.wifi.passwordFile'],
    ...['', 'hosts.*.'].flatMap((of) =>
      ['identity', 'knownHosts', 'passwordFile'].map((each) => `${of}ssh.${each}`),
    ),
    ...['hosts.*.importKey.file', 'hosts.*.importKey.password'],
  ],
}

/** Those that the tests below give a secret. */
const secrets: Readonly<Record<string, readonly string[]>> = {
  agent: [
    ...['rpc', 'rpc[]', 'receivers.*.url', 'mqtt.url', 'assets.*.rpc', 'assets.*.rpc[]'],
    ...['get', 'post', 'url', 'headers.*', 'body'].map((each) => `jobs.*.${each}`),
    ...inSinks(['webhook', 'webhook.url', 'webhook.headers.*', 'command', 'command[]']),
    ...inSinks(['template', 'influx.url']),
  ],
  receiver: [
    ...['rpc', 'rpc[]', 'watchtowers[].url', 'contracts[].watchtowers[].url'],
    'accept.x402.facilitator.url',
    ...['upstream', 'command', 'command[]'].map((each) => `resources.*.${each}`),
    // As the agent's, by the same code.
    ...['webhook', 'webhook.url', 'webhook.headers.*', 'command', 'command[]', 'template'].map(
      (each) => `alerts.sinks[].${each}`,
    ),
  ],
  watchtower: ['rpc', 'rpc[]'],
  provisioning: ['chain.rpc', 'chain.fundingRpc', 'values.*', 'hosts.*.values.*'],
}

const schemas: Readonly<Record<string, z.ZodType>> = {
  agent: agentConfig,
  receiver: receiverConfig,
  watchtower: watchConfig,
  provisioning: inventorySchema,
}

for (const [program, schema] of Object.entries(schemas)) {
  test(`${program}: of each setting it is known whether it can hold a secret`, (t) => {
    const found = new Set(texts(jsonSchemaOf(schema) as Json))
    const known = [...(names[program] ?? []), ...(secrets[program] ?? [])]
    // Values of the fleet's template may be numbers, too, which the schema says in another way.
    t.deepEqual([...found].filter((each) => !known.includes(each)).sort(), [])
  })
}

/** Answers 500 and repeats what it was asked, but for the path /free. */
async function startRepeater(t: ExecutionContext): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.statusCode = request.url?.startsWith('/free') ? 200 : 500
    const said =
      response.statusCode === 200 ? { n: 1 } : { ...request.headers, url: request.url, body }
    response.end(JSON.stringify(said))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Of what is bought the path is shown: it says what it is. */
const bought = (host: string) => `http://me:${secret()}@${host}/free?key=${secret()}`

const withPath = (url: string) => inUrl(new URL(url).host)

const dollar = {
  address: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
  ...{ chainId: 8453, decimals: 6 },
}

test('agent: log, status, page, metrics, doctor, and a configuration that is refused', async (t) => {
  const system = await startSystem(t)
  const repeater = await startRepeater(t)
  const failing = await startFaultyRpc(t, system.chain.rpcUrl, () => ({ status: 401 }))
  const refusing = await startFaultyRpc(t, system.chain.rpcUrl, ({ method }) =>
    method === 'eth_chainId' ? undefined : { error: { code: -32000, message: refused } },
  )
  const refusingUrl = withPath(refusing.url)
  const refused = `no project ${new URL(refusingUrl).pathname} for you`
  const given = await daemonFolder(system)
  const { folder, cli } = given
  const free = bought(repeater)
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 })
    return name
  }
  const job = (more: object) => ({
    every: '* * * * * *',
    retry: { times: 0 },
    headers: { 'X-Key': secret() },
    ...more,
  })
  const at = inUrl(repeater)
  const metrics = await freePort()
  const config = {
    rpc: [withPath(failing.url), system.chain.rpcUrl],
    contract: system.contract,
    key: 'key',
    state: 'state',
    page: { listen: 0, token: await file('page', `${secret()}\n`) },
    metrics: `127.0.0.1:${metrics}`,
    receivers: { room: { url: `http://me:${secret()}@${repeater}/free` } },
    assets: { USDC: { ...dollar, rpc: [withPath(failing.url), inUrl(repeater)] } },
    budget: { day: ['1 TKN', '1 USDC'] },
    mqtt: { url: `mqtt://me:${secret()}@127.0.0.1:9`, password: await file('mqtt', secret()) },
    log: { level: 'debug' },
    alerts: {
      jobFailing: 1,
      sinks: [
        { webhook: { url: inUrl(repeater), headers: { A: secret() } }, template: secret() },
        { influx: { url: inUrl(repeater), database: 'd' } },
        { command: ['false', secret()] },
      ],
    },
    jobs: {
      hook: job({
        get: free,
        sinks: [
          { webhook: { url: at, headers: { Authorization: secret() } } },
          { webhook: inUrl(repeater) },
          { influx: { url: inUrl(repeater), bucket: 'b', token: await file('influx', secret()) } },
          {
            webhook: {
              urlFile: await file('hook', `${inUrl(repeater)}\n`),
              headersFile: await file('hook-headers', `X-Key: ${secret()}\n`),
            },
          },
        ],
      }),
      program: job({
        post: free,
        body: secret(),
        sinks: [{ command: ['false', '--key', secret()] }, { mqtt: 'a/b' }],
      }),
      named: job({
        url: `room/x?key=${secret()}`,
        method: 'PUT',
        sinks: [{ command: 'false' }],
      }),
      away: job({
        get: bought('127.0.0.1:9'),
        sinks: [{ file: 'out', template: `${secret()} {{ id }}` }],
      }),
    },
  }
  const write = (change: object) =>
    writeFile(join(folder, 'agent.yaml'), stringify({ ...config, ...change }))
  await write({})
  const daemon = await startDaemonProcess(t, folder)
  const failed = async () => {
    const jobs = (await daemon.status())?.jobs ?? []
    const sinks = jobs.flatMap((each) => each.sinks)
    const away = jobs.find(({ name }) => name === 'away')
    return (
      sinks.filter(({ problem }) => problem !== undefined).length >= 5 &&
      away?.last?.error !== undefined
    )
  }
  await until(failed, daemon.log)
  const page = (await daemon.status())?.page
  const said: Record<string, string> = {}
  const run = async (name: string, ...args: readonly string[]) => {
    const { stdout, stderr } = await cli(...args)
    said[name] = stdout + stderr
  }
  await run('status', 'status')
  await run('status --json', 'status', '--json')
  await run('config check', 'config', 'check', '--json')
  await run('doctor', 'doctor')
  const headers = { authorization: `Bearer ${page?.key}` }
  const read = async (path: string, port = page?.port) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text()
  said.page = await read('/')
  said.state = await read('/state')
  said.metrics = await read('/metrics', metrics)
  t.regex(said.state, /webhook:http:\/\/127\.0\.0\.1:\d+#[0-9a-f]{8}/)

  // Then nodes that are away, that refuse, and settings that are wrong.
  const changes = [
    { rpc: withPath(failing.url) },
    { rpc: [withPath(failing.url), withPath(failing.url)] },
    { rpc: refusingUrl },
    { rpc: `htps://me:${secret()}@rpc.example/${secret()}` },
    { rpc: `rpc.example/${secret()}` },
    { mqtt: { url: `http://me:${secret()}@broker` } },
    { assets: { USDC: { ...dollar, rpc: `htps://me:${secret()}@rpc.example/${secret()}` } } },
    { assets: { USDC: { ...dollar, rpc: [7, withPath(failing.url)] } } },
    { jobs: { hook: job({ get: free, sinks: [{ webhook: `ftp://${secret()}@a.example` }] }) } },
    {
      jobs: {
        hook: job({ get: free, sinks: [{ webhook: { url: 7, headers: { a: secret() } } }] }),
      },
    },
    {
      jobs: {
        hook: job({ get: free, headers: { a: { b: secret() } }, sinks: [{ stdout: true }] }),
      },
    },
    { jobs: { hook: job({ get: `htp://${secret()}@a.example/x`, sinks: [{ stdout: true }] }) } },
  ]
  for (const [index, change] of changes.entries()) {
    // Jobs that run would keep each reload waiting.
    await write({ jobs: {}, ...change })
    if ('rpc' in change) await run(`doctor ${index}`, 'doctor', '--json')
    else await run(`check ${index}`, 'config', 'check')
    await run(`reload ${index}`, 'reload')
    said[`state ${index}`] = await read('/state')
  }
  said.log = daemon.log()
  t.regex(said.log, /webhook/)
  givesNothingAway(t, said)
})

test('receiver and watchtower: log, API, health, metrics, doctor, and a configuration that is refused', async (t) => {
  const given = await givenReceiverFolder(t)
  const { folder, chain, contract, receiverAccount } = given
  const repeater = await startRepeater(t)
  let away = false
  const node = await startFaultyRpc(t, chain.rpcUrl, () => (away ? { status: 401 } : undefined))
  await writeFile(join(folder, 'tower'), `${secret()}\n`, { mode: 0o600 })
  const hashed = await runReceiver(folder, ['admin', 'hash'], {}, `${secret()}\n`)
  const hash = hashed.stdout.trim()
  t.regex(hash, /scrypt/)
  const common = {
    rpc: withPath(node.url),
    contract,
    key: 'key',
    pollInterval: 0.05,
    log: { level: 'debug', format: 'json' },
  }
  const config = {
    ...common,
    state: 'state',
    listen: '127.0.0.1:0',
    log: { ...common.log, requests: true },
    ops: { metrics: true },
    admin: { users: { me: hash }, listen: '127.0.0.1:0' },
    watchtowers: [{ url: inUrl(repeater), token: 'tower', every: 0.05 }],
    resources: {
      '/up': { price: 0, upstream: inUrl('127.0.0.1:9') },
      '/repeats': { price: 0, upstream: inUrl(repeater) },
      '/program': { price: 0, command: `false --key ${secret()}` },
      '/list': { price: 0, command: ['no-such-program', secret()] },
    },
  }
  await writeFile(join(folder, 'receiver.yaml'), stringify(config))
  const watching = {
    ...common,
    state: 'tower-state',
    listen: '127.0.0.1:0',
    receiver: receiverAccount.address,
    token: 'tower',
  }
  await writeFile(join(folder, 'watchtower.yaml'), stringify(watching))
  const receiver = spawnReceiver(folder, ['--config', 'receiver.yaml', '--json', 'start'])
  const tower = spawnReceiver(folder, ['--config', 'watchtower.yaml', '--json', 'watch'])
  for (const each of [receiver, tower]) {
    t.teardown(async () => {
      each.kill('SIGTERM')
      await each.ended
    })
  }
  const { url } = await receiver.announced
  await tower.announced
  const said: Record<string, string> = {}
  for (const path of [
    '/up?q=1',
    '/program',
    '/list',
    '/metrics',
    '/readyz',
    '/healthz',
    '/api/1/stats',
    '/api/openapi.json',
    '/nothing',
  ]) {
    const answer = await fetch(url + path)
    said[path] = `${JSON.stringify([...answer.headers])}${await answer.text()}`
  }
  away = true
  await until(() => /chain_unavailable|does not answer/.test(receiver.log()), receiver.log)
  await until(() => /does not answer|cannot be read/.test(tower.log()), tower.log)
  const run = async (name: string, change: object, ...args: readonly string[]) => {
    await writeFile(join(folder, 'other.yaml'), stringify({ ...config, ...change }))
    const { stdout, stderr } = await runReceiver(folder, ['--config', 'other.yaml', ...args])
    said[name] = stdout + stderr
  }
  await run('doctor, chain away', {}, 'doctor')
  away = false
  await run('doctor', {}, 'doctor', '--json')
  await run('config check', {}, 'config', 'check', '--json')
  await writeFile(
    join(folder, 'other.yaml'),
    stringify({ ...config, rpc: withPath('http://127.0.0.1:9'), state: 'other' }),
  )
  const patient = spawnReceiver(folder, ['--config', 'other.yaml', 'start'])
  await until(() => /waiting for the Ethereum node/.test(patient.log()), patient.log)
  patient.kill('SIGTERM')
  const { stdout, stderr } = await patient.ended
  said['start, chain away'] = stdout + stderr
  await run('wrong rpc', { rpc: `htps://${secret()}@rpc.example/${secret()}` }, 'start')
  await run(
    'wrong tower',
    { watchtowers: [{ url: `ftp://${secret()}@a/${secret()}`, token: 'tower' }] },
    'doctor',
  )
  await run(
    'wrong upstream',
    { resources: { '/a': { price: 0, upstream: `ftp://a/${secret()}` } } },
    'doctor',
  )
  for (const url of [inUrl(repeater), `ftp://a/${secret()}`, `http://me:${secret()}@`]) {
    const accept = { x402: { asset: contract, facilitator: { url } } }
    for (const command of ['doctor', 'start']) await run(`${command}, ${url}`, { accept }, command)
  }
  await run('wrong hash', { admin: { users: { me: `scrypt:${secret()}` } } }, 'doctor')
  await run('wrong token', { admin: { tokens: { me: { a: secret() } } } }, 'doctor')
  said.log = receiver.log()
  said['log of the watchtower'] = tower.log()
  t.regex(said.log, /"upstream":"http:\/\/127\.0\.0\.1:9#[0-9a-f]{8}"/)
  givesNothingAway(t, said)
  for (const [where, text] of Object.entries(said)) t.false(text.includes(hash), where)
})

test('provisioning: what would change, in words and as JSON, and escapes of a Pi do nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const write = (name: string, text: string, mode = 0o600) =>
    writeFile(join(folder, name), text, { mode })
  const there = `rpc: ${inUrl('a.example')}\njobs: { a: { headers: { X-Key: ${secret()} } } }\n`
  const facts = ['architecture arm64', 'version 0.9.0', 'credentials yes', 'credential yes']
  const more = ['password no', 'key yes', 'enabled yes', 'active active']
  const config = `config ${Buffer.from(there).toString('base64')}`
  await write('facts', `${[...facts, ...more, config].join('\n')}\n`)
  // What is called ssh here is a Pi that means it ill.
  const title = '\u001b]0;mine\u0007'
  await write('said', `Permission denied ${title}`)
  await write(
    'ssh',
    `#!/bin/sh\ncase "$*" in *attic*) cat ${folder}/said >&2; exit 255 ;; esac\ncat ${folder}/facts\n`,
    0o755,
  )
  await write('uraiden-agent_1.0.0_arm64.deb', 'a package')
  await write(
    'agent.yaml',
    `rpc: \${rpc}
contract: \${contract}
jobs:
  hook:
    post: \${hook}
    every: '* * * * *'
    headers: { X-Key: '\${key}' }
    body: |
      ${secret()}
    sinks: [ { webhook: '\${hook}' } ]
`,
  )
  const inventory = {
    chain: {
      rpc: inUrl('a.example'),
      fundingRpc: inUrl('127.0.0.1:9'),
      contract: `0x${'1'.repeat(40)}`,
    },
    template: 'agent.yaml',
    packages: '.',
    values: { hook: inUrl('b.example') },
    hosts: {
      kitchen: { address: 'kitchen', values: { key: secret() } },
      attic: { address: 'attic', values: { key: secret() } },
    },
  }
  await write('fleet.yaml', stringify(inventory))
  const path = `${folder}:${process.env.PATH}`
  const said: Record<string, string> = {}
  for (const args of [
    ['apply', '--dry-run'],
    ['apply', '--dry-run', '--json'],
    ['status'],
    ['status', '--json'],
  ]) {
    const { stdout, stderr } = await runProvisionWith(folder, { PATH: path }, ...args)
    said[args.join(' ')] = stdout + stderr
  }
  t.regex(said['apply --dry-run'] ?? '', /- jobs\.a\.headers\.X-Key\n.*~ rpc\n/s)
  t.regex(said['apply --dry-run'] ?? '', /Permission denied/)
  for (const [where, text] of Object.entries(said)) t.notRegex(text, /[^\P{Cc}\n]/u, where)
  await write(
    'fleet.yaml',
    stringify({
      ...inventory,
      chain: { ...inventory.chain, rpc: `htps://${secret()}@a/${secret()}` },
    }),
  )
  const wrong = await runProvisionWith(folder, { PATH: path }, 'apply', '--json')
  said.wrong = wrong.stdout + wrong.stderr
  givesNothingAway(t, said)
})
