import { EventEmitter, once } from 'node:events'
import { chmod, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import anyTest, { type ExecutionContext } from 'ava'
import { openLedger } from '../../../agent/channels/ledger.ts'
import { machineClock } from '../../../platform/time/machine-clock.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { runCli, writeAgentFiles } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { startSystem } from '../../support/system.ts'

// One chain at a time: it looks at its blocks as long as the test's programs take.
const test = anyTest.serial

/** An agent's folder on a chain with a receiver. A reading costs 5 units of TKN with 18 decimals. */
async function given(t: ExecutionContext, more = '') {
  const gate = new EventEmitter()
  const entered = once(gate, 'entered')
  const released = once(gate, 'released')
  const system = await startSystem(t, [
    { path: '/reading', price: 5n, handler: () => ({ celsius: 21.4 }) },
    { path: '/echo', price: 5n, handler: () => 'thanks' },
    {
      path: '/slow',
      price: 5n,
      handler: async () => {
        gate.emit('entered')
        await released
        return 'late'
      },
    },
  ])
  t.teardown(() => void gate.emit('released'))
  const { base, chain, contract, receiverAccount, senderAccount, folder: shared } = system
  const folder = join(shared, 'cli')
  await mkdir(folder)
  const receiver = receiverAccount.address
  await writeAgentFiles(
    folder,
    senderAccount.privateKey,
    `rpc: ${chain.rpcUrl}
contract: ${contract}
key: key
state: state
budget: { request: 10 units, total: 1000 units }
receivers:
  room: { url: '${base}', address: ${receiver} }
${more}`,
  )
  const cli = (...args: readonly string[]) => runCli(folder, args)
  const json = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await cli('--json', ...args)
    t.is(code, 0, stderr)
    return JSON.parse(stdout)
  }
  return { ...system, folder, receiver, cli, json, entered }
}

test('a device’s life: doctor, get, channels, budget, topup, close, history', async (t) => {
  const { cli, json, folder, base, receiver, tokensOf } = await given(t)

  const healthy = await cli('doctor', 'room/reading')
  t.is(healthy.code, 0, healthy.stdout + healthy.stderr)
  t.regex(healthy.stdout, /✔ chain +chain id 31337, block \d+/)
  t.regex(healthy.stdout, /✔ contract +0x\w{40}, version 0\.4\.0, token TKN/)
  t.regex(healthy.stdout, /! key .* not encrypted: .* uraiden-agent key import/)
  t.regex(healthy.stdout, /✔ tokens/)
  t.regex(healthy.stdout, /✔ receiver +http:\S+\/reading costs 0\.000000000000000005 TKN/)
  t.false(healthy.stdout.includes('\u001b'))

  const first = await cli('get', 'room/reading')
  t.is(first.code, 0, first.stderr)
  t.deepEqual(JSON.parse(first.stdout), { celsius: 21.4 })
  // Whoever wants to know it asks doctor.
  t.notRegex(first.stderr, /not encrypted/)

  const traffic = await cli('doctor', 'receiver', 'room/reading')
  t.is(traffic.code, 0, traffic.stdout + traffic.stderr)
  t.regex(traffic.stdout, /✔ receiver +http:\S+\/reading of 0x\w{40}: requests and answers arrive/)

  t.is((await cli('get', `${base}/reading`, '-o', 'body.json')).code, 0)
  t.is(await readFile(join(folder, 'body.json'), 'utf8'), '{"celsius":21.4}')
  t.like(await json('get', 'room/reading'), {
    status: 200,
    roundTrips: 2,
    payment: { cost: '5', balance: '15' },
    body: '{"celsius":21.4}',
  })

  const [channel] = await json('channels')
  t.like(channel, { receiver, deposit: '50', balance: '15', state: 'open' })
  t.regex(
    (await cli('channels')).stdout,
    /^CHANNEL +SPENT +RESERVED +STATE\nroom\/\d+ +███\S* +30 % /,
  )
  t.deepEqual((await json('budget')).limits, [
    { scope: 'all', window: 'total', cap: '1000', used: '15' },
  ])
  await json('topup', 'room', '7 units')
  t.is((await json('channels'))[0].deposit, '57')

  await json('close', `room/${channel.openBlock}`)
  t.is(await tokensOf(receiver), 15n)
  t.deepEqual(await json('channels'), [])
  t.is((await json('channels', '--all'))[0].state, 'closed')
  t.like(await json('history'), [
    { url: `${base}/reading`, status: 200, cost: '5', balance: '5' },
    { balance: '10' },
    { balance: '15' },
  ])
  t.regex(
    (await cli('history')).stdout,
    /^UTC +IS +PAID +TO +WHAT +JOB +AUTHENTIC\n\d\d-\d\d .* room +\/reading.*\n3 purchases since /s,
  )
  const { buyers, days } = await json('history', '--by-day')
  t.deepEqual(buyers, ['commands'])
  t.like(days.at(-1), { spent: ['15'], purchases: 3, failures: 0 })
  t.regex((await cli('history', '--by-day')).stdout, /^DAY .*\n.* 3 +commands 100 %\n1 day: /s)
  const events = (await json('history', '--chain', '--from-block', '1')) as readonly {
    readonly kind: string
  }[]
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['created', 'toppedUp', 'settled'],
  )
})

test('without the receiver: open, close uncooperatively, settle when it is time, recover', async (t) => {
  const { cli, json, chain, receiver, folder } = await given(t)
  const { channel } = await json('open', 'room', '20 units')
  await chain.provider.send('hardhat_mine', ['0x2711', '0xc'])
  const requested = await cli('close', channel, '--uncooperative')
  t.regex(requested.stdout, /close of 0x\S+ requested/)
  const when = /after block \d+, about \d+(\.\d)? hours from now/.source
  t.regex((await cli('channels')).stdout, new RegExp(` closing, settles ${when}\n`))
  t.regex((await cli('settle')).stdout, new RegExp(`${channel} can be settled ${when}\n`))
  t.like(await json('settle'), { settled: [], closing: [{ channel, state: 'closing' }] })
  await chain.mine(501)
  t.deepEqual((await json('settle', '--wait')).settled, [channel])

  const second = await json('open', receiver, '20 units')
  const lost = (...args: readonly string[]) =>
    runCli(folder, args, { URAIDEN_AGENT_STATE: 'other-state' })
  t.regex((await lost('channels')).stdout, /no open channels/)
  t.true((await lost('recover')).stdout.includes(second.channel))
  t.true((await lost('channels')).stdout.includes(`room/${second.channel.split('/')[1]}`))
})

test('doctor asks jobs for their prices and their sinks for room, and buys nothing', async (t) => {
  const { cli, json, folder } = await given(
    t,
    `jobs:
  good: { get: room/reading, every: '*/5 * * * *', sinks: [{ file: good.jsonl }] }
  dear: { get: room/reading, mostPrice: 4 units, every: '0 * * * *', sinks: [{ stdout: true }] }
  lost: { get: room/nothing, every: '0 * * * *', sinks: [{ file: no/such/folder.jsonl }] }
  post: { post: room/echo, body: x, every: '0 * * * *', sinks: [{ stdout: true }] }
`,
  )
  const { code, stdout } = await cli('doctor')
  t.is(code, 1)
  t.regex(stdout, /✔ job +good costs 0\.0+5 TKN, about 288 times a day/)
  t.regex(stdout, /✘ job +dear costs 0\.0+5 TKN, more than jobs\.dear\.mostPrice/)
  t.regex(stdout, /! job +lost, \S+\/nothing, answers HTTP status 404/)
  t.regex(stdout, /[✔!] job +post is not asked for its price/)
  t.regex(stdout, /! cost +jobs buy for about .* a year, more than budget\.day|✔ cost +jobs buy/)
  t.regex(stdout, /✔ fees +to expect: about \d+ transactions? a /)
  t.regex(stdout, /✔ sink +\S+good\.jsonl can be written/)
  t.regex(stdout, /✘ sink +\S+folder\.jsonl cannot be written \(ENOENT\)/)
  t.regex(stdout, /✔ receiver +\S+ answers\n/)
  t.deepEqual([await json('history'), await json('channels')], [[], []])
  t.false((await readdir(folder)).includes('good.jsonl'))
})

test('a dry run is an answer: price and deposit, exit 0, and nothing is bought', async (t) => {
  const { cli, json, receiver } = await given(t)
  const first = { price: '5', decimals: 18, symbol: 'TKN', receiver, opensChannel: true }
  t.deepEqual(await json('get', 'room/reading', '--dry-run'), { ...first, deposit: '50' })
  const person = await cli('get', 'room/reading', '--dry-run')
  t.is(person.code, 0)
  t.regex(person.stdout, /^0\.0+5 TKN, and a channel with about 0\.0+5 TKN would be opened\n$/)
  t.is(person.stderr.includes('dry_run'), false)
  t.deepEqual([await json('history'), await json('channels')], [[], []])
  await json('get', 'room/reading')
  const again = { ...first, opensChannel: false, deposit: '0' }
  t.deepEqual(await json('get', 'room/reading', '--dry-run'), again)
})

test('refusals have a sentence, a hint, a code and an exit code, and never a stack trace', async (t) => {
  const { cli, folder, base, contract } = await given(t)
  const cases: readonly (readonly [args: readonly string[], code: string, exit: number])[] = [
    [['get', 'room/reading', '--max-price', '4 units'], 'price_over_cap', 3],
    [['get', 'room/reading', '--dry-run', '--max-price', '4 units'], 'price_over_cap', 3],
    [['get', 'kitchen/reading'], 'not_a_url', 2],
    [['get', 'room/reading', '--max-price', '0,5'], 'not_an_amount', 2],
    [['get', 'room/reading', '-H', 'no colon'], 'not_a_header', 2],
    [['get', 'room/reading', '-d', '@missing'], 'file_unreadable', 2],
    [['get', 'room/reading', '-o', 'no/such/folder'], 'file_unwritable', 2],
    [['get', 'http://127.0.0.1:9/x'], 'receiver_unreachable', 4],
    [['close', 'room'], 'channel_unknown', 2],
    [['topup', 'nobody', '1'], 'not_an_address', 2],
    [['open', 'room', '4722 TKN'], 'transaction_reverts', 5],
    [['open', 'room', '999999 TKN'], 'deposit_too_large', 2],
    [['-c', 'cheap.yaml', 'open', 'room', '1 units'], 'fee_over_cap', 5],
    [['-c', 'missing.yaml', 'budget'], 'config_missing', 2],
    [['key', 'address', 'missing'], 'key_file_missing', 6],
  ]
  const config = await readFile(join(folder, 'agent.yaml'), 'utf8')
  await writeFile(join(folder, 'cheap.yaml'), `${config}mostGasPrice: 0.000000001 gwei\n`)
  for (const [args, code, exit] of cases) {
    const result = await cli(...args)
    t.is(result.code, exit, `${args.join(' ')}: ${result.stderr}`)
    t.regex(result.stderr, new RegExp(`uraiden-agent: .+\\n.+   \\(${code}, exit ${exit}\\)\\n$`))
    t.false(/\n\s+at /.test(result.stderr))
    t.is(result.stdout, '')
  }
  const machine = await cli('--json', 'get', 'room/reading', '--max-price', '4 units')
  t.like(JSON.parse(machine.stdout), { error: 'price_over_cap' })
  t.is((await cli('get')).code, 2)
  t.is((await cli('buy')).code, 2)
  t.is((await cli('--help')).code, 0)
  const notFound = await cli('get', `${base}/nothing`)
  t.is(notFound.code, 8)

  await writeFile(
    join(folder, 'wrong.yaml'),
    `rpc: http://127.0.0.1:9\ncontract: ${contract}\nkey: key\n`,
  )
  const away = await cli('-c', 'wrong.yaml', 'doctor')
  t.is(away.code, 1)
  t.regex(away.stdout, /✘ chain +The Ethereum node at http:\/\/127\.0\.0\.1:9 does not answer/)
  const elsewhere = await runCli(folder, ['history', '--chain'], { URAIDEN_AGENT_CHAIN_ID: '5' })
  t.is(elsewhere.code, 5)
  t.regex(elsewhere.stderr, /chain 31337, not 5/)
})

test('Ctrl-C ends a request, and the books are written', async (t) => {
  const { cli, json, folder, entered } = await given(t)
  await json('get', 'room/reading')
  const { code, stderr } = await runCli(folder, ['get', 'room/slow'], {}, { interrupt: entered })
  t.is(code, 1)
  t.regex(stderr, /\(aborted, exit 1\)/)
  t.is((await cli('get', 'room/reading')).code, 0)
})

test('an answer that a full disk does not take is said, and the purchase is in the history', async (t) => {
  const { json, folder } = await given(t)
  const full = await open('/dev/full', 'w')
  t.teardown(() => full.close())
  const get = ['get', 'room/reading']
  for (const [args, where, stdout] of [
    [get, 'standard output', full.fd],
    [[...get, '-i'], 'standard output', full.fd],
    [[...get, '-o', '/dev/full'], '/dev/full', undefined],
  ] as const) {
    const { code, stderr } = await runCli(folder, args, {}, stdout === undefined ? {} : { stdout })
    t.is(code, 1, stderr)
    t.true(stderr.includes(`The answer cannot be written to ${where}.`), stderr)
    t.regex(stderr, /\(answer_not_written, exit 1\)/)
    t.notRegex(stderr, /\n\s+at /)
  }
  const bought = await json('history')
  t.deepEqual(
    bought.map(({ cost }: { readonly cost: string }) => cost),
    ['5', '5', '5'],
  )
})

test('get for a job that is none names those that there are, before anything is paid', async (t) => {
  const { cli, json, folder } = await given(t)
  const wrong = ['get', 'room/reading', '--job', 'wether']
  const none = await cli(...wrong)
  t.is(none.code, 2, none.stderr)
  t.regex(none.stderr, /There is no job wether\.\s+The configuration has: none\./)
  const config = await readFile(join(folder, 'agent.yaml'), 'utf8')
  const capped = config.replace('total: 1000 units', 'jobs: { weather: { total: 7 units } }')
  await writeFile(join(folder, 'agent.yaml'), capped)
  t.regex(
    (await cli(...wrong)).stderr,
    /Did you mean weather\? The configuration has: weather\..*job_unknown, exit 2/s,
  )
  t.deepEqual(await json('history'), [])
  const right = ['get', 'room/reading', '--job', 'weather']
  t.is((await cli(...right)).code, 0)
  t.is((await cli(...right)).code, 3)
})

test('doctor names what is wrong and the command that helps', async (t) => {
  const { cli, json, folder } = await given(t)
  await chmod(join(folder, 'key'), 0o644)
  await mkdir(join(folder, 'state'), { mode: 0o755 })
  const { code, stdout } = await cli('doctor')
  t.is(code, 1)
  t.regex(stdout, /✘ key +Others can read the file key .* Run: chmod 600 key/)
  t.regex(stdout, /✘ disk +Others can read state\. Run: chmod 700 state/)
  t.regex(stdout, /✔ chain/)
  await chmod(join(folder, 'key'), 0o600)
  await chmod(join(folder, 'state'), 0o700)
  const checks: readonly { readonly verdict: string }[] = await json('doctor')
  t.false(checks.some(({ verdict }) => verdict === 'failure'))
})

test('doctor says what fees may be of deposits, and what is missing for that', async (t) => {
  const { cli, folder } = await given(t)
  const config = await readFile(join(folder, 'agent.yaml'), 'utf8')
  const without = /deposits +deposit\.feeShare has no effect without deposit\.etherPrice/
  for (const [deposit, mark, says] of [
    ['{}', '✔', without],
    ['{ feeShare: 2% }', '!', without],
    ['{ etherPrice: 2500 TKN }', '✔', /fees are at most 1 % of them/],
    ['{ etherPrice: 2500 TKN, feeShare: 0.25%, open: 10x }', '✔', /fees are at most 0\.25 % /],
    ['{ open: 10x, topUp: 1 TKN }', '✔', /as large as deposit\.open and deposit\.topUp say/],
  ] as const) {
    await writeFile(join(folder, 'fees.yaml'), `${config}deposit: ${deposit}\n`)
    const { stdout } = await cli('-c', 'fees.yaml', 'doctor')
    const line = stdout.split('\n').find((each) => each.includes(' deposits '))
    t.regex(line ?? stdout, says, deposit)
    t.true(line?.includes(`${mark} deposits`), deposit)
  }
})

test('doctor says how many transactions there are: by jobs, and by the last days once it knows them', async (t) => {
  const job = "{ get: room/reading, every: '* * * * *', sinks: [{ file: readings }] }"
  const { cli, folder, chain, contract, senderAccount } = await given(
    t,
    `jobs: { weather: ${job} }`,
  )
  const fees = async () =>
    (await cli('doctor')).stdout.split('\n').find((line) => / fees /.test(line))
  t.regex((await fees()) ?? '', /✔ fees +how many .* is not known before jobs have bought/)
  t.is((await cli('get', 'room/reading', '--job', 'weather')).code, 0)
  // 7200 units a day, and no more than 1000 in all.
  t.regex((await fees()) ?? '', /✔ fees +about 7 transactions a day, 0\.0\d+ ETH/)
  const ledger = await openLedger({
    folder: join(folder, 'state', 'ledger'),
    owner: {
      chainId: chain.chainId,
      contract: parseAddress(contract),
      account: parseAddress(senderAccount.address),
    },
    ...{ reservation: 1, budget: {}, readClock: machineClock('auto') },
  })
  const noted = ledger.notes.get('transactions') as { readonly since: number }
  ledger.notes.later('transactions', { ...noted, since: noted.since - 7 })
  await ledger.close()
  t.regex(
    (await fees()) ?? '',
    /✔ fees +\d transactions? in the last 7 days \(1 opening.*\), 0\.0\d+ ETH/,
  )
})

test('doctor asks a receiver as payments do: with the certificate that is pinned', async (t) => {
  const { cli, folder } = await given(t)
  const certificate = (name: string) =>
    fileURLToPath(new URL(`../../support/certificates/${name}.pem`, import.meta.url))
  const [cert, key] = await Promise.all([
    readFile(certificate('ip')),
    readFile(certificate('ip').replace(/pem$/, 'key')),
  ])
  const server = createServer({ cert, key }, (_, response) => response.end('free'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/x`
  const config = await readFile(join(folder, 'agent.yaml'), 'utf8')
  for (const [trust, sees] of [
    ['', /✘ receiver/],
    [`tls: { pinned: ${certificate('ip')} }`, /✔ receiver +https:\S+ answers, and is free/],
    [`tls: { authority: ${certificate('ip')} }`, /✔ receiver/],
    [`tls: { pinned: ${certificate('other-ip')} }`, /✘ receiver/],
    ['tls: { pinned: nowhere.pem }', /nowhere\.pem/],
  ] as const) {
    await writeFile(join(folder, 'trusting.yaml'), `${config}${trust}\n`, { mode: 0o600 })
    const { stdout, stderr } = await cli('-c', 'trusting.yaml', 'doctor', url)
    t.regex(stdout + stderr, sees, trust)
    t.notRegex(stderr, /\n +at /)
  }
})

test('once the chain was seen, paying needs it no more', async (t) => {
  const { cli, json, folder } = await given(t)
  await json('get', 'room/reading')
  const environment = { URAIDEN_AGENT_RPC: 'http://127.0.0.1:9' }
  const { code, stdout, stderr } = await runCli(folder, ['get', 'room/reading'], environment)
  t.is(code, 0, stderr)
  t.is(stdout, '{"celsius":21.4}')
  t.is((await cli('get', 'room/echo', '-X', 'GET')).stdout, 'thanks')
})

test('keys: made, imported and shown, with the password from a file or a variable', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'password'), 'correct horse\n', { mode: 0o600 })
  const made = await runCli(folder, ['key', 'new', 'k', '--password-file', 'password', '--json'])
  t.is(made.code, 0, made.stderr)
  const { address } = JSON.parse(made.stdout)
  const password = { URAIDEN_AGENT_KEY_PASSWORD: 'correct horse' }
  t.is((await runCli(folder, ['key', 'address', 'k'], password)).stdout, `${address}\n`)
  const wrong = await runCli(folder, ['key', 'address', 'k'], { URAIDEN_AGENT_KEY_PASSWORD: 'x' })
  t.is(wrong.code, 6)
  t.regex(wrong.stderr, /key_password_wrong/)
  const again = await runCli(folder, ['key', 'new', 'k'], password)
  t.regex(again.stderr, /key_file_exists, exit 6/)
  const unasked = await runCli(folder, ['key', 'new', 'k2'])
  t.regex(unasked.stderr, /key_password_missing/)

  await writeFile(join(folder, 'hex'), `0x${'11'.repeat(32)}`, { mode: 0o600 })
  const imported = await runCli(folder, ['key', 'import', 'hex', 'k3', '--json'], password)
  t.is(JSON.parse(imported.stdout).address, '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A')
})

test('config check names file, line and key; the schema is JSON schema', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(
    join(folder, 'agent.yaml'),
    'rpc: http://127.0.0.1:8545\ncontract: 0x9d80D905bC1E106d5bd0637c12B893c5Ab60CB42\nbuget:\n  hour: 1\ndeposit:\n  open: 0x\n',
  )
  const { code, stderr } = await runCli(folder, ['config', 'check', 'agent.yaml'])
  t.is(code, 2)
  for (const line of [
    /agent\.yaml:2 contract: The address .* wrong checksum/,
    /agent\.yaml:1 key: this is missing\./,
    /agent\.yaml:3 buget: there is no such setting\./,
    /agent\.yaml:6 deposit\.open: "0x" is neither a multiple of the price nor an amount\./,
    /Did you mean budget\?/,
    /\(config_invalid, exit 2\)\n$/,
  ]) {
    t.regex(stderr, line)
  }
  const schema = JSON.parse((await runCli(folder, ['config', 'schema'])).stdout)
  t.true(schema.required.includes('contract'))
  t.is(schema.additionalProperties, false)
})
