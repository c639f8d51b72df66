// What a database must be before anybody is served on it, against a server of the test's own.
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { connectDatabase } from '../../../receiver/postgres/connection.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import { problemOfServer, type ServerFacts } from '../../../receiver/postgres/server-checks.ts'
import type { PostgresSettings } from '../../../receiver/postgres/settings.ts'
import { freePort } from '../../lab/processes/free-port.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { emptyDatabase, ownPostgres, sharedPostgres, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const account = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const owner = { chainId: 31337n, contract, account }

onPostgres(
  'tables are made once, by whoever comes first of several at once; all of them find the same state',
  async (t) => {
    const settings = await emptyDatabase(await server())
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(settings, owner)))
    const ids = await Promise.all(opened.map(({ query }) => query('SELECT store_id FROM meta')))
    t.is(new Set(ids.map((rows) => JSON.stringify(rows))).size, 1)
    await Promise.all(opened.map(({ close }) => close()))
  },
)

onPostgres(
  'a state of another receiver, of a newer version and one that was moved are refused',
  async (t) => {
    const running = await server()
    const settings = await emptyDatabase(running)
    await (await openDatabase(settings, owner)).close()
    await t.throwsAsync(openDatabase(settings, { ...owner, account: contract }), {
      code: 'state_of_another',
    })
    await t.throwsAsync(openDatabase(settings, { ...owner, chainId: 1n }), {
      code: 'state_of_another',
    })
    await running.sql(settings.database, `UPDATE meta SET state = 'moved'`)
    await t.throwsAsync(openDatabase(settings, owner), { code: 'state_moved' })
    await running.sql(
      settings.database,
      `UPDATE meta SET state = 'serving'; INSERT INTO schema_version (version, name) VALUES (999, 'x')`,
    )
    await t.throwsAsync(openDatabase(settings, owner), {
      code: 'state_format_unknown',
      message: /has format 999; this program knows \d+\./,
    })
  },
)

onPostgres(
  'settings under which what was served could be forgotten are refused, wherever they are made',
  async (t) => {
    const running = await server()
    for (const [scope, setting] of [
      ['DATABASE', 'synchronous_commit = off'],
      ['DATABASE', 'synchronous_commit = local'],
      ['ROLE', 'synchronous_commit = off'],
    ] as const) {
      const settings = await emptyDatabase(running)
      const subject =
        scope === 'ROLE'
          ? `ROLE ${running.user} IN DATABASE ${settings.database}`
          : `DATABASE ${settings.database}`
      await running.sql('postgres', `ALTER ${subject} SET ${setting}`)
      await t.throwsAsync(openDatabase(settings, owner), {
        code: 'postgres_unsafe',
        message: /synchronous_commit = (off|local)/,
      })
    }
    const latin = await running.sql(
      'postgres',
      `CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    )
    t.is(latin, '')
    await t.throwsAsync(
      openDatabase({ ...(await emptyDatabase(running)), database: 'latin' }, owner),
      {
        code: 'postgres_unsafe',
        message: /LATIN1/,
      },
    )
  },
)

const good: ServerFacts = {
  version: 140_000,
  isStandby: false,
  encoding: 'UTF8',
  fsync: 'on',
  fullPageWrites: 'on',
  synchronousCommit: 'on',
}

for (const [bad, code] of [
  [{ version: 130_014 }, 'postgres_too_old'],
  [{ isStandby: true }, 'postgres_unsafe'],
  [{ encoding: 'SQL_ASCII' }, 'postgres_unsafe'],
  [{ fsync: 'off' }, 'postgres_unsafe'],
  [{ fullPageWrites: 'off' }, 'postgres_unsafe'],
  [{ synchronousCommit: 'off' }, 'postgres_unsafe'],
  [{ synchronousCommit: 'local' }, 'postgres_unsafe'],
] as const) {
  test(`${JSON.stringify(bad)} is refused, and what to do is said`, (t) => {
    const problem = problemOfServer({ ...good, ...bad }, 'uraiden at /run')
    t.is(problem?.code, code)
    t.truthy(problem?.hint)
  })
}

test('remote_write and remote_apply wait for more than on, and are good', (t) => {
  for (const synchronousCommit of ['on', 'remote_write', 'remote_apply']) {
    t.is(problemOfServer({ ...good, synchronousCommit }, 'x'), undefined)
  }
})

onPostgres(
  'over TCP a server without the right certificate, or with none, is not trusted; a password is read from a private file',
  async (t) => {
    const [certificate, key, ca] = await Promise.all(
      ['ca-first.pem', 'ca-first.key', 'ca.pem'].map((name) =>
        readFile(new URL(`../../support/certificates/${name}`, import.meta.url), 'utf8'),
      ),
    )
    const port = await freePort()
    const running = await ownPostgres(t, {
      files: { 'tls.pem': certificate ?? '', 'tls.key': key ?? '' },
      access: [
        'hostssl all all 127.0.0.1/32 scram-sha-256',
        'hostnossl all all 127.0.0.1/32 trust',
      ],
      port,
      settings: { listen_addresses: '127.0.0.1' },
    })
    await running.sql('postgres', `ALTER USER ${running.user} PASSWORD 'pass word'`)
    const folder = await temporaryFolder(t)
    const authority = join(folder, 'ca.pem')
    await writeFile(authority, ca ?? '')
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, 'pass word\n', { mode: 0o600 })
    const place = { host: '127.0.0.1', port, database: 'postgres', user: running.user }
    const ask = async (settings: PostgresSettings) => {
      const database = await connectDatabase(settings)
      try {
        const [row] = await database.query<{ ssl: boolean }>(
          'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
        )
        return row?.ssl
      } finally {
        await database.close()
      }
    }

    t.is(await ask({ ...place, tls: 'off' }), false)
    await t.throwsAsync(ask({ ...place, tls: {}, passwordFile }), { code: 'postgres_not_trusted' })

    await running.stop()
    const tls = { ssl: 'on', ssl_cert_file: '../tls.pem', ssl_key_file: '../tls.key' }
    await running.start(tls)
    await t.throwsAsync(ask({ ...place, tls: {}, passwordFile }), { code: 'postgres_not_trusted' })
    t.is(await ask({ ...place, tls: { ca: authority }, passwordFile }), true)
    await writeFile(passwordFile, 'another\n')
    await t.throwsAsync(ask({ ...place, tls: { ca: authority }, passwordFile }), {
      code: 'postgres_login_refused',
    })
    await chmod(passwordFile, 0o644)
    await t.throwsAsync(ask({ ...place, tls: { ca: authority }, passwordFile }), {
      code: 'key_file_readable_by_others',
    })
    // The certificate is for 127.0.0.1 and localhost.
    await chmod(passwordFile, 0o600)
    const elsewhere = { ...place, host: '127.0.0.2', tls: { ca: authority }, passwordFile }
    await running.stop()
    await running.start({ ...tls, listen_addresses: '127.0.0.2' })
    await t.throwsAsync(ask(elsewhere), { code: 'postgres_not_trusted' })
  },
)

onPostgres(
  'a server that is away, and a database that is not there, are said with what to do',
  async (t) => {
    const running = await server()
    const settings = await emptyDatabase(running)
    await t.throwsAsync(openDatabase({ ...settings, host: '/nowhere' }, owner), {
      code: 'postgres_unavailable',
      message: /at \/nowhere does not answer/,
    })
    await t.throwsAsync(openDatabase({ ...settings, database: 'missing' }, owner), {
      code: 'postgres_database_missing',
    })
    await t.throwsAsync(openDatabase({ ...settings, user: 'nobody-knows' }, owner), {
      code: 'postgres_login_refused',
    })
  },
)

onPostgres(
  'a transaction is done whole or not at all, also when its session ends in the middle',
  async (t) => {
    const running = await server()
    const settings = await emptyDatabase(running)
    const database = await openDatabase(settings, owner)
    const names = async () =>
      (await database.query('SELECT name FROM note')).map(({ name }) => name)
    await t.throwsAsync(
      database.transaction(async ({ query }) => {
        await query(`INSERT INTO note VALUES ('a', '')`)
        throw new Error('stop')
      }),
      { message: 'stop' },
    )
    await t.throwsAsync(
      database.transaction(async ({ query }) => {
        await query(`INSERT INTO note VALUES ('b', '')`)
        await query('SELECT 1 / 0').catch(() => undefined)
      }),
      { code: 'postgres_commit_unknown' },
    )
    await t.throwsAsync(
      database.transaction(async ({ query }) => {
        await query(`INSERT INTO note VALUES ('c', '')`)
        await query('SELECT pg_terminate_backend(pg_backend_pid())')
      }),
      { code: 'postgres_unavailable' },
    )
    t.deepEqual(await names(), [])
    await database.transaction(({ query }) => query(`INSERT INTO note VALUES ('d', '')`))
    t.deepEqual(await names(), ['d'])
    await database.close()
  },
)

onPostgres(
  'after kill -9 of the server and its return the same database object goes on, with all that was committed',
  async (t) => {
    const running = await ownPostgres(t)
    const database = await openDatabase(await emptyDatabase(running), owner)
    await database.query(`INSERT INTO note VALUES ('kept', '')`)
    await running.kill()
    await t.throwsAsync(database.query('SELECT 1'), { code: 'postgres_unavailable' })
    await running.start()
    t.deepEqual(await database.query('SELECT name FROM note'), [{ name: 'kept' }])
    await database.close()
  },
)
