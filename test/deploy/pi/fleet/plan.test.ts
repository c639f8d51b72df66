// What is done to a host, from what it is like.

import test from 'ava'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { type Facts, readFacts } from '../../../../deploy/pi/fleet/hosts/facts.ts'
import { changedSettings, passwordStore, planHost } from '../../../../deploy/pi/fleet/hosts/plan.ts'

const fresh: Facts = {
  architecture: 'arm64',
  version: undefined,
  credentials: true,
  credential: false,
  password: false,
  key: false,
  enabled: false,
  active: false,
  config: undefined,
  kept: [],
}
const wanted = { version: '1.0.0', config: 'rpc: a\n', key: 'new' } as const
const done: Facts = {
  ...fresh,
  version: '1.0.0',
  credential: true,
  key: true,
  enabled: true,
  active: true,
  config: wanted.config,
}

const cases: readonly (readonly [string, Facts, readonly string[]])[] = [
  ['a fresh host', fresh, ['install', 'password', 'key', 'config', 'start']],
  ['one that is as it should be', done, []],
  ['another version', { ...done, version: '0.9.0' }, ['install']],
  ['another configuration', { ...done, config: 'rpc: b\n' }, ['config', 'reload']],
  ['stopped', { ...done, active: false }, ['start']],
  ['running, but not after the next start', { ...done, enabled: false }, ['start']],
  [
    'stopped, with another configuration',
    { ...done, active: false, config: '' },
    ['config', 'start'],
  ],
  ['killed between password and key', { ...done, key: false, active: false }, ['key', 'start']],
]

for (const [name, facts, kinds] of cases) {
  test(name, (t) => {
    t.deepEqual(
      planHost(facts, wanted).map(({ kind }) => kind),
      kinds,
    )
  })
}

test('a password that is there stays where it is', (t) => {
  t.is(passwordStore(fresh), 'credential')
  t.is(passwordStore({ ...fresh, credentials: false }), 'file')
  t.is(passwordStore({ ...fresh, password: true }), 'file')
  t.is(passwordStore({ ...fresh, credentials: false, credential: true }), 'credential')
})

test('whatever a host is like, a key that is there is neither replaced nor its password', (t) => {
  const facts = fc.record({
    ...Object.fromEntries(Object.entries(fresh).map(([name, value]) => [name, fc.constant(value)])),
    version: fc.constantFrom(undefined, '0.9.0', '1.0.0'),
    credentials: fc.boolean(),
    credential: fc.boolean(),
    password: fc.boolean(),
    key: fc.boolean(),
    enabled: fc.boolean(),
    active: fc.boolean(),
    config: fc.constantFrom(undefined, '', wanted.config),
  }) as unknown as fc.Arbitrary<Facts>
  fc.assert(
    fc.property(facts, (each) => {
      const kinds = planHost(each, wanted).map(({ kind }) => kind)
      t.false(each.key && kinds.includes('key'))
      t.false((each.credential || each.password) && kinds.includes('password'))
    }),
  )
  t.pass()
})

test('changed settings by their names, and no value of any', (t) => {
  const yaml = (value: object) => stringify(value)
  const before = { rpc: 'http://a/v3/hush', jobs: { a: { headers: { 'X-Api-Key': 'hush' } } } }
  t.deepEqual(changedSettings('a: 1\n', 'a: 1\n'), [])
  t.deepEqual(changedSettings(undefined, 'a: hush\n'), ['+ all of it'])
  t.deepEqual(changedSettings('a: [hush', 'a: hush\n'), [
    '~ all of it: what is there cannot be read',
  ])
  t.deepEqual(changedSettings('a: 1 # hush\nb: 2\n', 'b: 2\na: 1\n'), [
    '  the same settings, written in another way',
  ])
  t.deepEqual(
    changedSettings(
      yaml({ ...before, mqtt: { url: 'mqtt://me:hush@broker' } }),
      yaml({
        rpc: 'http://a/v3/hush2',
        jobs: { a: { headers: { 'X-Api-Key': 'hush2' }, body: 'line\nhush\n' } },
        page: {},
      }),
    ),
    ['- mqtt.url', '~ rpc', '~ jobs.a.headers.X-Api-Key', '+ jobs.a.body', '+ page'],
  )
})

test('whatever was there and is to be there, no value is said', (t) => {
  const value = fc.constantFrom('hush one', 'https://hush/', 'mqtt://a:hush@b', 'a\nhush\n')
  const config = fc.dictionary(fc.constantFrom('rpc', 'x', 'key'), fc.oneof(value, fc.array(value)))
  fc.assert(
    fc.property(config, config, (before, after) => {
      const said = changedSettings(stringify(before), stringify(after)).join('\n')
      t.false(said.includes('hush'), said)
    }),
  )
})

test('what the host says is read, and a line of its own at login does no harm', (t) => {
  const config = Buffer.from('rpc: a\n').toString('base64')
  const text = `Welcome!
architecture arm64
version 1.0.0
credentials yes
credential yes
password no
key yes
enabled yes
active active
config ${config}
kept a.deb
kept b.deb
`
  t.deepEqual(readFacts(text), { ...done, kept: ['a.deb', 'b.deb'] })
  t.deepEqual(readFacts(text.replace('version 1.0.0', 'version ')).version, undefined)
  t.throws(() => readFacts('bash: dpkg: not found\n'), { code: 'host_malformed' })
})
