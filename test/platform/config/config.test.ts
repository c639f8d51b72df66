import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { z } from 'zod'
import {
  address,
  amountText,
  httpUrl,
  jsonSchemaOf,
  loadConfig,
  parseConfig,
} from '../../../platform/config/index.ts'
import { parseYaml } from '../../../platform/config/yaml.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'

const someAddress = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const schema = z.strictObject({
  rpc: httpUrl,
  contract: address.optional(),
  budget: z.strictObject({ hour: amountText.optional(), jump: z.number().default(2) }).prefault({}),
  deposit: z.strictObject({ topUp: amountText.default('5') }).prefault({}),
  receivers: z.record(z.string(), z.strictObject({ url: httpUrl })).default({}),
  resources: z
    .record(
      z.string(),
      z.union([
        z.strictObject({ price: amountText, files: z.string() }),
        z.strictObject({ price: amountText, upstream: httpUrl }),
      ]),
    )
    .default({}),
  sinks: z.array(z.strictObject({ file: z.string() })).default([]),
})
const rpc = 'rpc: http://127.0.0.1:8545\n'

const load = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  parseConfig(text, {
    file: 'receiver.yaml',
    schema,
    overrides: { prefix: 'URAIDEN_T_', environment, except: ['URAIDEN_T_PASSWORD'] },
  })

test('a file is checked and gets its defaults', async (t) => {
  const file = join(await temporaryFolder(t), 'a.yaml')
  await writeFile(file, `${rpc}contract: ${someAddress}\nbudget: { hour: 0.2 TKN }\n`)
  const config: unknown = await loadConfig({ file, schema })
  t.deepEqual(config, {
    rpc: 'http://127.0.0.1:8545',
    contract: someAddress,
    budget: { hour: '0.2 TKN', jump: 2 },
    deposit: { topUp: '5' },
    receivers: {},
    resources: {},
    sinks: [],
  })
  await t.throwsAsync(loadConfig({ file: `${file}x`, schema }), { code: 'config_missing' })
})

const wrong: readonly (readonly [what: string, text: string, message: string, hint: RegExp])[] = [
  [
    'a decimal comma',
    `${rpc}\n\n\n\nresources:\n  /archive/*: { price: '0,02 TKN', files: /srv }\n`,
    'receiver.yaml:7 resources./archive/*.price: "0,02 TKN" is not an amount.',
    /Write a decimal point: 0\.02 TKN/,
  ],
  [
    'a typing error',
    `${rpc}buget:\n  hour: 1\n`,
    'receiver.yaml:2 buget: there is no such setting.',
    /Did you mean budget\?/,
  ],
  [
    'one below',
    `${rpc}budget:\n  houer: 1\n`,
    'receiver.yaml:3 budget.houer: there is no such setting.',
    /Did you mean hour\?/,
  ],
  [
    'a strange name',
    `${rpc}budget:\n  zebra: 1\n`,
    'receiver.yaml:3 budget.zebra: there is no such setting.',
    /Known here: hour, jump/,
  ],
  ['a missing key', 'budget: {}\n', 'receiver.yaml:1 rpc: this is missing.', /Add rpc/],
  ['an empty file', '', 'receiver.yaml:1 rpc: this is missing.', /Add rpc/],
  [
    'a missing key below',
    `${rpc}receivers:\n  living-room: {}\n`,
    'receiver.yaml:3 receivers.living-room.url: this is missing.',
    /Add/,
  ],
  [
    'not a URL',
    'rpc: ftp://x\n',
    'receiver.yaml:1 rpc: "ftp://x": this is not an http:// or https:// URL.',
    /Correct/,
  ],
  [
    'a wrong type',
    `${rpc}budget: { jump: fast }\n`,
    'receiver.yaml:2 budget.jump: "fast": expected number, received string.',
    /./,
  ],
  [
    'a wrong type in a list',
    `${rpc}sinks:\n  - file: a\n  - file: 5\n`,
    'receiver.yaml:4 sinks.1.file: 5: expected string, received number.',
    /./,
  ],
  [
    'a wrong checksum',
    `${rpc}contract: ${someAddress.replace('C8', 'c8')}\n`,
    'receiver.yaml:2 contract: The address 0x70997970C51812dc3A010C7d01b50e0d17dc79c8 has a wrong checksum.',
    /mistyped/,
  ],
  [
    'broken YAML',
    `${rpc}budget: { hour: 1\nx: 2\n`,
    'receiver.yaml:3:1 is not YAML',
    /indentation/,
  ],
  ['a key twice', `${rpc}${rpc}`, 'receiver.yaml:2:1 is not YAML: Map keys must be unique', /./],
  [
    'an amount without end',
    `${rpc}budget: { hour: ${'9'.repeat(60)} }\n`,
    'receiver.yaml:2 budget.hour: "1e+60" has too many digits for a number.',
    /in quotes/,
  ],
]
for (const [what, text, message, hint] of wrong) {
  test(`refused with file, line and key: ${what}`, (t) => {
    const error = t.throws(() => load(text), { code: 'config_invalid' })
    t.true(error.message.startsWith(message), error.message)
    t.regex(isUraidenError(error) ? error.hint : '', hint)
  })
}

test('every problem has its line', (t) => {
  const error = t.throws(() => load('rpc: 5\nbuget: 1\nbudget: { jump: x }\n'))
  t.deepEqual(
    error.message.split('\n').map((line) => line.split(':')[1]),
    ['1 rpc', '3 budget.jump', '2 buget'],
  )
})

test('variables override the file', (t) => {
  const config = load(
    `${rpc}budget: { hour: 1 TKN }\nreceivers: { my-room: { url: http://a } }\n`,
    {
      URAIDEN_T_BUDGET_HOUR: '0.5 TKN',
      URAIDEN_T_BUDGET_JUMP: '3',
      URAIDEN_T_DEPOSIT_TOP_UP: '7',
      URAIDEN_T_CONTRACT: someAddress.toLowerCase(),
      URAIDEN_T_RECEIVERS_MY_ROOM_URL: 'http://b',
      URAIDEN_T_PASSWORD: 'not ours',
      OTHER: 'x',
    },
  )
  t.like(config, {
    budget: { hour: '0.5 TKN', jump: 3 },
    deposit: { topUp: '7' },
    contract: someAddress as never,
    receivers: { 'my-room': { url: 'http://b' } },
  })
})

test('a variable with a wrong value or name is named', (t) => {
  t.throws(() => load(rpc, { URAIDEN_T_BUDGET_JUMP: 'x' }), {
    message: /^URAIDEN_T_BUDGET_JUMP budget\.jump: "x"/,
  })
  const error = t.throws(() => load(rpc, { URAIDEN_T_RPCC: 'x' }), { message: /URAIDEN_T_RPCC/ })
  t.regex(isUraidenError(error) ? error.hint : '', /Did you mean URAIDEN_T_RPC\?/)
})

test('the JSON schema says what may be written', (t) => {
  const json = jsonSchemaOf(schema)
  t.deepEqual(Object.keys(json.properties ?? {}), Object.keys(schema.shape))
  t.false(json.additionalProperties)
})

test('an alias of nothing, and aliases that multiply, are no configuration', (t) => {
  const bomb = Array.from({ length: 12 }, (_, i) =>
    i === 0 ? 'a0: &a0 [x, x]' : `a${i}: &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}]`,
  )
  for (const text of ['key: *nobody', bomb.join('\n')]) {
    const error = t.throws(() => parseYaml(text, 'agent.yaml'), { code: 'config_invalid' })
    t.regex(error.message, /^agent\.yaml is not YAML: /)
  }
})
