// Administration has an address of its own, and says where.
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Logger } from 'pino'
import { isLoopback } from '../../../platform/system/loopback.ts'
import { startAdministration } from '../../../receiver/program/administration.ts'
import { createAdmin } from '../../../receiver/server/admin/admin.ts'
import { adminListen, adminSchema } from '../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../receiver/server/admin/secrets.ts'
import { startSystem } from '../../support/system.ts'

const users = { alice: await hashSecret('correct horse') }

const places = [
  [{}, undefined],
  [{ users }, { address: { host: '127.0.0.1', port: 9404 }, is: 'usual' }],
  [{ tokens: users }, { address: { host: '127.0.0.1', port: 9404 }, is: 'usual' }],
  [{ users, listen: 'off' }, undefined],
  [{ listen: '127.0.0.1:1' }, { address: { host: '127.0.0.1', port: 1 }, is: 'named' }],
  [
    { users, listen: '[::]:7' },
    { address: { host: '::', port: 7 }, is: 'named' },
  ],
] as const
for (const [settings, expected] of places) {
  test(`${JSON.stringify(Object.keys(settings))} is administered at ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(adminListen(adminSchema.parse(settings)), expected)
  })
}

for (const listen of ['everywhere', '127.0.0.1', 'localhost:99999', '']) {
  test(`admin.listen: "${listen}" is refused`, (t) => {
    t.false(adminSchema.safeParse({ listen }).success)
  })
}

test('what is on this machine only', (t) => {
  t.true(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback))
  t.false(
    ['0.0.0.0', '::', '192.168.1.2', '128.0.0.1', 'shop.example', '::ffff:8.8.8.8'].some(
      isLoopback,
    ),
  )
})

async function start(t: ExecutionContext, listen?: string) {
  const { receiver } = await startSystem(t)
  const settings = adminSchema.parse({ users, ...(listen && { listen }) })
  const admin = await createAdmin(settings)
  admin.attach({ receiver, prices: () => [], income: () => [], traffic: async () => [] })
  const said: (readonly [string, object, string])[] = []
  const note = (level: string) => (facts: object, message: string) => {
    said.push([level, facts, message])
  }
  const log = {
    ...{ info: note('info'), warn: note('warn'), error: note('error') },
    ...{ debug: note('debug'), trace: note('trace'), fatal: note('fatal') },
    child: () => log,
  } as unknown as Logger
  const options = {
    settings: { admin: settings, socket: undefined, hosts: ['admin.shop.example'] },
    ...{ tls: undefined, log },
  }
  const { stop } = await startAdministration(admin, options)
  t.teardown(stop)
  const told = (level: string) => said.filter(([of]) => of === level)
  const url = () => {
    const [, facts] = told('info').find(([, each]) => Object.hasOwn(Object(each), 'admin')) ?? []
    return (facts as { readonly admin: string }).admin
  }
  return { told, url, stop }
}

test.serial(
  'the log says where it is, and warns where a password would go over plain http',
  async (t) => {
    const here = await start(t, '127.0.0.1:0')
    const admin = here.url()
    t.regex(await (await fetch(admin)).text(), /µRaiden receiver/)
    t.is(here.told('warn').length, 0)
    const everywhere = await start(t, '0.0.0.0:0')
    t.regex(everywhere.told('warn')[0]?.[2] ?? '', /plain http/)
  },
)

test.serial('a page that has its name point here is not let in: Host has to be ours', async (t) => {
  const { url } = await start(t, '127.0.0.1:0')
  const admin = url()
  const asked = async (host: string) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(admin, { headers: { host } }, resolve).on('error', reject)
    })
    response.resume()
    return response.statusCode
  }
  t.is(await asked('attacker.example'), 421)
  t.is(await asked('admin.shop.example'), 200)
  t.is(await asked('localhost:9404'), 200)
})

test.serial(
  'an address that is taken stops the start if it was named, and not the sale if not',
  async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.teardown(() => other.close())
    const { port } = other.address() as AddressInfo
    await t.throwsAsync(start(t, `127.0.0.1:${port}`), { code: 'listen_failed' })
    const usual = createServer()
    // Whoever has it: it is taken.
    await new Promise((resolve) => {
      usual.once('error', resolve)
      usual.listen(9404, '127.0.0.1', () => resolve(undefined))
    })
    t.teardown(() => usual.close())
    const { told } = await start(t)
    t.regex(told('error')[0]?.[2] ?? '', /nobody can administer over the network/)
  },
)
