// The administrator's routes over HTTP and over the socket.

import { stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createAdmin } from '../../../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../../receiver/server/admin/secrets.ts'
import { parseBackup } from '../../../../receiver/server/backup/document.ts'
import { listenAdmin } from '../../../support/admin.ts'
import { readChain } from '../../../support/chain-read.ts'
import { givenChannel } from '../../../support/channel.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const password = 'correct horse'
const basic = (user: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
})
const alice = basic('alice', password)

async function given(t: ExecutionContext, settings: object = {}) {
  let time = 0
  const config = adminSchema.parse({
    users: { alice: await hashSecret(password) },
    tokens: { grafana: await hashSecret('grafana.secret') },
    ...settings,
  })
  const admin = await createAdmin(config, () => time)
  const system = await givenChannel(t, {
    server: { admin },
    resources: [
      { path: '/reading', price: 5n, handler: () => 'served' },
      { path: '/dear', method: 'POST', price: '0.02 TKN', handler: () => 'served' },
      { path: '/table/*', price: { '/table/:n': () => 3n, '*': 1n }, handler: () => 'served' },
    ],
  })
  const goods = system.base
  const base = await listenAdmin(t, admin)
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${base}/api/1${path}`, { headers, method })
  return { ...system, goods, base, admin, ask, wait: (seconds: number) => (time += seconds * 1000) }
}

const routes = [
  '/login',
  '/logout',
  '/admin',
  '/admin/stats',
  '/admin/channels',
  '/admin/prices',
  '/admin/backup',
] as const

// One after the other: each has a chain of its own, and they would starve each other.
test.serial(
  'without a login every route of the administrator says 401 and nothing else',
  async (t) => {
    const { ask } = await given(t)
    for (const path of routes) {
      for (const headers of [{}, { authorization: 'Bearer made-up' }]) {
        const answer = await ask(path, headers)
        t.is(answer.status, 401, path)
        t.like(await answer.json(), { status: 401, code: 'not_logged_in' })
      }
    }
    t.regex((await ask('/admin')).headers.get('www-authenticate') ?? '', /^Basic realm=/)
    // A page that asks with a token must not make the browser open its own dialogue.
    const page = await ask('/admin', { authorization: 'Bearer made-up' })
    t.regex(page.headers.get('www-authenticate') ?? '', /^Bearer /)
    // Nor must a page of another site.
    for (const site of ['same-site', 'cross-site']) {
      const other = await ask('/admin', { 'sec-fetch-site': site })
      t.regex(other.headers.get('www-authenticate') ?? '', /^Bearer /, site)
    }
  },
)

test.serial(
  'as the documents have it: log in with a password, use the token as the user, log out',
  async (t) => {
    const { ask, wait } = await given(t)
    const login = await ask('/login', alice)
    t.is(login.status, 200)
    t.is(login.headers.get('cache-control'), 'no-store')
    t.is(login.headers.get('set-cookie'), null)
    const { token } = (await login.json()) as { token: string }
    t.deepEqual(await (await ask('/admin', basic(token, ''))).json(), {
      user: 'alice',
      by: 'session',
    })
    wait(599)
    t.is((await ask('/admin', { authorization: `Bearer ${token}` })).status, 200)
    wait(599)
    t.deepEqual(await (await ask('/login', basic(token, ''))).json(), { token })
    t.deepEqual(await (await ask('/logout', basic(token, ''))).json(), { logged_out: true })
    t.is((await ask('/admin', basic(token, ''))).status, 401)

    const { token: second } = (await (await ask('/login', alice)).json()) as { token: string }
    wait(601)
    t.is((await ask('/admin', basic(second, ''))).status, 401)
  },
)

test.serial('a program uses its token and needs no login', async (t) => {
  const { ask } = await given(t)
  const answer = await ask('/admin', { authorization: 'Bearer grafana.secret' })
  t.deepEqual(await answer.json(), { user: 'grafana', by: 'token' })
})

test.serial(
  'an address has so many guesses, then it waits; whoever is logged in does not',
  async (t) => {
    const { ask } = await given(t, { attempts: 3 })
    t.is((await ask('/admin', alice)).status, 200)
    t.is((await ask('/admin', basic('alice', 'guess 2'))).status, 401)
    t.is((await ask('/admin', basic('alice', 'guess 3'))).status, 401)
    const late = await ask('/admin', basic('alice', 'guess 4'))
    t.is(late.status, 429)
    t.like(await late.json(), { code: 'too_many_attempts' })
    t.regex(late.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/)
    t.is((await ask('/admin', basic('bob', password))).status, 429)
    t.is((await ask('/admin', alice)).status, 200)
  },
)

test.serial(
  'a page of another site cannot use the browser’s login; it could not know a token',
  async (t) => {
    const { ask } = await given(t)
    const other = { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' }
    for (const path of routes) {
      const answer = await ask(path, { ...alice, ...other })
      t.is(answer.status, 403, path)
      t.like(await answer.json(), { code: 'other_origin' })
    }
    t.is((await ask('/admin', { authorization: 'Bearer grafana.secret', ...other })).status, 200)
    t.is((await ask('/admin', { ...alice, 'sec-fetch-site': 'same-origin' })).status, 200)
  },
)

test.serial('the books: channels with what is due, sums, prices', async (t) => {
  const { ask, pay, channel, receiver } = await given(t)
  await pay(5n)
  await pay(15n, { 'RDN-Payment': '5' })
  const shown = {
    sender_address: channel.sender,
    sender_name: null,
    open_block: `${channel.openBlock}`,
    state: 'open',
    deposit: '100',
    balance: '15',
    withdrawn: '0',
    due: '15',
    credit: '5',
    signature_form: 'eip712',
    closing_balance: null,
    closing_block: null,
    settle_block: null,
  }
  t.deepEqual(await (await ask('/admin/channels', alice)).json(), [shown])
  t.deepEqual(await (await ask('/admin/channels?state=open', alice)).json(), [shown])
  t.deepEqual(await (await ask('/admin/channels?state=settled', alice)).json(), [])
  const one = `/admin/channels/${channel.sender}/${channel.openBlock}`
  t.deepEqual(await (await ask(one, alice)).json(), shown)
  t.is((await ask(`/admin/channels/${channel.sender}/1`, alice)).status, 404)
  t.is((await ask('/admin/channels?state=half', alice)).status, 400)
  t.like(await (await ask('/admin/stats', alice)).json(), {
    channels: { open: 1, agreed: 0, closing: 0, settled: 0 },
    deposit_sum: '100',
    uncollected_sum: '15',
    at_risk_sum: '0',
    lost_sum: '0',
    dishonest_closes: [],
    token_symbol: 'TKN',
    verifier: receiver.verifier.verifier,
    node_answers: true,
  })
  t.deepEqual(await (await ask('/admin/prices', alice)).json(), [
    { path: '/reading', methods: ['GET'], price: '0.000000000000000005 TKN' },
    { path: '/dear', methods: ['POST'], price: '0.02 TKN' },
    { path: '/table/:n', methods: ['GET'], price: 'computed' },
    { path: '/table/*', methods: ['GET'], price: '0.000000000000000001 TKN' },
  ])
})

test.serial('the administrator withdraws and closes; the tokens arrive', async (t) => {
  const { base, pay, channel, receiver, tokensOf } = await given(t)
  const post = async (path: string, body: object) => {
    const headers = { ...alice, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    return (await fetch(`${base}/api/1/admin/${path}`, init)).json()
  }
  await pay(5n)
  const tried = (await post('withdraw', { dry_run: true })) as object
  const owed = { sender_address: channel.sender, open_block: `${channel.openBlock}`, amount: '5' }
  t.like(tried, { dry_run: true, planned: [owed], planned_sum: '5', transactions: [], sum: '0' })
  t.is(await tokensOf(receiver.address), 0n)
  t.like(await post('withdraw', {}), {
    dry_run: false,
    sum: '5',
    transactions: [{ channels: [owed] }],
  })
  t.is(await tokensOf(receiver.address), 5n)
  await readChain(receiver)
  t.like(await post('withdraw', {}), { planned: [], reason: 'nothing_due', sum: '0' })
  await pay(15n, { 'RDN-Payment': '5' })
  const path = `/api/1/admin/channels/${channel.sender}/${channel.openBlock}`
  const closed = await fetch(base + path, { method: 'DELETE', headers: alice })
  t.is(closed.status, 200)
  t.is(await tokensOf(receiver.address), 15n)
})

test.serial('the backup is a whole one, and only for who is logged in', async (t) => {
  const { ask, pay, channel } = await given(t)
  await pay(5n)
  const answer = await ask('/admin/backup', alice)
  const [found] = parseBackup(await answer.text()).channels
  t.is(found?.sender, channel.sender)
  t.is(found?.claims.highest, 5n)
})

test.serial('beside the goods nobody administers, and hears where that is', async (t) => {
  const { goods, base } = await given(t)
  for (const path of ['/admin', ...routes.map((route) => `/api/1${route}`)]) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await fetch(goods + path, { method, headers: alice })
      t.is(answer.status, 404, path)
      t.like(await answer.json(), { code: 'administration_elsewhere' }, path)
    }
  }
  // And there nothing is sold.
  for (const path of ['/reading', '/api/1/stats', '/api/1/channels', '/cm']) {
    t.is((await fetch(base + path)).status, 404, path)
  }
  t.is(new URL((await fetch(base)).url).pathname, '/admin')
})

test.serial('on the socket nobody logs in, and only its owner can connect', async (t) => {
  const { admin, ask } = await given(t)
  const path = join(await temporaryFolder(t), 'control.sock')
  const stop = await admin.listenOnSocket(path)
  t.is((await stat(path)).mode & 0o777, 0o600)
  t.deepEqual(JSON.parse(await get(path, '/api/1/admin')), { user: 'socket', by: 'socket' })
  t.is(JSON.parse(await get(path, '/api/1/admin/prices')).length, 4)
  await t.throwsAsync(admin.listenOnSocket(path), {
    code: 'socket_in_use',
  })
  await stop()
  await t.throwsAsync(get(path, '/api/1/admin'), { code: 'ENOENT' })
  t.is((await ask('/admin')).status, 401)
})

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      resolve(Buffer.concat(chunks).toString())
    })
    asked.once('error', reject)
    asked.end()
  })
}
