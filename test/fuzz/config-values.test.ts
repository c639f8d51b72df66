// Every setting of both programs with every value that a person, a generator or a shell may put there: taken,
// or refused as a fault of the configuration (exit 2, after which systemd starts nothing again). A fifth of them,
// the same each time; all with CONFIG_VALUES=all.
import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { z } from 'zod'
import { exitCodeOf as agentExitCode } from '../../agent/cli/commands/exit-codes.ts'
import { jobsOf } from '../../agent/jobs/configured.ts'
import { type AgentConfig, agentConfig } from '../../agent/program/configuration/config.ts'
import { policyOptions, purchaseSettings } from '../../agent/program/configuration/purchasing.ts'
import { parseConfig } from '../../platform/config/load.ts'
import { type JsonSchema, jsonSchemaOf } from '../../platform/config/names.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { exitCodeOf as receiverExitCode } from '../../receiver/cli/commands/exit-codes.ts'
import { receiverConfig } from '../../receiver/program/config.ts'
import { watchConfig } from '../../receiver/program/watchtower/config.ts'
import { seededRandom } from '../lab/random/random.ts'

const values: readonly unknown[] = [
  ...[
    '',
    ' ',
    'x',
    '0x',
    '10x',
    '2,5x',
    '2.5x',
    'yes',
    'no',
    '~',
    '-',
    '.',
    '*',
    '\0',
    '\u{1F600}',
  ],
  ...[
    '0,1 TKN',
    '0.1 TKN',
    '1 000 TKN',
    '1e3',
    '-1',
    '+1',
    '€1',
    '1€',
    '1 1INCH',
    'NaN',
    '5 units',
  ],
  ...['0.1 OTHER', '1.5 units', '9'.repeat(80), '0.0000000000000000000000000000000000001', '1..2'],
  ...['5s', '5 S', '1.h', '9999d', '10 MB', '10 XB', '50 gwei', '1 wei', '2.5%', '250%', '-1%'],
  ...['* * * * *', '61 * * * *', '@daily', '0 0 31 2 *', 'Europe/Berlin', 'Mars/Olympus'],
  ...[
    'http://a',
    'http://',
    'http://[fe80::1%25eth0]/',
    'ftp://a',
    '//a',
    'http://a b',
    'dns-sd:a',
  ],
  ...['127.0.0.1:0', '[::1]:99999', '[fe80::1%eth0]:80', ':80', 'localhost', `0x${'1'.repeat(40)}`],
  ...['~/a', '$HOME/a', '../a', '/nowhere/at/all', 'a\nb', 'a'.repeat(5000), '__proto__'],
  ...['$.a', '$[', '{{ a }}', '{{', '$[?match(@.a, "(a+)+$")]', '/a/*', '/../a', '/a?b#c', '%zz'],
  ...[0, -0, 1, -1, 0.5, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 65_536],
  ...[true, false, null, [], {}, [[]], [null], { a: null }, [{}], { __proto__: 1, x: {} }],
]

type Path = readonly (string | number)[]

/** All places of a schema; `a` is a name of one's own. */
function* placesIn(schema: JsonSchema, path: Path = []): Generator<Path> {
  if (path.length > 8) return
  if (path.length > 0) yield path
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    yield* placesIn(inner, [...path, name])
  }
  const { additionalProperties: own, items } = schema
  if (typeof own === 'object') yield* placesIn(own, [...path, 'a'])
  for (const each of items === undefined ? [] : [items].flat()) {
    yield* placesIn(each as JsonSchema, [...path, 0])
  }
  for (const branches of [schema.anyOf, schema.oneOf, schema.allOf]) {
    for (const branch of branches ?? []) yield* placesIn(branch, path)
  }
}

function withValue(whole: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  if (typeof key === 'number') return [withValue(Array.isArray(whole) ? whole[0] : {}, rest, value)]
  const object = typeof whole === 'object' && whole !== null && !Array.isArray(whole) ? whole : {}
  return { ...object, [key]: withValue(object[key as keyof typeof object], rest, value) }
}

interface Program {
  readonly schema: z.ZodType
  /** Right as it is. */
  readonly base: object
  readonly exitCodeOf: (code: string) => number
  /** What is made of a configuration before anything else is asked. */
  readonly resolve: (config: never) => unknown
}

const contract = `0x${'12'.repeat(20)}`
const token = { symbol: 'TKN', decimals: 18 }
const sale = { rpc: 'http://127.0.0.1:1', contract, key: 'k', state: 's' }

const programs: { readonly [name: string]: Program } = {
  'agent.yaml': {
    schema: agentConfig,
    base: {
      rpc: 'http://127.0.0.1:1',
      contract,
      key: 'k',
      receivers: { a: { url: 'http://a', address: contract } },
      mqtt: { url: 'mqtt://a' },
      jobs: { a: { get: 'a/b', every: '* * * * *', sinks: [{ file: 'f' }] } },
    },
    exitCodeOf: agentExitCode,
    resolve: (config: AgentConfig) => {
      policyOptions(purchaseSettings({ ...config, tls: undefined }), token)
      jobsOf(config.jobs, token)
    },
  },
  'receiver.yaml': {
    schema: receiverConfig,
    base: { ...sale, resources: { '/a': { price: '1 TKN', files: 'f' } } },
    exitCodeOf: receiverExitCode,
    resolve: () => undefined,
  },
  'watch.yaml': {
    schema: watchConfig,
    base: { ...sale, receiver: contract, token: 't' },
    exitCodeOf: receiverExitCode,
    resolve: () => undefined,
  },
}

interface Tried {
  readonly taken: boolean
  readonly wrong?: string
}

function tryValue(
  { schema, base, exitCodeOf, resolve }: Program,
  path: Path,
  value: unknown,
): Tried {
  const whole = withValue(base, path, value) as object
  const options = Object.entries(whole).map(([name, each]) => {
    return { name: `--${name}`, path: [name], value: each }
  })
  const what = `${path.join('.')}: ${JSON.stringify(value)}`
  try {
    resolve(parseConfig('', { file: undefined, schema, options }) as never)
    return { taken: true }
  } catch (error) {
    if (!isUraidenError(error)) return { taken: false, wrong: `${what}: ${(error as Error).stack}` }
    const { code, message, hint } = error
    const isTold = exitCodeOf(code) === 2 && message !== '' && hint !== ''
    return { taken: false, ...(!isTold && { wrong: `${what}: ${code} ${message}` }) }
  }
}

for (const [name, program] of Object.entries(programs)) {
  test(`${name}: no value of any setting is more than a wrong configuration`, (t) => {
    const places = new Map(
      [...placesIn(jsonSchemaOf(program.schema))].map((path) => [path.join('.'), path]),
    )
    t.true(places.size > 20)
    const random = seededRandom(16)
    const chosen = process.env.CONFIG_VALUES === 'all' ? 1 : 0.2
    const tried = [...places.values()].flatMap((path) =>
      values.filter(() => random() < chosen).map((value) => tryValue(program, path, value)),
    )
    t.deepEqual(
      tried.flatMap(({ wrong }) => wrong ?? []),
      [],
    )
    // Some are right, or the base is wrong and nothing is tried.
    t.true(tried.filter(({ taken }) => taken).length > 20)
  })
}

test('systemd does not start again what ends with the exit code of a wrong configuration', async (t) => {
  for (const unit of ['uraiden-agent', 'uraiden-receiver']) {
    const file = new URL(`../../deploy/pi/systemd/${unit}.service`, import.meta.url)
    t.regex(await readFile(file, 'utf8'), /^RestartPreventExitStatus=(?:\d+ )*2\b/m)
  }
})
