// The commands of the README, as a person or a program runs them.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const program = (name: string) =>
  fileURLToPath(new URL(`../../scripts/lib/${name}.ts`, import.meta.url))
const demo = (...args: readonly string[]) => run(process.execPath, [program('demo'), ...args])

test('the demo’s JSON adds up, with about one round trip a payment', async (t) => {
  const { stdout } = await demo('--payments', '100', '--json')
  const result = JSON.parse(stdout)
  t.like(result, {
    payments: 100,
    price: '5000000000000000',
    spent: '500000000000000000',
    receiverGot: '500000000000000000',
  })
  t.is(BigInt(result.deposit), BigInt(result.receiverGot) + BigInt(result.senderGotBack))
  t.true(result.roundTripsPerPayment >= 1 && result.roundTripsPerPayment <= 1.1)
  t.true(Number.isInteger(result.openBlock))
  t.regex(result.settleTx, /^0x[0-9a-f]{64}$/)
})

test('the demo tells a person what it bought and that it adds up', async (t) => {
  const { stdout } = await demo('--payments', '3')
  t.regex(stdout, /channel opened at block \d+ with 0\.015 TKN/)
  t.regex(stdout, /bought 3 readings for 0\.015 TKN +receiver got 0\.015 TKN/)
  t.regex(stdout, /deposited 0\.015 TKN +agent got back 0\.000 TKN +✔ adds up/)
  t.notRegex(stdout, /topped up/)
})

test('a number of payments that makes no sense is refused with the bounds', async (t) => {
  for (const bad of ['0', '-1', '1.5', 'many', '100001']) {
    const { stderr, code } = await demo(`--payments=${bad}`).catch((error) => error)
    t.is(code, 1)
    t.regex(stderr, /Write an integer from 1 to 100000\./)
  }
})

test('the chain says where it is, and ends when asked to', async (t) => {
  const chain = spawn(process.execPath, [program('chain'), '--port', '0', '--json'])
  const [line] = await once(createInterface(chain.stdout), 'line')
  const facts = JSON.parse(line)
  t.is(facts.chainId, 31337)
  const answer = await fetch(facts.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'eth_getCode',
      params: [facts.contract, 'latest'],
    }),
  })
  const { result } = (await answer.json()) as { result: string }
  t.true(result.length > 1000)
  chain.kill('SIGTERM')
  const [code] = await once(chain, 'exit')
  t.is(code, 0)
})
