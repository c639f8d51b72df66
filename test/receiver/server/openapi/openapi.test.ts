// The OpenAPI document against the receiver: every route is in it, every operation is called over
// HTTP, and every answer is what the document says.
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import test, { type ExecutionContext } from 'ava'
import { answerId } from '../../../../protocol/bound/index.ts'
import { createOps, opsSchema } from '../../../../receiver/index.ts'
import { createAdmin } from '../../../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../../receiver/server/admin/secrets.ts'
import { openApiDocument } from '../../../../receiver/server/openapi/document.ts'
import type { Content, Operation, Paths } from '../../../../receiver/server/openapi/types.ts'
import { listenAdmin } from '../../../support/admin.ts'
import { boundClient } from '../../../support/bound-client.ts'
import { givenChannel } from '../../../support/channel.ts'
import { type Exchange, type Route, recording } from '../../../support/recorder.ts'
import { startSystem } from '../../../support/system.ts'
import { until } from '../../../support/until.ts'

const paths: Paths = openApiDocument.paths
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
const compiled = new Map<object, ValidateFunction>()

/** Why the value is not what the schema says; undefined when it is. */
function misfit(schema: object, value: unknown): string | undefined {
  const { components } = openApiDocument
  const validate = compiled.get(schema) ?? ajv.compile({ ...schema, components })
  compiled.set(schema, validate)
  return validate(value) ? undefined : ajv.errorsText(validate.errors)
}

function operationOf({ method, url }: Pick<Exchange, 'method' | 'url'>): Operation | undefined {
  const path = url?.replace(/:(\w+)/g, '{$1}') ?? ''
  return paths[path]?.[method.toLowerCase() as 'get']
}

function misfitOf(content: Content | undefined, type: string | undefined, body: string) {
  const schema = content?.[type ?? '']?.schema
  if (schema === undefined) return `the type ${type} is not documented`
  return misfit(
    schema,
    /json$/.test(type ?? '') && !/ndjson$/.test(type ?? '') ? JSON.parse(body) : body,
  )
}

/** What is wrong with one exchange by the document. */
function troubleOf(exchange: Exchange): string | undefined {
  const operation = operationOf(exchange)
  const name = `${exchange.method} ${exchange.url} ${exchange.status}`
  if (operation === undefined) return `${name}: no such operation is documented`
  const answer = operation.responses[exchange.status]
  if (answer === undefined) return `${name}: the status is not documented`
  const wrong = misfitOf(answer.content, exchange.type, exchange.body)
  if (wrong !== undefined) return `${name}: ${wrong}`
  const type = exchange.requestType?.split(';')[0] ?? ''
  const asked = operation.requestBody?.content[type]?.schema
  if (exchange.status !== 200 || asked === undefined) return undefined
  const wrongRequest = misfit(asked, exchange.requestBody)
  return wrongRequest && `${name}: the request body ${wrongRequest}`
}

const password = 'correct horse'
const alice = { authorization: `Basic ${Buffer.from(`alice:${password}`).toString('base64')}` }

/** With a `chainAge` in seconds below the usual one it is soon not ready once its node is away. */
async function everythingOn({ attempts = 1000, chainAge = 60 } = {}) {
  const admin = await createAdmin(
    adminSchema.parse({ users: { alice: await hashSecret(password) }, attempts }),
  )
  const ops = createOps(opsSchema.parse({ metrics: true, chainAge }))
  return { ops, recorded: recording(ops, admin) }
}

async function given(
  t: ExecutionContext,
  relay: boolean,
  { shown, ...limits }: Parameters<typeof everythingOn>[0] & { readonly shown?: 'own' } = {},
) {
  const { ops, recorded } = await everythingOn(limits)
  const system = await givenChannel(t, {
    receiver: { observer: ops.observer, transactionPoll: 10, ...(relay && { relay: {} }) },
    server: { admin: recorded.admin, ops: recorded.ops, shown },
  })
  const { base, channel } = system
  const administration = await listenAdmin(t, recorded.admin)
  const call = (path: string, init: RequestInit = {}) =>
    fetch(
      (isOfAdmin(path) ? administration : base) +
        path.replace('{sender}', channel.sender).replace('{openBlock}', `${channel.openBlock}`),
      init,
    )
  const post = (path: string, body: object) =>
    call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return { ...system, ...recorded, call, post }
}

const isOfAdmin = (path: string) => /^\/api\/1\/(admin|login|logout)\b/.test(path)

type Given = Awaited<ReturnType<typeof given>>

const isAdministered = ({ security }: Operation) => security !== undefined

const operations = Object.entries(paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
)

/** Everything that needs no money and no login: each GET as it is. */
async function askEverything({ call }: Given): Promise<void> {
  for (const { path, method, operation } of operations) {
    if (method !== 'get') continue
    await call(path, isAdministered(operation) ? { headers: alice } : {})
  }
}

async function askWronglyForChannels({ call, post }: Given): Promise<void> {
  for (const path of ['/api/1/channels', '/api/1/channels/', '/api/1/channels/{sender}']) {
    await call(`${path}?status=half`)
  }
  await call('/api/1/channels/nobody')
  await call('/api/1/channels/nobody/1')
  await call('/api/1/channels/{sender}/1')
  await call('/api/1/admin/channels?state=half', { headers: alice })
  await call('/api/1/admin/traffic?by=week', { headers: alice })
  await call('/api/1/admin/channels/nobody/1', { headers: alice })
  await call('/api/1/admin/channels/{sender}/1', { headers: alice })
  for (const path of ['open', 'topup', 'close']) await post(`/api/1/relay/${path}`, {})
  const channel = '/api/1/channels/{sender}/{openBlock}'
  await call(channel, {
    method: 'DELETE',
    headers: { 'content-type': 'application/xml' },
    body: 'x',
  })
  await call(channel, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: '{ "balance": ',
  })
  await call(`${channel}?balance=1`, { method: 'DELETE' })
}

/** Every operation of an administrator, for the answers that they all have in common. */
async function askAsStranger({ call }: Given, headers: Record<string, string>): Promise<void> {
  for (const { path, method, operation } of operations) {
    if (isAdministered(operation)) await call(path, { method: method.toUpperCase(), headers })
  }
}

const adminChannel = '/api/1/admin/channels/{sender}/{openBlock}'

/** While one collection waits for its block, no other one begins. */
async function collect({ call, chain, pay }: Given): Promise<void> {
  const post = (path: string, body: object) =>
    call(path, {
      method: 'POST',
      headers: { ...alice, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await pay(5n)
  for (const path of ['withdraw', 'close-all']) {
    await post(`/api/1/admin/${path}`, { dry_run: 'no' })
    await post(`/api/1/admin/${path}`, { dry_run: true })
  }
  await call(adminChannel.replace('{openBlock}', '1'), { method: 'DELETE', headers: alice })
  await chain.provider.send('evm_setAutomine', [false])
  const first = post('/api/1/admin/withdraw', {})
  const dryRun = () => post('/api/1/admin/withdraw', { dry_run: true })
  await until(async () => (await dryRun()).status === 409)
  await post('/api/1/admin/close-all', {})
  await call(adminChannel, { method: 'DELETE', headers: alice })
  let withdrawn = false
  const done = first.then(() => (withdrawn = true))
  await until(async () => {
    await chain.mine(1)
    return withdrawn
  })
  await done
  await chain.provider.send('evm_setAutomine', [true])
}

async function closeIt({ call, pay }: Given): Promise<void> {
  await pay(10n)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const channel = '/api/1/channels/{sender}/{openBlock}'
  await call(channel, { method: 'DELETE', headers: form, body: 'balance=10' })
  const json = { 'content-type': 'application/json' }
  await call(channel, { method: 'DELETE', headers: json, body: '{ "balance": 10 }' })
  await call(adminChannel, { method: 'DELETE', headers: alice })
}

/** A channel is tied to a key, rightly and wrongly, and a receipt is read. */
async function bindIt(t: ExecutionContext, system: Given): Promise<void> {
  const { base, call, channel, receiver } = system
  const client = await boundClient(base, system)
  const put = '/api/1/channels/{sender}/{openBlock}/request-key'
  const init = { method: 'PUT', body: client.putBody }
  await call(put, { method: 'PUT', body: '{}' })
  await call(put, init)
  await call(put.replace('{openBlock}', '1'), init)
  const newer = await boundClient(base, system, { number: BigInt(channel.openBlock) + 1n })
  t.is((await newer.putKey()).status, 200)
  await call(put, init)
  const id = '0'.repeat(32)
  const path = (name: string) => `${newer.own}/answers/${name}`
  await call(path(id))
  await call(path('x'))
  await newer.ask(path(id))
  const { mac } = await newer.ask('/nothing')
  const keys = receiver.requestKeys.find(channel)
  if (keys === undefined) throw new Error('the channel is not bound')
  const receipt = { status: 200, length: 1, digest: new Uint8Array(32), complete: true, cost: 5n }
  receiver.paywall.door.receipts.put({ request: { mac }, keys }, receipt)
  t.is((await newer.ask(path(answerId(mac)))).status, 200)
}

async function relayClose({ post, pay, sign, channel }: Given) {
  await pay(5n)
  return post('/api/1/relay/close', {
    sender_address: channel.sender,
    open_block: channel.openBlock,
    balance: '5',
    balance_signature: sign(5n),
  })
}

/** A device without ether opens and tops up: the agent says it in its own words. */
async function relayDeposits(t: ExecutionContext): Promise<readonly Exchange[]> {
  const { ops, recorded } = await everythingOn()
  const system = await startSystem(
    t,
    undefined,
    { relay: {}, observer: ops.observer },
    { admin: recorded.admin, ops: recorded.ops },
  )
  await system.chain.provider.send('hardhat_setBalance', [system.senderAccount.address, '0x0'])
  const buyer = await system.agent()
  for (let bought = 0; bought < 12; bought++) await buyer.get(`${system.base}/reading`)
  return recorded.exchanges
}

test('the document is a valid one of OpenAPI 3.1', async (t) => {
  const { valid, errors } = await new Validator().validate(
    JSON.parse(JSON.stringify(openApiDocument)),
  )
  t.true(valid, JSON.stringify(errors))
  const ids = operations.map(({ operation }) => operation.operationId)
  t.is(new Set(ids).size, ids.length)
})

test('every route is documented, every operation is called, every answer is as documented', async (t) => {
  const [open, noRelay, guarded] = await Promise.all([
    given(t, true),
    given(t, false),
    given(t, true, { attempts: 1, chainAge: 0.3 }),
  ])
  await askEverything(open)
  await askWronglyForChannels(open)
  await collect(noRelay)
  await closeIt(noRelay)
  const bound = await given(t, false, { shown: 'own' })
  await bindIt(t, bound)
  for (const path of ['/api/1/channels', '/api/1/channels/']) await bound.call(path)
  for (const path of ['open', 'topup', 'close']) await noRelay.post(`/api/1/relay/${path}`, {})
  await noRelay.call('/api/1/relay')
  await askAsStranger(open, {})
  await askAsStranger(open, { ...alice, 'sec-fetch-site': 'cross-site' })
  const guess = { authorization: `Basic ${Buffer.from('alice:guess').toString('base64')}` }
  await askAsStranger(guarded, guess)
  await askAsStranger(guarded, guess)
  t.is((await relayClose(open)).status, 200)
  const deposits = await relayDeposits(t)
  await guarded.chain.close()
  await until(async () => (await guarded.call('/readyz')).status === 503)
  t.is((await relayClose(guarded)).status, 502)

  const served = await (await open.call('/api/1/openapi.json')).json()
  t.deepEqual(served, JSON.parse(JSON.stringify(openApiDocument)))

  const undocumented = open.routes.filter(
    (route: Route) =>
      !route.priced &&
      // Pages and what they load are for people; where administration was, a server of goods says so.
      !/^\/admin|^\/api\/1\/(web\/|login$|logout$|admin$|admin\/\*$)/.test(route.url) &&
      route.method !== 'HEAD' &&
      operationOf(route) === undefined,
  )
  t.deepEqual(undocumented, [])

  const exchanges = [
    ...open.exchanges,
    ...noRelay.exchanges,
    ...guarded.exchanges,
    ...bound.exchanges,
    ...deposits,
  ]
  const asked = exchanges.filter(({ url }) => url !== undefined && url !== '/reading')
  t.deepEqual(
    asked.flatMap((exchange) => troubleOf(exchange) ?? []),
    [],
  )
  const seen = new Set(
    asked.map((exchange) => `${operationOf(exchange)?.operationId} ${exchange.status}`),
  )
  // What a request cannot bring about by itself need not be brought about for every operation.
  const expected = operations.flatMap(({ operation }) =>
    Object.keys(operation.responses)
      .filter((status) => Number(status) < 500)
      .map((status) => `${operation.operationId} ${status}`),
  )
  t.deepEqual(
    [...expected, 'getReadiness 503', 'relayClose 502'].filter((each) => !seen.has(each)),
    [],
  )
})

test('the check finds what is not as documented', (t) => {
  const exchange: Exchange = {
    method: 'GET',
    url: '/api/1/logout',
    requestType: undefined,
    requestBody: undefined,
    status: 200,
    type: 'application/json',
    body: '{"logged_out":true}',
  }
  t.is(troubleOf(exchange), undefined)
  for (const changed of [
    { url: '/api/1/logoff' },
    { method: 'POST' },
    { status: 204 },
    { type: 'text/plain' },
    { body: '{"logged_out":"yes"}' },
    { body: '{"logged_out":true,"more":1}' },
    { body: '{}' },
  ]) {
    t.truthy(troubleOf({ ...exchange, ...changed }), JSON.stringify(changed))
  }
})
