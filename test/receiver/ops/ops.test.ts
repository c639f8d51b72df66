// Health, readiness and metrics over HTTP.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, isUraidenError } from '../../../protocol/index.ts'
import { createDiskProbe } from '../../../receiver/chain/health.ts'
import {
  createOps,
  opsSchema,
  type ReceiverOptions,
  startReceiver,
} from '../../../receiver/index.ts'
import {
  type Check,
  decideReadiness,
  defaultReadinessLimits,
  type ReadinessFacts,
} from '../../../receiver/ops/readiness.ts'
import { givenChannel } from '../../support/channel.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

const config = (text: object) => opsSchema.parse(text)

async function given(
  t: ExecutionContext,
  settings: object,
  receiver: Partial<ReceiverOptions> = {},
) {
  const ops = createOps(config(settings))
  const own = await ops.start()
  t.teardown(ops.stop)
  let failing = false
  const system = await givenChannel(t, {
    receiver: { observer: ops.observer, ...receiver },
    server: { ops },
    resources: [
      {
        path: '/reading',
        price: 5n,
        handler: () => {
          if (failing) throw new Error('the sensor is gone')
          return { celsius: 21.4 }
        },
      },
      { path: '/free', price: 0n, handler: () => 'free' },
    ],
  })
  const scrape = async () => metricsIn(await (await fetch(`${own ?? system.base}/metrics`)).text())
  return { ...system, own, scrape, fail: () => (failing = true) }
}

/** `name{labels}` and its value. */
function metricsIn(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

test('health is on the receiver’s own address, metrics only where they have a place', async (t) => {
  const { base } = await given(t, {})
  const alive = await fetch(`${base}/healthz`)
  t.is(alive.status, 200)
  t.deepEqual(await alive.json(), { status: 'ok' })
  const ready = await fetch(`${base}/readyz`)
  t.is(ready.status, 200)
  const { ready: isReady, checks } = (await ready.json()) as { ready: boolean; checks: Check[] }
  t.true(isReady)
  t.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [
      ['state', true],
      ['chain', true],
      ['ether', true],
      ['disk', true],
    ],
  )
  t.is((await fetch(`${base}/metrics`)).status, 404)
})

test('all of it can be switched off', async (t) => {
  const { base } = await given(t, { health: false, metrics: false })
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    t.is((await fetch(base + path)).status, 404, path)
  }
})

test('an address of its own shows them there and not to buyers', async (t) => {
  const { base, own = '' } = await given(t, { listen: '127.0.0.1:0' })
  t.not(own, base)
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    t.is((await fetch(own + path)).status, 200, path)
    t.is((await fetch(base + path)).status, 404, path)
  }
})

test('an address that is taken is an error that names it', async (t) => {
  const first = createOps(config({ listen: '127.0.0.1:0' }))
  const taken = new URL((await first.start()) ?? '').host
  t.teardown(first.stop)
  const error = await t.throwsAsync(createOps(config({ listen: taken })).start())
  t.true(isUraidenError(error, 'ops_address_unusable'))
  t.true(error?.message.includes(taken))
})

test('before the receiver is there, it is alive but not ready, and says why', async (t) => {
  const ops = createOps(config({ listen: '127.0.0.1:0' }))
  const own = await ops.start()
  t.teardown(ops.stop)
  t.is((await fetch(`${own}/healthz`)).status, 200)
  const answer = await fetch(`${own}/readyz`)
  t.is(answer.status, 503)
  t.like(await answer.json(), { ready: false, checks: [{ name: 'state', ok: false }] })
  t.is((await fetch(`${own}/metrics`)).status, 200)
})

test('without its node it stays alive, stops being ready, and is ready again afterwards', async (t) => {
  const { chain, contract, receiverAccount, folder } = await givenChannel(t)
  let away = false
  const node = await startFaultyRpc(t, chain.rpcUrl, () => (away ? 'loseRequest' : undefined))
  const ops = createOps(config({ listen: '127.0.0.1:0', chainAge: 0.3 }))
  const own = await ops.start()
  t.teardown(ops.stop)
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: node.url,
    contract,
    state: join(folder, 'behind'),
    pollInterval: 20,
    confirmations: 1,
    observer: ops.observer,
  })
  t.teardown(receiver.stop)
  ops.attach(receiver)
  const becomes = (status: number) =>
    until(async () => {
      const answer = await fetch(`${own}/readyz`)
      const body = await answer.json()
      return answer.status === status && (body as { readonly checks: readonly Check[] })
    })
  await becomes(200)
  away = true
  // On a busy machine it is not ready now and then, with its node there.
  const metrics = await until(async () => {
    const found = metricsIn(await (await fetch(`${own}/metrics`)).text())
    return found.get('uraiden_node_up') === 0 && found
  })
  const { checks } = await becomes(503)
  t.deepEqual(
    checks.filter(({ ok }) => !ok).map(({ name }) => name),
    ['chain'],
  )
  t.is((await fetch(`${own}/healthz`)).status, 200)
  const method = 'eth_getBlockByNumber'
  const lost = metrics.get(
    `uraiden_rpc_requests_total{method="${method}",outcome="chain_unavailable"}`,
  )
  t.true((lost ?? 0) > 0)
  away = false
  await becomes(200)
  t.pass()
})

test('metrics count what was asked, paid, refused and given back', async (t) => {
  const { base, pay, scrape, fail, receiver } = await given(t, { metrics: true })
  await fetch(`${base}/reading`)
  await pay(5n)
  await pay(5n)
  await pay(10n)
  await fetch(`${base}/free`)
  await fetch(`${base}/no/such/${'x'.repeat(50)}`)
  fail()
  t.is((await pay(15n)).status, 500)
  const metrics = await scrape()
  const requests = (outcome: string, code = '') =>
    metrics.get(`uraiden_requests_total{outcome="${outcome}",code="${code}"}`)
  t.is(requests('paid'), 3)
  t.is(requests('free'), 1)
  t.is(requests('refused', 'payment_required'), 1)
  t.is(requests('refused', 'balance_spent'), 1)
  t.is(metrics.get('uraiden_paid_tokens_total'), 15e-18)
  t.is(metrics.get('uraiden_credited_tokens_total'), 5e-18)
  t.is(metrics.get('uraiden_uncollected_tokens'), 15e-18)
  t.is(metrics.get('uraiden_deposit_tokens'), 100e-18)
  t.is(metrics.get('uraiden_channels{state="open"}'), 1)
  t.is(metrics.get('uraiden_channels{state="closing"}'), 0)
  const { verifier, threads } = receiver.verifier
  t.is(metrics.get(`uraiden_verifier_info{verifier="${verifier}",threads="${threads}"}`), 1)
  t.true((metrics.get('uraiden_commit_records_count') ?? 0) >= 4)
  t.is(metrics.get('uraiden_commit_failures_total'), 0)
  t.is(metrics.get('uraiden_chain_lag_blocks'), 0)
  t.is(metrics.get('uraiden_node_up'), 1)
  t.is(metrics.get('uraiden_ether'), 10_000)
  t.true((metrics.get('process_cpu_seconds_total') ?? 0) > 0)
  const labels = 'method="GET",route="/reading",status="200"'
  t.is(metrics.get(`http_request_duration_seconds_count{${labels}}`), 2)
  const unknown = 'method="GET",route="none",status="404"'
  t.is(metrics.get(`http_request_duration_seconds_count{${unknown}}`), 1)
})

const well: ReadinessFacts = {
  chain: { answers: true, age: 100, head: 7, ether: 10n ** 18n },
  disk: { kind: 'writable', freeBytes: 10 ** 9 },
}
const limits = defaultReadinessLimits

const cases: readonly {
  readonly when: string
  readonly facts: ReadinessFacts | undefined
  readonly failed: readonly string[]
}[] = [
  { when: 'all is well', facts: well, failed: [] },
  { when: 'the state is being loaded', facts: undefined, failed: ['state'] },
  {
    when: 'the chain was never read',
    facts: { ...well, chain: { ...well.chain, age: Number.POSITIVE_INFINITY } },
    failed: ['chain'],
  },
  {
    when: 'the chain is as old as allowed',
    facts: { ...well, chain: { ...well.chain, age: limits.chainAge } },
    failed: [],
  },
  {
    when: 'the chain is older',
    facts: { ...well, chain: { ...well.chain, age: limits.chainAge + 1 } },
    failed: ['chain'],
  },
  {
    when: 'there is just enough ether',
    facts: { ...well, chain: { ...well.chain, ether: 10n ** 8n } },
    failed: [],
  },
  {
    when: 'there is one wei too little',
    facts: { ...well, chain: { ...well.chain, ether: 10n ** 8n - 1n } },
    failed: ['ether'],
  },
  {
    when: 'there is just enough space',
    facts: { ...well, disk: { kind: 'writable', freeBytes: limits.freeBytes } },
    failed: [],
  },
  {
    when: 'there is one byte too little',
    facts: { ...well, disk: { kind: 'writable', freeBytes: limits.freeBytes - 1 } },
    failed: ['disk'],
  },
  {
    when: 'a write fails',
    facts: { ...well, disk: { kind: 'unwritable', why: 'EIO' } },
    failed: ['disk'],
  },
]

for (const { when, facts, failed } of cases) {
  test(`readiness when ${when}`, (t) => {
    const { ready, checks } = decideReadiness(facts, limits)
    t.deepEqual(
      checks.filter(({ ok }) => !ok).map(({ name }) => name),
      failed as Check['name'][],
    )
    t.is(ready, failed.length === 0)
    t.true(checks.every(({ detail }) => detail !== ''))
  })
}

test('however often somebody asks, the disk is tried once in ten seconds', async (t) => {
  let writes = 0
  let time = 0
  let broken = false
  const probe = createDiskProbe({
    folder: await temporaryFolder(t),
    now: () => time,
    write: async () => {
      writes++
      if (broken) throw new Error('read-only file system')
    },
  })
  await Promise.all([probe(), probe(), probe()])
  time = 9999
  t.is((await probe()).kind, 'writable')
  t.is(writes, 1)
  broken = true
  time = 10_000
  t.deepEqual(await probe(), { kind: 'unwritable', why: 'read-only file system' })
  t.is(writes, 2)
})

for (const listen of ['9403', '127.0.0.1', '127.0.0.1:65536', 'http://127.0.0.1:1', '::1:9403']) {
  test(`ops.listen: ${listen} is refused with a remedy`, (t) => {
    const result = opsSchema.safeParse({ listen })
    t.false(result.success)
    t.true(result.error?.issues[0]?.message.includes(listen))
  })
}

for (const [listen, host, port] of [
  ['127.0.0.1:65535', '127.0.0.1', 65_535],
  ['[::1]:0', '::1', 0],
  ['localhost:9403', 'localhost', 9403],
] as const) {
  test(`ops.listen: ${listen} is understood`, (t) => {
    t.deepEqual(config({ listen }).listen, { host, port })
  })
}

test('how far a watchtower is behind is a metric of its own', async (t) => {
  // Nobody listens there.
  const url = 'http://127.0.0.1:9'
  const watchtowers = [{ url, token: 'a-token-of-16-characters', interval: 10 }]
  const { pay, scrape } = await given(t, { metrics: true }, { watchtowers })
  const label = `{watchtower="${url}"}`
  const before = await scrape()
  t.is(before.get(`uraiden_watchtower_behind_channels${label}`), 0)
  t.is(before.get(`uraiden_watchtower_up${label}`), 1)
  t.is((await pay(5n)).status, 200)
  const now = await until(async () => {
    const found = await scrape()
    return found.get(`uraiden_watchtower_up${label}`) !== 1 && found
  })
  t.is(now.get(`uraiden_watchtower_behind_channels${label}`), 1)
  t.true((now.get(`uraiden_watchtower_behind_seconds${label}`) ?? 0) > 0)
})
