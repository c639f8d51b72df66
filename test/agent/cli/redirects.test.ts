import { Readable } from 'node:stream'
import test from 'ava'
import { follow, nextHop } from '../../../agent/cli/commands/redirects.ts'
import type { AgentStream, RequestOptions } from '../../../agent/options.ts'

const post: RequestOptions = {
  method: 'POST',
  body: 'x',
  headers: {
    authorization: 'a',
    cookie: 'c',
    'rdn-balance': '5',
    'content-type': 't',
    accept: '*',
  },
}
const from = new URL('http://a/b/c?d')

interface Redirect {
  readonly status: number
  readonly location: string
  readonly to: string
  readonly method: string
  /** Names of headers that go on. */
  readonly keeps: readonly string[]
}

const all = ['authorization', 'cookie', 'rdn-balance', 'content-type', 'accept']
const redirects: readonly Redirect[] = [
  {
    status: 301,
    location: 'x',
    to: 'http://a/b/x',
    method: 'GET',
    keeps: all.filter((name) => name !== 'content-type'),
  },
  {
    status: 302,
    location: '/x',
    to: 'http://a/x',
    method: 'GET',
    keeps: all.filter((name) => name !== 'content-type'),
  },
  {
    status: 303,
    location: '?x',
    to: 'http://a/b/c?x',
    method: 'GET',
    keeps: all.filter((name) => name !== 'content-type'),
  },
  { status: 307, location: '/x#y', to: 'http://a/x', method: 'POST', keeps: all },
  { status: 308, location: 'http://a/x', to: 'http://a/x', method: 'POST', keeps: all },
  {
    status: 307,
    location: 'http://b/x',
    to: 'http://b/x',
    method: 'POST',
    keeps: ['content-type', 'accept'],
  },
  {
    status: 307,
    location: '//a:81/x',
    to: 'http://a:81/x',
    method: 'POST',
    keeps: ['content-type', 'accept'],
  },
  {
    status: 308,
    location: 'https://a/x',
    to: 'https://a/x',
    method: 'POST',
    keeps: ['content-type', 'accept'],
  },
  { status: 302, location: 'http://b/x', to: 'http://b/x', method: 'GET', keeps: ['accept'] },
]

for (const { status, location, to, method, keeps } of redirects) {
  test(`${status} to ${location}: ${method} ${to}`, (t) => {
    const hop = nextHop({ url: from, options: post }, { status, headers: { location } })
    t.is(hop?.url.href, to)
    t.is(hop?.options.method, method)
    t.is(hop?.options.body, method === 'POST' ? 'x' : undefined)
    t.deepEqual(Object.keys(hop?.options.headers ?? {}), keeps)
  })
}

for (const [status, headers] of [
  [200, { location: '/x' }],
  [300, { location: '/x' }],
  [304, { location: '/x' }],
  [302, {}],
] as const) {
  test(`${status} ${JSON.stringify(headers)} is no redirect`, (t) => {
    t.is(nextHop({ url: from, options: {} }, { status, headers }), undefined)
  })
}

for (const [at, location] of [
  ['https://a/', 'http://a/'],
  ['http://a/', 'ftp://a/'],
  ['http://a/', 'javascript:1'],
  ['http://a/', 'http://'],
] as const) {
  test(`from ${at} to ${location} nobody follows`, (t) => {
    const hop = { url: new URL(at), options: {} }
    t.throws(() => nextHop(hop, { status: 302, headers: { location } }), {
      code: 'redirect_refused',
    })
  })
}

/** Redirects so often, then answers. */
function asking(times: number) {
  const asked: string[] = []
  const ask = async ({ url }: { readonly url: URL }): Promise<AgentStream> => {
    asked.push(url.pathname)
    const isOver = asked.length > times
    return {
      status: isOver ? 200 : 302,
      headers: isOver ? {} : { location: `/${asked.length}` },
      body: Readable.from([Buffer.alloc(10)]),
      payment: undefined,
      roundTrips: 1,
    }
  }
  return { ask, asked }
}

test('ten redirects are followed, eleven are not; each is asked for by itself', async (t) => {
  const ten = asking(10)
  const { answer, url, before } = await follow({ url: new URL('http://a/0'), options: {} }, ten.ask)
  t.deepEqual([answer.status, url.pathname, before.length, ten.asked.length], [200, '/10', 10, 11])
  const eleven = asking(11)
  await t.throwsAsync(follow({ url: new URL('http://a/0'), options: {} }, eleven.ask), {
    code: 'redirect_refused',
    message: /more than 10/,
  })
  t.is(eleven.asked.length, 11)
})
