// What nodes that are for rent answer: limits, errors with any HTTP status, and pages in place of answers.
import test, { type ExecutionContext } from 'ava'
import type { NodeError } from '../../../platform/chain/node.ts'
import { readInPieces } from '../../../platform/chain/ranges.ts'
import { connectRpc, type RpcOptions } from '../../../platform/chain/rpc.ts'
import { isUraidenError, type UraidenError } from '../../../protocol/index.ts'
import { type Fault, type RpcCall, startFaultyRpc } from '../../support/faulty-rpc.ts'

type Decide = (call: RpcCall) => Fault | undefined

/** A node that is on chain 7 and answers its own name to all that it is not told otherwise about. */
async function node(t: ExecutionContext, name: string, decide: Decide) {
  return startFaultyRpc(t, 'http://127.0.0.1:9', (call) => {
    if (call.method === 'eth_chainId') return { answer: '0x7' }
    return decide(call) ?? { answer: name }
  })
}

async function given(
  t: ExecutionContext,
  decisions: readonly Decide[],
  options: Partial<RpcOptions> = {},
) {
  const nodes = await Promise.all(decisions.map((each, index) => node(t, `node ${index}`, each)))
  const urls = nodes.map(({ url }) => url)
  let passed = 0
  const rpc = await connectRpc({ urls, timeout: 5000, now: () => passed, ...options })
  t.teardown(rpc.close)
  const asked = (index: number, method: string) =>
    nodes[index]?.calls.filter((call) => call.method === method).length
  return { ...rpc, nodes, asked, pass: (milliseconds: number) => (passed += milliseconds) }
}

async function failureOf(work: Promise<unknown>): Promise<UraidenError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isUraidenError(error)) throw error ?? new Error('it did not fail')
  return error
}

for (const status of [200, 400, 404, 413, 422, 500, 503]) {
  test(`a JSON-RPC error is one, with HTTP status ${status}`, async (t) => {
    const revert = { code: 3, message: 'execution reverted', data: '0x356680b7' }
    const tooLarge = { code: -32614, message: 'eth_getLogs is limited to a 100 range' }
    const { request } = await given(t, [
      ({ method, params }) => {
        if (method === 'eth_call') return { error: revert, with: status }
        if (method !== 'eth_getLogs') return undefined
        const { from, to } = params[0] as { readonly from: number; readonly to: number }
        return to - from >= 100 ? { error: tooLarge, with: status } : { answer: [from] }
      },
    ])
    const refused = await failureOf(request('eth_call', []))
    t.is(refused.code, 'rpc_error')
    t.deepEqual(refused.cause as NodeError, revert)
    const read = await readInPieces(0, 999, async (from, to) => {
      return (await request('eth_getLogs', [{ from, to }])) as readonly number[]
    })
    t.is(read[0], 0)
    t.true(read.length >= 10)
  })
}

const refusals: readonly (readonly [string, Fault])[] = [
  ['HTTP 429 without JSON', { status: 429 }],
  ['HTTP 403 without JSON', { status: 403 }],
  ['HTTP 401 with JSON', { error: { code: -32600, message: 'Must be authenticated' }, with: 401 }],
  ['HTTP 429 with JSON', { error: { code: -32000, message: 'slow down' }, with: 429 }],
  ['-32005', { error: { code: -32005, message: 'limit exceeded' } }],
  ['a rate limit in words', { error: { code: -32000, message: 'rate limit exceeded' } }],
  ['a daily quota', { error: { code: -32000, message: 'daily request count exceeded' } }],
  ['a quota', { error: { code: 1, message: 'Quota used up' } }],
  ['capacity', { error: { code: 429, message: 'exceeded its compute units per second' } }],
  ['a key that ended', { error: { code: -32000, message: 'invalid API key' } }],
  ['a plan', { error: { code: -32000, message: 'Unauthorized' }, with: 402 }],
]

for (const [title, fault] of refusals) {
  test(`${title}: the second node is asked, and the first one again after a while`, async (t) => {
    let isLimited = true
    const { request, asked, pass } = await given(t, [
      () => (isLimited ? fault : undefined),
      () => undefined,
    ])
    t.is(await request('eth_call', []), 'node 1')
    t.is(await request('eth_call', []), 'node 1')
    t.is(asked(0, 'eth_call'), 1)
    isLimited = false
    pass(59_999)
    t.is(await request('eth_call', []), 'node 1')
    pass(1)
    t.is(await request('eth_call', []), 'node 0')
  })

  test(`${title}: the only node is away for now, and says why`, async (t) => {
    const { request } = await given(t, [() => fault])
    const error = await failureOf(request('eth_call', []))
    t.is(error.code, 'chain_unavailable')
    t.regex(error.message, /does not answer eth_call: it refuses us: /)
  })
}

test('a node that says when it may be asked again is left alone as long, up to an hour', async (t) => {
  const limit = { error: { code: -32005, message: 'slow' }, retryAfter: 300 }
  const { request, asked, pass } = await given(t, [
    ({ method }) => (method === 'eth_gasPrice' ? { ...limit, retryAfter: 1e9 } : limit),
    () => undefined,
  ])
  await request('eth_call', [])
  pass(299_999)
  await request('eth_call', [])
  t.is(asked(0, 'eth_call'), 1)
  pass(1)
  await request('eth_gasPrice', [])
  pass(3_599_999)
  await request('eth_call', [])
  t.is(asked(0, 'eth_call'), 1)
  pass(1)
  await request('eth_call', [])
  t.is(asked(0, 'eth_call'), 2)
})

test('nodes that all refuse are asked all the same: there is no other', async (t) => {
  let isLimited = true
  const decide = () => (isLimited ? ({ status: 429 } as const) : undefined)
  const { request } = await given(t, [decide, decide])
  const error = await failureOf(request('eth_call', []))
  t.is(error.code, 'chain_unavailable')
  t.regex(error.message, /^None of .*: it refuses us: HTTP status 429/)
  isLimited = false
  t.is(await request('eth_call', []), 'node 0')
})

for (const error of [
  { code: -32601, message: 'the method eth_x does not exist/is not available' },
  { code: -32004, message: 'unsupported' },
  { code: -32000, message: 'missing trie node 0xab' },
  { code: 4444, message: 'pruned history unavailable' },
  { code: -32000, message: 'transaction indexing is in progress' },
]) {
  test(`“${error.message}”: another node may have it, and the first stays the first`, async (t) => {
    const lacks: Decide = ({ method }) => (method === 'eth_x' ? { error } : undefined)
    const { request } = await given(t, [lacks, () => undefined])
    t.is(await request('eth_x', []), 'node 1')
    t.is(await request('eth_call', []), 'node 0')
    const alone = await given(t, [lacks, lacks])
    t.is((await failureOf(alone.request('eth_x', []))).code, 'rpc_error')
  })
}

test('a refused call is an answer, and no other node is asked', async (t) => {
  for (const message of [
    'execution reverted: rate limit exceeded',
    'insufficient funds for gas * price + value',
    'nonce too low: next nonce 9, tx nonce 8',
    'transaction underpriced',
  ]) {
    const { request, asked } = await given(t, [
      ({ method }) => (method === 'eth_chainId' ? undefined : { refuse: message }),
      () => undefined,
    ])
    t.is((await failureOf(request('eth_call', []))).code, 'rpc_error')
    t.is(asked(1, 'eth_call'), 0)
  }
})

test('a limit of eth_getLogs is that of the range, or that of the caller, as it is worded', async (t) => {
  const cases = [
    [-32005, 'query returned more than 10000 results', 'rpc_error'],
    [-32005, 'query exceeds max block range 10', 'rpc_error'],
    [-32005, 'limit exceeded', 'rpc_error'],
    [-32600, 'Under the Free tier plan, requests with up to a 10 block range', 'rpc_error'],
    [-32005, 'daily request count exceeded, request rate limited', 'chain_unavailable'],
    [-32005, 'Too Many Requests', 'chain_unavailable'],
  ] as const
  for (const [code, message, expected] of cases) {
    const { request } = await given(t, [() => ({ error: { code, message } })])
    t.is((await failureOf(request('eth_getLogs', []))).code, expected, message)
  }
})

const html = { 'content-type': 'text/html; charset=utf-8' }
const instead: readonly (readonly [string, Fault, RegExp])[] = [
  [
    'a page of a captive portal',
    { respond: { status: 200, headers: html, body: '<html>Log in to WiFi</html>' } },
    /: it sent HTTP status 200, text\/html; charset=utf-8: “<html>Log in to WiFi<\/html>”\.$/,
  ],
  [
    'a redirection',
    { respond: { status: 302, headers: { location: 'http://127.0.0.1:1/login' }, body: '' } },
    /: it sent HTTP status 302 and nothing more\.$/,
  ],
  ['nothing', { respond: { status: 200, body: '' } }, /HTTP status 200 and nothing more\.$/],
  ['a gateway', { respond: { status: 502, body: 'Bad Gateway' } }, /status 502: “Bad Gateway”\.$/],
  ['half of JSON', { respond: { status: 200, body: '{"jsonrpc"' } }, /“{"jsonrpc"”\.$/],
  [
    'an answer to another question',
    { respond: { status: 200, body: '{"jsonrpc":"2.0","id":999999,"result":"0x1"}' } },
    /"id":999999/,
  ],
  [
    'a result with HTTP status 500',
    { respond: { status: 500, body: '{"jsonrpc":"2.0","id":2,"result":"0x1"}' } },
    /status 500/,
  ],
  ['a closed connection', 'loseRequest', /: .*(ECONNRESET|socket hang up)/],
  [
    'a long text that steers a terminal',
    { respond: { status: 500, body: `\u001b[2J\u0007${'x'.repeat(5000)}` } },
    /: “\ufffd\[2J\ufffdx{100,130}…”\.$/,
  ],
]

for (const [title, fault, says] of instead) {
  test(`“does not answer” says what came in place of an answer: ${title}`, async (t) => {
    const { request } = await given(t, [() => fault])
    const error = await failureOf(request('eth_call', []))
    t.is(error.code, 'chain_unavailable')
    t.regex(error.message, /does not answer eth_call: /)
    t.regex(error.message, says)
    t.false(/\p{Cc}/u.test(error.message))
  })
}

test('a key that a node repeats in whatever it sends is not repeated', async (t) => {
  const key = 'c0ffee7777secret'
  const bodies = [
    { status: 502, body: `no such project ${key}` },
    { status: 429, body: `{"id":null,"error":{"code":1,"message":"${key} is over its quota"}}` },
    { status: 400, body: `{"id":null,"error":{"code":1,"message":"bad ${key}\u001b[2J"}}` },
  ]
  for (const respond of bodies) {
    const { url } = await node(t, '', () => ({ respond }))
    const rpc = await connectRpc({ urls: [`${url}/v3/${key}?token=${key}`], timeout: 5000 })
    const error = await failureOf(rpc.request('eth_call', []))
    t.false(`${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`.includes(key))
    t.false(/\p{Cc}/u.test(error.message))
  }
})

test('a result that comes with an empty error is a result', async (t) => {
  const { url } = await startFaultyRpc(t, 'http://127.0.0.1:9', (call) => {
    const { id } = call as unknown as { readonly id: number }
    const body = JSON.stringify({ jsonrpc: '2.0', id, result: '0x7', error: null })
    return { respond: { status: 200, body } }
  })
  const { chainId } = await connectRpc({ urls: [url], timeout: 5000 })
  t.is(chainId, 7n)
})
