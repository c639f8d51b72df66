// Where a login or a watchtower's proofs can be heard by others, and that it is said.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isLoopback } from '../../../platform/system/loopback.ts'
import { receiverOverHttp, watchtowerOverHttp } from '../../../receiver/program/plain-http.ts'
import { adminSchema } from '../../../receiver/server/admin/config.ts'
import { parseSecretHash } from '../../../receiver/server/admin/secrets.ts'
import { givenReceiverFolder, runReceiver, spawnReceiver } from '../../support/receiver-program.ts'
import { until } from '../../support/until.ts'

for (const [host, expected] of [
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['[::1]', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['::2', false],
  ['192.168.1.2', false],
  ['10.127.0.1', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
] as const) {
  test(`${host} is ${expected ? 'this machine' : 'open to others'}`, (t) => {
    t.is(isLoopback(host), expected)
  })
}

const hash = parseSecretHash(`$scrypt$ln=10,r=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`)
const nobody = adminSchema.parse({})
const open = adminSchema.parse({ users: { me: hash }, listen: '0.0.0.0:9404' })
const settings = (change: object = {}) => ({
  admin: open,
  tls: undefined,
  watchtowers: [] as { url: string; token: string; every: number }[],
  ...change,
})
const tls = { cert: 'cert.pem', key: 'key.pem' }

test('a login over plain http is warned of where others can hear it, and nowhere else', (t) => {
  const checks = (change: object) => receiverOverHttp(settings(change)).map(({ check }) => check)
  t.deepEqual(checks({}), ['login'])
  t.deepEqual(checks({ admin: adminSchema.parse({ users: { me: hash } }) }), [])
  t.deepEqual(checks({ admin: { ...open, listen: { host: '127.0.0.1', port: 1 } } }), [])
  t.deepEqual(checks({ tls }), [])
  t.deepEqual(checks({ admin: nobody }), [])
  const tower = (url: string) => ({ admin: nobody, watchtowers: [{ url, token: 'f', every: 1 }] })
  t.deepEqual(checks(tower('http://tower.example:5001/x')), ['watchtower'])
  t.deepEqual(checks(tower('https://tower.example:5001')), [])
  t.deepEqual(checks(tower('http://[::1]:5001')), [])
  const everywhere = { listen: { host: '0.0.0.0', port: 5001 } }
  t.is(watchtowerOverHttp({ ...everywhere, tls: undefined }).length, 1)
  t.is(watchtowerOverHttp({ ...everywhere, tls }).length, 0)
  t.is(watchtowerOverHttp({ listen: { host: '::1', port: 1 }, tls: undefined }).length, 0)
})

test('start and doctor say it', async (t) => {
  const { folder, chain, contract } = await givenReceiverFolder(t)
  await writeFile(
    join(folder, 'receiver.yaml'),
    JSON.stringify({
      ...{ rpc: chain.rpcUrl, contract, key: 'key', state: 'state', listen: '127.0.0.1:0' },
      admin: { users: { me: hash }, listen: '0.0.0.0:0' },
    }),
  )
  const options = ['--config', 'receiver.yaml']
  const doctor = await runReceiver(folder, [...options, 'doctor'])
  t.regex(doctor.stdout, /! login +Logins go over plain http at 0\.0\.0\.0/)
  const running = spawnReceiver(folder, [...options, 'start'])
  t.teardown(async () => {
    running.kill('SIGTERM')
    await running.ended
  })
  await until(() => running.log().includes('over plain http'), running.log)
  t.false(running.log().includes(hash))
})
