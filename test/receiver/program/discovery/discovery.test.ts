// What the local network hears of a receiver. Multicast stays on loopback, on ports of the tests' own.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Bonjour, type Service } from 'bonjour-service'
import {
  type Announcement,
  discoveryService,
  parseAddress,
  parseAnnouncement,
} from '../../../../protocol/index.ts'
import {
  type AnnouncedReceiver,
  announce,
} from '../../../../receiver/program/discovery/announce.ts'
import { discoverySchema } from '../../../../receiver/program/discovery/config.ts'
import { defaultName, freeName, localHost } from '../../../../receiver/program/discovery/name.ts'
import { priceNote } from '../../../../receiver/program/discovery/price.ts'
import { freePort } from '../../../lab/processes/free-port.ts'
import { givenReceiverFolder, startProgram } from '../../../support/receiver-program.ts'
import { until } from '../../../support/until.ts'

const announcement: Announcement = {
  path: '/api/1',
  receiver: parseAddress('0x9d80d905bc1e106d5bd0637c12b893c5ab60cb41'),
  contract: parseAddress('0x74434527b8e6c8296506d61d0faf3d18c9e4649a'),
  chainId: 1337n,
  tls: false,
  price: 'from 0.005 TKN',
}
const other = { ...announcement, receiver: parseAddress(`0x${'12'.repeat(20)}`) }

async function given(t: ExecutionContext) {
  const mdnsPort = await freePort()
  const loopback = { interface: '127.0.0.1', bind: '0.0.0.0', port: mdnsPort }
  const found = new Map<string, Service>()
  const bonjour = new Bonjour(loopback, () => undefined)
  const browser = bonjour.find({ ...discoveryService })
  browser.on('up', (service) => found.set(service.name, service))
  browser.on('down', ({ name }) => found.delete(name))
  t.teardown(() => bonjour.destroy())
  /** Asks the network too: an answer may be lost. */
  const hears = (name: string) => {
    browser.update()
    return found.has(name)
  }
  const start = async (more: object = {}): Promise<AnnouncedReceiver> => {
    const announced = await announce({
      name: 'living-room',
      interface: '127.0.0.1',
      port: 5000,
      announcement,
      log: { info: () => undefined, warn: () => undefined },
      mdnsPort,
      ...more,
    })
    return announced
  }
  return { found, hears, start }
}

test.serial(
  'a receiver is found by its name, with what an agent wants to know, and says goodbye',
  async (t) => {
    const { found, hears, start } = await given(t)
    const announced = await start()
    t.is(announced.name, 'living-room')
    await until(() => hears('living-room'))
    const service = found.get('living-room')
    t.is(service?.fqdn, 'living-room._uraiden._tcp.local')
    t.is(service?.port, 5000)
    t.regex(service?.host ?? '', /\.local$/)
    t.deepEqual(parseAnnouncement(service?.txt), announcement)
    await announced.stop()
    await until(() => !found.has('living-room'))
    t.pass()
  },
)

test.serial(
  'a name that another receiver has gets a number; after a restart it is one’s own again',
  async (t) => {
    const { found, hears, start } = await given(t)
    const first = await start()
    t.teardown(first.stop)
    await until(() => hears('living-room'))
    const second = await start({ announcement: other, port: 5001 })
    t.teardown(second.stop)
    t.is(second.name, 'living-room (2)')
    await until(() => hears('living-room (2)'))
    t.is(found.get('living-room (2)')?.port, 5001)
    const again = await start({ port: 5002 })
    t.teardown(again.stop)
    t.is(again.name, 'living-room')
  },
)

test.serial('where nothing can be announced, the receiver is warned and goes on', async (t) => {
  const warnings: string[] = []
  const socket = createSocket('udp4').bind(0, '0.0.0.0')
  await once(socket, 'listening')
  t.teardown(() => void socket.close())
  const { start } = await given(t)
  const announced = await start({
    mdnsPort: socket.address().port,
    log: { info: () => undefined, warn: (_: object, text: string) => warnings.push(text) },
  })
  t.true(warnings.length > 0)
  t.regex(warnings[0] ?? '', /cannot be announced/)
  await announced.stop()
})

test.serial(
  'the program announces what its configuration says, and says goodbye when it stops',
  async (t) => {
    const system = await givenReceiverFolder(t)
    // The program knows no port but the standard's, where another run of these tests may announce too.
    const name = `shed-${process.pid}`
    await writeFile(
      join(system.folder, 'receiver.yaml'),
      [
        `contract: '${system.contract}'`,
        'key: key',
        'state: state',
        `discovery: { name: ${name}, interface: 127.0.0.1 }`,
        'resources: { /a: { price: 0.02, command: date }, /b: { price: 0.005, command: date } }',
      ].join('\n'),
    )
    const found = new Map<string, Service>()
    const loopback = { interface: '127.0.0.1', bind: '0.0.0.0', port: 5353 }
    const bonjour = new Bonjour(loopback, () => undefined)
    t.teardown(() => bonjour.destroy())
    const browser = bonjour.find({ ...discoveryService })
    browser.on('up', (service) => found.set(service.name, service))
    browser.on('down', (service) => found.delete(service.name))
    const program = await startProgram(t, system, ['-c', 'receiver.yaml'])
    await until(() => {
      browser.update()
      return found.has(name)
    })
    t.is(found.get(name)?.port, Number(new URL(program.url).port))
    t.deepEqual(parseAnnouncement(found.get(name)?.txt), {
      path: '/api/1',
      receiver: system.receiverAccount.address,
      contract: system.contract,
      chainId: 31337n,
      tls: false,
      price: 'from 0.005 TKN',
    })
    program.kill('SIGTERM')
    await until(() => !found.has(name))
  },
)

for (const [wanted, taken, expected] of [
  ['pi', [], 'pi'],
  ['pi', ['other'], 'pi'],
  ['pi', ['PI'], 'pi (2)'],
  ['pi', ['pi', 'pi (2)', 'pi (4)'], 'pi (3)'],
  ['x'.repeat(63), ['x'.repeat(63)], `${'x'.repeat(59)} (2)`],
  ['é'.repeat(31), ['é'.repeat(31)], `${'é'.repeat(29)} (2)`],
] as const) {
  test(`${wanted.slice(0, 5)}… beside ${taken.length} others is ${expected.slice(-8)}`, (t) => {
    t.is(freeName(wanted, new Set(taken)), expected)
    t.true(Buffer.byteLength(expected) <= 63)
  })
}

test('the machine’s name is without its domain, and ends in .local as a host', (t) => {
  t.is(defaultName('raspberrypi.fritz.box'), 'raspberrypi')
  t.is(localHost('raspberrypi'), 'raspberrypi.local')
  t.is(defaultName(''), 'uraiden-receiver')
})

const token = { symbol: 'TKN', decimals: 18 }

for (const [prices, expected] of [
  [[], undefined],
  [['0'], undefined],
  [['0.005 TKN'], '0.005 TKN'],
  [['0.005', '0.005 TKN', '0'], '0.005 TKN'],
  [['0.02', '0.005'], 'from 0.005 TKN'],
  [['5 units'], '0.000000000000000005 TKN'],
  [['half a token'], undefined],
] as const) {
  test(`prices ${prices.join(', ') || 'none'} are announced as ${expected}`, (t) => {
    t.is(priceNote(prices, token), expected)
  })
}

for (const [name, fits] of [
  ['living-room', true],
  ['Wohnzimmer Süd', true],
  ['x'.repeat(63), true],
  ['x'.repeat(64), false],
  ['', false],
  ['a.b', false],
  ['a\u0000b', false],
] as const) {
  test(`discovery.name ${JSON.stringify(name.slice(0, 15))} of ${name.length} ${fits ? 'is' : 'is not'} a name`, (t) => {
    t.is(discoverySchema.safeParse({ name }).success, fits)
  })
}
