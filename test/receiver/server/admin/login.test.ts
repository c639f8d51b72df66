// Who may administer: secrets, logins, guesses, and requests that another site makes.
import { scryptSync } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { isSameOrigin } from '../../../../platform/web/origin.ts'
import {
  type Authentication,
  createAuthenticator,
} from '../../../../receiver/server/admin/authenticator.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { parseCredentials } from '../../../../receiver/server/admin/credentials.ts'
import { hashSecret, isSecret, parseSecretHash } from '../../../../receiver/server/admin/secrets.ts'
import { createSessions } from '../../../../receiver/server/admin/sessions.ts'

test('a password fits its hash and no other does; two hashes of it differ', async (t) => {
  const hash = await hashSecret('correct horse')
  t.true(await isSecret(hash, 'correct horse'))
  for (const wrong of ['', 'correct hors', 'correct horse ', 'Correct horse']) {
    t.false(await isSecret(hash, wrong))
  }
  t.not(await hashSecret('correct horse'), hash)
  t.is(parseSecretHash(hash), hash)
})

test('an accented letter is the same however it was typed', async (t) => {
  t.true(await isSecret(await hashSecret('caf\u00e9 au lait'), 'cafe\u0301 au lait'))
})

test('the hash is scrypt’s own, so another program can make it', async (t) => {
  const salt = Buffer.from('0123456789abcdef')
  const key = scryptSync('pleaseletmein', salt, 32, { N: 1024, r: 8, p: 1 })
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const hash = parseSecretHash(`$scrypt$ln=10,r=8,p=1$${text(salt)}$${text(key)}`)
  t.true(await isSecret(hash, 'pleaseletmein'))
})

const salt = 'A'.repeat(22)
const digest = 'A'.repeat(43)

for (const text of [
  'correct horse battery',
  `$scrypt$ln=9,r=8,p=1$${salt}$${digest}`,
  `$scrypt$ln=18,r=8,p=1$${salt}$${digest}`,
  `$scrypt$ln=14,r=17,p=1$${salt}$${digest}`,
  `$scrypt$ln=14,r=8,p=5$${salt}$${digest}`,
  `$scrypt$ln=14,r=0,p=1$${salt}$${digest}`,
  `$scrypt$ln=14,r=8,p=1$${salt}$${digest}A`,
  `$2b$12$${salt}`,
]) {
  test(`${text} is no hash, and the message does not repeat it`, (t) => {
    const error = t.throws(() => parseSecretHash(text), { code: 'not_a_secret_hash' })
    t.false(error?.message.includes(text))
  })
}

for (const text of [
  `$scrypt$ln=10,r=1,p=1$${salt}$${digest}`,
  `$scrypt$ln=17,r=16,p=4$${salt}$${digest}`,
]) {
  test(`${text} is within bounds`, (t) => {
    t.is(parseSecretHash(text), text as never)
  })
}

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

for (const [header, expected] of [
  [basic('alice', 'a:b'), { kind: 'basic', user: 'alice', password: 'a:b' }],
  [basic('token', ''), { kind: 'bearer', token: 'token' }],
  ['Bearer abc', { kind: 'bearer', token: 'abc' }],
  ['bearer   abc', { kind: 'bearer', token: 'abc' }],
  [undefined, undefined],
  ['', undefined],
  ['Basic', undefined],
  ['Basic !!!', undefined],
  [basic('', 'x'), undefined],
  ['Digest x=y', undefined],
  [`Bearer ${'x'.repeat(2001)}`, undefined],
] as const) {
  test(`the header ${header?.slice(0, 30)} says ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(parseCredentials(header), expected)
  })
}

test('a session ends when it was not used for its lifetime, and at logout', (t) => {
  let time = 0
  const sessions = createSessions({ lifetime: 100, most: 10, now: () => time })
  const token = sessions.open('alice')
  time = 100
  t.is(sessions.use(token), 'alice')
  time = 200
  t.is(sessions.use(token), 'alice')
  time = 301
  t.is(sessions.use(token), undefined)
  const next = sessions.open('alice')
  sessions.close(next)
  t.is(sessions.use(next), undefined)
  t.is(sessions.use('made up'), undefined)
})

test('sessions are bounded: the one not used for longest ends', (t) => {
  const sessions = createSessions({ lifetime: 1000, most: 2, now: () => 0 })
  const [first, second] = [sessions.open('a'), sessions.open('b')]
  t.is(sessions.use(first), 'a')
  const third = sessions.open('c')
  t.is(sessions.size(), 2)
  t.deepEqual([first, second, third].map(sessions.use), ['a', undefined, 'c'])
})

async function given() {
  const sessions = createSessions({ lifetime: 1000, most: 10, now: () => 0 })
  const authenticator = await createAuthenticator({
    users: new Map([['alice', await hashSecret('password 1')]]),
    tokens: new Map([['grafana', await hashSecret('grafana.secret')]]),
    sessions,
  })
  let attempts = 0
  const ask = (header: string, seconds?: number): Promise<Authentication> =>
    authenticator.authenticate(parseCredentials(header), async () => {
      attempts++
      return seconds
    })
  return { sessions, ask, attempts: () => attempts }
}

test('a right secret is a guess once and then known; a wrong one is a guess each time', async (t) => {
  const { ask, attempts } = await given()
  const alice = { kind: 'known', identity: { name: 'alice', by: 'password' } } as const
  t.deepEqual(await ask(basic('alice', 'password 1')), alice)
  t.deepEqual(await ask(basic('alice', 'password 1')), alice)
  t.is(attempts(), 1)
  const token = { kind: 'known', identity: { name: 'grafana', by: 'token' } } as const
  t.deepEqual(await ask('Bearer grafana.secret'), token)
  t.deepEqual(await ask(basic('grafana.secret', '')), token)
  t.is(attempts(), 2)
  for (const header of [
    basic('alice', 'password 2'),
    basic('bob', 'password 1'),
    basic('grafana', 'grafana.secret'),
    'Bearer grafana.guess',
    'Bearer alice.password 1',
  ]) {
    t.deepEqual(await ask(header), { kind: 'unknown' }, header)
  }
  t.is(attempts(), 6)
})

test('who has guessed too often is not told whether this one was right', async (t) => {
  const { ask } = await given()
  t.deepEqual(await ask(basic('alice', 'password 1'), 60), { kind: 'later', seconds: 60 })
})

test('a session’s token is no guess, also when it has ended', async (t) => {
  const { ask, attempts, sessions } = await given()
  const token = sessions.open('alice')
  t.deepEqual(await ask(basic(token, '')), {
    kind: 'known',
    identity: { name: 'alice', by: 'session' },
  })
  sessions.close(token)
  t.deepEqual(await ask(`Bearer ${token}`), { kind: 'unknown' })
  t.is(attempts(), 0)
})

test('a hundred guesses at once take the memory of a few', async (t) => {
  const { ask } = await given()
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, at) => ask(basic('alice', `guess ${at}`))),
  )
  t.true(answers.filter(({ kind }) => kind === 'later').length >= 80)
  t.true(answers.every(({ kind }) => kind !== 'known'))
})

for (const [hints, expected] of [
  [{}, true],
  [{ site: 'same-origin' }, true],
  [{ site: 'none' }, true],
  [{ site: 'cross-site' }, false],
  [{ site: 'same-site' }, false],
  [{ origin: 'http://pi:5000', host: 'pi:5000' }, true],
  [{ origin: 'http://pi:5001', host: 'pi:5000' }, false],
  [{ origin: 'null', host: 'pi:5000' }, false],
  [{ site: 'cross-site', origin: 'http://pi:5000', host: 'pi:5000' }, false],
] as const) {
  test(`${JSON.stringify(hints)} is ${expected ? 'our own page' : 'another site’s'}`, (t) => {
    const nothing = { site: undefined, origin: undefined, host: undefined }
    t.is(isSameOrigin({ ...nothing, ...hints }), expected)
  })
}

test('no header makes the parsers throw', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      parseCredentials(a)
      parseCredentials(`Basic ${a}`)
      isSameOrigin({ site: undefined, origin: a, host: b })
    }),
  )
  t.pass()
})

test('a password in place of a hash is found before the start, and not repeated', (t) => {
  const result = adminSchema.safeParse({ users: { alice: 'hunter2hunter2' } })
  t.false(result.success)
  t.false(JSON.stringify(result.error?.issues).includes('hunter2'))
})
