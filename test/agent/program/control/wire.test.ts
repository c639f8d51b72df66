// What reaches the control socket is looked at before a command gets it.
import test from 'ava'
import { runCommand } from '../../../../agent/program/control/server.ts'
import { decode, encode, purchase, shaped } from '../../../../agent/program/control/wire.ts'

const channel = `0x70997970C51812dc3A010C7d01b50e0d17dc79C8/7`
const address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'

type Commands = Parameters<typeof runCommand>[0]
const echo = new Proxy({} as Commands, { get: () => (input: unknown) => input })
const run = (name: keyof Commands, input: unknown) => runCommand(echo, name, decode(encode(input)))

test('a command gets what it takes', async (t) => {
  t.deepEqual(await run('status', {}), {})
  t.deepEqual(await run('pause', { job: 'a' }), { job: 'a' })
  t.deepEqual(await run('recover', { from: 5 }), { from: 5 })
  const closing = { channel, api: 'http://a/b', otherwise: 'requestClose', balance: 5n }
  t.deepEqual(await run('close', closing), closing)
  // In one form, whichever it came in.
  t.deepEqual(await run('open', { receiver: address, deposit: 5n }), {
    receiver: channel.slice(0, 42),
    deposit: 5n,
  })
})

for (const [name, input, says] of [
  ['status', { more: 1 }, /nothing is known of "more"/],
  ['status', [], /an object/],
  ['status', null, /an object/],
  ['open', { receiver: '0x1', deposit: 5n }, /receiver/],
  ['open', { receiver: address, deposit: 5 }, /deposit: it should be an amount/],
  ['open', { receiver: address, deposit: -5n }, /deposit/],
  ['open', { receiver: address, deposit: 5n, api: 'a/b' }, /api: it should be a URL/],
  ['topUp', { channel: 'x/7', added: 5n }, /channel/],
  ['close', { channel, otherwise: 'whatever' }, /otherwise/],
  ['recover', { from: -1 }, /from/],
  ['recover', { from: 0.5 }, /from/],
  ['sweep', {}, /to/],
  ['runJob', {}, /job: it should be a text/],
  ['probe', { url: 'file:///etc/passwd' }, /url: it should be a URL of http or https/],
] as const) {
  test(`${name} of ${encode(input)} is refused`, async (t) => {
    await t.throwsAsync(run(name, input), { code: 'control_malformed', message: says })
  })
}

test('a purchase has what it may have', (t) => {
  const whole = {
    url: 'http://a/b',
    method: 'PUT',
    headers: { accept: 'x' },
    mostPrice: 5n,
    authentic: 'require',
    job: 'a',
    idempotencyKey: 'b',
    timeout: 1.5,
    dryRun: true,
  } as const
  t.deepEqual(shaped(purchase, whole), whole)
  for (const wrong of [
    {},
    { ...whole, url: 'ftp://a' },
    { ...whole, headers: { accept: 1 } },
    { ...whole, mostPrice: -1n },
    { ...whole, timeout: 0 },
    { ...whole, dryRun: 'yes' },
    { ...whole, signal: {} },
  ]) {
    t.throws(() => shaped(purchase, wrong), { code: 'control_malformed' }, encode(wrong))
  }
})
