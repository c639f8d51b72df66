import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { jobsOf } from '../../../agent/jobs/configured.ts'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { policyOptions, purchaseSettings } from '../../../agent/program/configuration/purchasing.ts'
import { temporaryFolder } from '../../support/folder.ts'

const token = { symbol: 'TKN', decimals: 2 }
const least = `rpc: http://127.0.0.1:8545
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: k
`

async function load(t: ExecutionContext, more: string) {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, least + more)
  return loadAgentConfig(file, {})
}

const job = (lines: string, sinks = '    sinks: [{ stdout: true }]') =>
  `jobs:\n  temperature:\n${lines
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}\n${sinks}\n`

test('a job with nothing but what it needs', async (t) => {
  const config = await load(t, job("get: hall/t\nevery: '*/5 * * * *'"))
  const { temperature } = config.jobs
  if (temperature === undefined) return t.fail('it is there')
  t.deepEqual<unknown, unknown>(jobsOf({ temperature }, token)[0]?.job, {
    name: 'temperature',
    target: 'hall/t',
    method: 'GET',
    headers: {},
    every: '*/5 * * * *',
    jitter: 0,
    timeout: 30_000,
    mostBody: 4_000_000,
    retry: { times: 3, delay: 2000 },
    overlap: 'skip',
    missed: 'skip',
  })
  t.like(temperature.sinks[0]?.queue, {
    entries: 10_000,
    size: 10_000_000,
    whenFull: 'dropOldest',
  })
})

test('a job with everything, and its budget among the others', async (t) => {
  const config = await load(
    t,
    job(`url: http://127.0.0.1/t
method: PUT
headers: { Accept: text/csv }
body: '{}'
every: '*/10 * * * * *'
timeZone: Europe/Berlin
jitter: 1.5s
mostPrice: 0.05 TKN
budget: { day: 1 TKN }
timeout: 5s
retry: { times: 0, delay: 1m }
overlap: queue
missed: run`),
  )
  const { temperature } = config.jobs
  if (temperature === undefined) return t.fail('it is there')
  t.deepEqual<unknown, unknown>(jobsOf({ temperature }, token)[0]?.job, {
    name: 'temperature',
    target: 'http://127.0.0.1/t',
    method: 'PUT',
    headers: { Accept: 'text/csv' },
    body: '{}',
    every: '*/10 * * * * *',
    timeZone: 'Europe/Berlin',
    jitter: 1500,
    mostPrice: 5n,
    timeout: 5000,
    mostBody: 4_000_000,
    retry: { times: 0, delay: 60_000 },
    overlap: 'queue',
    missed: 'run',
  })
  t.deepEqual<unknown, unknown>(policyOptions(purchaseSettings(config), token).budget.jobs, {
    temperature: { day: 100n },
  })
})

const good = "get: hall/t\nevery: '*/5 * * * *'"
const sinks = (...lines: readonly string[]) =>
  `    sinks:\n${lines.map((line) => `      - ${line}`).join('\n')}`

const wrong: readonly {
  readonly what: string
  readonly text: string
  readonly says: RegExp
  readonly hint?: RegExp
}[] = [
  {
    what: 'no schedule',
    text: job("get: a\nevery: '* * *'"),
    says: /agent\.yaml:7 jobs\.temperature\.every: "\* \* \*" is not a schedule/,
    hint: /five fields/,
  },
  {
    what: 'a field of a schedule',
    text: job("get: a\nevery: '99 * * * *'"),
    says: /agent\.yaml:7 .*minute "99"/,
  },
  { what: 'a zone', text: job(`${good}\ntimeZone: Mars`), says: /agent\.yaml:8 .*timeZone/ },
  { what: 'a duration', text: job(`${good}\njitter: soon`), says: /:8 .*"soon" is not a duration/ },
  { what: 'no request', text: job("every: '* * * * *'"), says: /:5 .*one of get, post and url/ },
  { what: 'two requests', text: job(`${good}\npost: b`), says: /one of get, post and url/ },
  { what: 'a body to GET', text: job(`${good}\nbody: b`), says: /a GET has no body/ },
  { what: 'no sinks', text: job(good, '    sinks: []'), says: /:8 .*buys for nobody/ },
  {
    what: 'an unknown setting',
    text: job(`${good}\noverlapp: skip`),
    says: /:8 jobs\.temperature\.overlapp: there is no such setting/,
    hint: /Did you mean overlap\?/,
  },
  {
    what: 'no target',
    text: job(good, sinks('select: $.a')),
    says: /:9 jobs\.temperature\.sinks\.0: .*no target/,
  },
  {
    what: 'two targets',
    text: job(good, sinks('{ stdout: true, file: a }')),
    says: /2 targets: file, stdout/,
  },
  {
    what: 'a JSONPath',
    text: job(good, sinks('{ stdout: true, select: celsius }')),
    says: /:9 jobs\.temperature\.sinks\.0\.select: "celsius" is not a JSONPath/,
  },
  {
    what: 'more of a body than all may take',
    text: job(`${good}\nmostBody: 33 MB`),
    says: /:8 .*mostBody.*at most 32 MB/,
  },
  {
    what: 'a body of no size',
    text: job(`${good}\nmostBody: 0 MB`),
    says: /:8 .*"0 MB" is not a size/,
  },
  {
    what: 'a pattern of the receiver’s in a JSONPath',
    text: job(good, sinks("{ stdout: true, select: '$[?match(@.a, @.b)]' }")),
    says: /:9 .*select: .*needs its pattern in quotes/,
  },
  {
    what: 'a template',
    text: job(good, sinks("{ stdout: true, template: '{{ celsius }}' }")),
    says: /:9 jobs\.temperature\.sinks\.0\.template: "{{ celsius }}"/,
    hint: /\{\{ \$\.celsius \}\}/,
  },
  {
    what: 'both ways to pick',
    text: job(good, sinks('{ stdout: true, select: $.a, template: a }')),
    says: /exclude each other/,
  },
  {
    what: 'MQTT without a broker',
    text: job(good, sinks('stdout: true', 'mqtt: home/t')),
    says: /:10 jobs\.temperature\.sinks\.1\.mqtt: .*there is no broker/,
    hint: /mqtt\.url/,
  },
  {
    what: 'a wildcard in a topic',
    text: `mqtt: { url: mqtt://127.0.0.1 }\n${job(good, sinks('mqtt: home/+'))}`,
    says: /no \+ and no #/,
  },
  {
    what: 'one file, two settings',
    text: job(good, sinks('file: a', '{ file: ./a, rotate: { keep: 1 } }')),
    says: /:10 .*the job temperature has the same target/,
  },
  {
    what: 'two budgets',
    text: `budget: { jobs: { temperature: { day: 1 } } }\n${job(`${good}\nbudget: { day: 2 }`)}`,
    says: /:9 jobs\.temperature\.budget: .*budget\.jobs\.temperature is there, too/,
  },
  { what: 'a broker’s URL', text: 'mqtt: { url: http://a }\n', says: /:4 mqtt\.url.*mqtts:\/\// },
  {
    what: 'a certificate without its key',
    text: 'mqtt: { url: mqtts://a, cert: c }\n',
    says: /belong together/,
  },
]

for (const { what, text, says, hint = /./ } of wrong) {
  test(`refused with file, line and key: ${what}`, async (t) => {
    const error = await t.throwsAsync(load(t, text), { code: 'config_invalid', message: says })
    t.regex((error as unknown as { readonly hint: string }).hint, hint)
  })
}

test('one file for two jobs is one sink, when they agree', async (t) => {
  const config = await load(
    t,
    `jobs:
  a: { get: x, every: '* * * * *', sinks: [{ file: f, select: $.a }] }
  b: { get: x, every: '* * * * *', sinks: [{ file: f }] }
`,
  )
  t.deepEqual(Object.keys(config.jobs), ['a', 'b'])
})

test('headers beside a webhook are told where they belong', async (t) => {
  const sinks = '    sinks: [{ webhook: "http://127.0.0.1/", headers: { A: b } }]'
  await t.throwsAsync(load(t, job('get: hall/t\nevery: 1m', sinks)), {
    code: 'config_invalid',
    message: /headers belong to the webhook/,
  })
})

test('an interval stands for a schedule, and has no time zone', async (t) => {
  const config = await load(t, job('get: hall/t\nevery: 1m'))
  t.is(config.jobs.temperature?.every, '1m')
  await t.throwsAsync(load(t, job('get: hall/t\nevery: 1m\ntimeZone: Europe/Berlin')), {
    code: 'config_invalid',
    message: /an interval is the same in every time zone/,
  })
  await t.throwsAsync(load(t, job('get: hall/t\nevery: 1 week')), { code: 'config_invalid' })
})
