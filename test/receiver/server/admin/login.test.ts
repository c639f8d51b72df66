// Who may administer: secrets, logins, guesses, and requests that another site makes.
import { scryptSync } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { addressGroup } from '../../../../platform/http/address-group.ts'
import { isSameOrigin } from '../../../../platform/web/origin.ts'
import {
  type Authentication,
  createAuthenticator,
} from '../../../../receiver/server/admin/authenticator.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { parseCredentials } from '../../../../receiver/server/admin/credentials.ts'
import { createGuesses } from '../../../../receiver/server/admin/guesses.ts'
import {
  hashSecret,
  isSecret,
  parseSecretHash,
  type SecretHash,
} from '../../../../receiver/server/admin/secrets.ts'
import { createSessions } from '../../../../receiver/server/admin/sessions.ts'
import { until } from '../../../support/until.ts'

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
  const ask = (header: string, seconds?: number, from = '10.0.0.1'): Promise<Authentication> =>
    authenticator.authenticate(parseCredentials(header), {
      from,
      attempt: async () => {
        attempts++
        return seconds
      },
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

test('guesses of one network keep nobody else out, and take one turn', async (t) => {
  const { ask } = await given()
  const guesses = Array.from({ length: 200 }, (_, at) =>
    ask(basic('alice', `guess ${at}`), undefined, `2001:db8:0:1::${at.toString(16)}`),
  )
  const owner = await ask(basic('alice', 'password 1'), undefined, '10.0.0.2')
  t.is(owner.kind, 'known')
  const kinds = (await Promise.all(guesses)).map(({ kind }) => kind)
  t.deepEqual([kinds[0], new Set(kinds.slice(1))], ['unknown', new Set(['later'])])
})

test('the same login asked for several times at once is one', async (t) => {
  const { ask } = await given()
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => ask(basic('alice', 'password 1'))),
  )
  t.true(answers.every(({ kind }) => kind === 'known'))
})

/** Checks are under way until they are let go on, one after the other. */
function slowGuesses() {
  const open: ((isRight: boolean) => void)[] = []
  const order: string[] = []
  const guesses = createGuesses((_, secret) => {
    order.push(secret)
    return new Promise<boolean>((resolve) => void open.push(resolve))
  })
  const hash = `$scrypt$ln=10,r=1,p=1$${salt}$${digest}` as SecretHash
  const ask = (from: string, secret = from) => guesses.check({ from, secret, hash })
  const settle = async (isRight: boolean) => {
    await until(() => open.length > 0)
    open.shift()?.(isRight)
  }
  return { ask, settle, order }
}

test('who has guessed wrong before waits behind who has not', async (t) => {
  const { ask, settle, order } = slowGuesses()
  const first = ask('a', 'wrong')
  await settle(false)
  t.false(await first)
  const [, second, owner] = [ask('busy'), ask('a', 'wrong too'), ask('owner')]
  for (const isRight of [false, true, false]) await settle(isRight)
  t.true(await owner)
  t.false(await second)
  t.deepEqual(order, ['wrong', 'busy', 'owner', 'wrong too'])
})

test('with many networks of guessers there is still a place for who has not guessed', async (t) => {
  const { ask, settle } = slowGuesses()
  const networks = Array.from({ length: 64 }, (_, at) => `10.0.0.${at}`)
  const round = networks.map((from) => ask(from))
  for (const _ of networks) await settle(false)
  t.true((await Promise.all(round)).every((isRight) => isRight === false))
  const again = networks.map((from) => ask(from))
  const owner = ask('192.168.1.2')
  await settle(false)
  await settle(true)
  t.true(await owner)
  for (let left = 62; left > 0; left--) await settle(false)
  // One of them had to go, and none that is newer than the owner takes a place from those that wait.
  t.is((await Promise.all(again)).filter((isRight) => isRight === undefined).length, 1)
})

for (const [address, network] of [
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1'],
  ['2001:db8::5', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
] as const) {
  test(`${address} is of the network ${network}`, (t) => {
    t.is(addressGroup(address), network)
  })
}

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
