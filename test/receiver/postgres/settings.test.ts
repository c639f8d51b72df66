import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isSocket, parsePostgresUrl, placeText } from '../../../receiver/postgres/settings.ts'
import { loadReceiverConfig, receiverConfig } from '../../../receiver/program/config.ts'
import { receiverSettings } from '../../../receiver/program/settings.ts'
import { temporaryFolder } from '../../support/folder.ts'

const base = { contract: `0x${'11'.repeat(20)}`, key: 'key.json' }
const stateOf = (state: unknown) => receiverConfig.parse({ ...base, state }).state
const problemOf = (state: unknown) => {
  const { error } = receiverConfig.safeParse({ ...base, state })
  return JSON.stringify(error?.issues ?? [])
}

for (const [url, place] of [
  ['postgres:///uraiden', { host: '/var/run/postgresql', port: 5432, database: 'uraiden' }],
  [
    'postgresql://shop@db.example.org:6432/uraiden',
    { host: 'db.example.org', port: 6432, database: 'uraiden', user: 'shop' },
  ],
  [
    'postgres:///uraiden?host=/run/pg&port=5433&user=shop',
    { host: '/run/pg', port: 5433, database: 'uraiden', user: 'shop' },
  ],
  ['postgres://%2Frun%2Fpg/uraiden', { host: '/run/pg', port: 5432, database: 'uraiden' }],
  ['postgres://[::1]/uraiden', { host: '::1', port: 5432, database: 'uraiden' }],
] as const) {
  test(`${url} names a database`, (t) => {
    t.deepEqual(parsePostgresUrl(url), place)
    t.deepEqual(stateOf(url), { ...place, tls: {} })
    t.is(isSocket(place), place.host.startsWith('/'))
    t.true(placeText(place).startsWith('uraiden at '))
  })
}

for (const [url, says] of [
  ['postgres://shop:secret@db.example.org/uraiden', 'passwordFile'],
  ['postgres://db.example.org', 'no database'],
  ['postgres://db.example.org/a/b', 'no database'],
  ['postgres://db.example.org/a?sslmode=require', 'tls: { ca'],
  ['postgres://db.example.org/a?pool=3', 'pool'],
  ['postgres:///a?port=70000', 'no port'],
  ['postgres://:x', 'no postgres:// URL'],
] as const) {
  test(`${url} is refused, and what to do is said`, (t) => {
    const problem = problemOf(url)
    t.true(problem.includes(says), problem)
    t.false(problem.includes('secret'))
  })
}

test('in full it has a password file and who signs the server’s certificate; a folder stays a folder', (t) => {
  const postgres = 'postgres://shop@db.example.org/uraiden'
  const place = parsePostgresUrl(postgres)
  t.deepEqual(stateOf({ postgres }), { ...place, tls: {} })
  t.deepEqual(stateOf({ postgres, passwordFile: 'pw', tls: { ca: 'ca.pem' }, folder: 'own' }), {
    ...place,
    ...{ passwordFile: 'pw', tls: { ca: 'ca.pem' }, folder: 'own' },
  })
  t.deepEqual(stateOf({ postgres, tls: 'off' }), { ...place, tls: 'off' })
  t.is(stateOf('/var/lib/shop'), '/var/lib/shop')
  for (const wrong of [{}, { postgres: 5 }, { postgres, tls: 'require' }, { postgres, pool: 3 }]) {
    t.not(problemOf(wrong), '[]', JSON.stringify(wrong))
  }
})

test('a variable names a folder as it always did, or a database', async (t) => {
  const read = (state: string) =>
    loadReceiverConfig({
      file: undefined,
      environment: {
        URAIDEN_RECEIVER_CONTRACT: base.contract,
        URAIDEN_RECEIVER_KEY: 'key.json',
        URAIDEN_RECEIVER_STATE: state,
      },
    })
  t.is((await read('/var/lib/shop')).state, '/var/lib/shop')
  t.like((await read('postgres:///shop')).state, { database: 'shop' })
})

test('a database has the state of one contract', async (t) => {
  const file = join(await temporaryFolder(t), 'receiver.yaml')
  const contracts = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`]
  const yaml = { key: 'key.json', contracts, state: 'postgres:///shop' }
  await writeFile(file, JSON.stringify(yaml))
  await t.throwsAsync(loadReceiverConfig({ file, environment: {} }), {
    code: 'config_invalid',
    message: /contracts names 2/,
  })
  await writeFile(file, JSON.stringify({ ...yaml, contracts: contracts.slice(1) }))
  t.like(receiverSettings(await loadReceiverConfig({ file, environment: {} }), {}), {
    shared: { database: 'shop' },
  })
})
