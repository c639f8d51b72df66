// The daemon buys by x402 as it buys through channels: for a job with a sink, and for a program through the proxy,
// under one budget that page, history and budget show.
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import type { PageState } from '../../agent/program/page/state.ts'
import { runCli, writeAgentFiles } from '../support/cli.ts'
import { startDaemonProcess } from '../support/daemon.ts'
import { temporaryFolder } from '../support/folder.ts'
import { rawRequest } from '../support/raw-http.ts'
import { until } from '../support/until.ts'
import { dollarPrice, startX402System } from '../support/x402.ts'

/** As a program that knows a proxy: the whole address in the request line. */
function byProxy(proxy: string, path: string): Promise<{ status?: number; body: string }> {
  const { hostname, port } = new URL(proxy)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: { host: new URL(path).host } }, async (answer) => {
      const { statusCode: status } = answer
      resolve({ ...(status && { status }), body: await text(answer) })
    })
      .once('error', reject)
      .end()
  })
}

test('a job and a program buy by x402 until their budget of a day is spent', async (t) => {
  const { chain, base, contract, senderAccount, dollar, served } = await startX402System(t)
  await dollar.pay(senderAccount.address, 10n * dollarPrice)
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'page-token'), 'a-token-long-enough\n', { mode: 0o600 })
  await writeAgentFiles(
    folder,
    senderAccount.privateKey,
    `rpc: ${chain.rpcUrl}
contract: ${contract}
key: key
state: state
clock: trusted
assets:
  USD: { address: '${dollar.address}', chainId: ${chain.chainId}, decimals: 6, rpc: ${chain.rpcUrl} }
budget: { day: 0.025 USD }
receivers:
  room: { url: '${base}', pay: [x402] }
proxy: { listen: '127.0.0.1:0' }
page: { listen: '127.0.0.1:0', token: page-token }
jobs:
  reading: { get: room/reading, every: '0 0 1 1 *', retry: { times: 0 }, sinks: [{ file: out.jsonl }] }
`,
  )
  const daemon = await startDaemonProcess(t, folder)
  const proxy = await daemon.proxyUrl()
  const before = await runCli(folder, ['doctor'])
  t.regex(before.stdout, /asset +0\.1 USD on chain 31337/)
  t.regex(before.stdout, /job +reading, .*, costs 0\.01 USD by x402/)
  const json = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCli(folder, ['--json', ...args])
    t.is(code, 0, stderr + stdout)
    return JSON.parse(stdout)
  }

  t.like(await json('run-job', 'reading'), { kind: 'done', status: 200 })
  const line = await until(() =>
    readFile(join(folder, 'out.jsonl'), 'utf8').then(
      (content) => content || undefined,
      () => undefined,
    ),
  )
  t.like(JSON.parse(line), { data: { celsius: 21.4, served: 1 } })

  const bought = await byProxy(proxy, 'http://room/reading')
  t.deepEqual([bought.status, JSON.parse(bought.body)], [200, { celsius: 21.4, served: 2 }])

  // 0.005 USD are left, and a reading costs 0.01.
  const refused = await byProxy(proxy, 'http://room/reading')
  t.is(refused.status, 402)
  t.like(JSON.parse(refused.body), { code: 'budget_day_spent' })
  t.is((await runCli(folder, ['run-job', 'reading'])).code, 3)
  t.is(served.length, 2)
  t.is((await dollar.used(senderAccount.address)).length, 2)

  const unit = { symbol: 'USD', decimals: 6 }
  const history = await json('history')
  t.is(history.length, 2)
  for (const purchase of history) t.like(purchase, { cost: `${dollarPrice}`, unit })
  const { port = 0, key = '' } = (await daemon.status())?.page ?? {}
  const headers = { authorization: `Bearer ${key}` }
  const state: PageState = JSON.parse((await rawRequest(port, { path: '/state', headers })).body)
  t.deepEqual(
    state.purchases.map(({ cost, buyer, unit: shown }) => ({ cost, buyer, unit: shown })),
    [
      { cost: `${dollarPrice}`, buyer: null, unit },
      { cost: `${dollarPrice}`, buyer: 'job reading', unit },
    ],
  )
  t.like(state.budgets[0], { spent: `${2n * dollarPrice}`, unit })
  t.deepEqual(state.channels, [])
})
