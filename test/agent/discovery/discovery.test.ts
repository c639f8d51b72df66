// Receivers that announce themselves. Multicast stays on the loopback, on ports of the tests' own.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Bonjour } from 'bonjour-service'
import { createBrowse } from '../../../agent/discovery/browse.ts'
import { createPins } from '../../../agent/discovery/pins.ts'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { createReceivers } from '../../../agent/program/configuration/receivers.ts'
import {
  type Announcement,
  discoveryService,
  formatAnnouncement,
  parseAddress,
} from '../../../protocol/index.ts'
import { freePort } from '../../lab/processes/free-port.ts'
import { runCli } from '../../support/cli.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

const contract = parseAddress('0x74434527b8e6c8296506d61d0faf3d18c9e4649a')
const receiver = parseAddress('0x9d80d905bc1e106d5bd0637c12b893c5ab60cb41')
const stranger = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')

const announced: Announcement = {
  path: '/api/1',
  receiver,
  contract,
  chainId: 1337n,
  tls: false,
  price: 'from 0.005 TKN',
}

/** Somebody who says so in the network of the test. */
async function announce(
  t: ExecutionContext,
  mdnsPort: number,
  name: string,
  announcement: Announcement,
  port = 5000,
): Promise<void> {
  const where = { bind: '0.0.0.0', interface: '127.0.0.1', port: mdnsPort }
  const bonjour = new Bonjour(where, () => undefined)
  const txt = formatAnnouncement(announcement)
  const service = bonjour.publish({ ...discoveryService, name, port, txt, probe: false })
  if (!service.published) await once(service, 'up')
  t.teardown(() => new Promise<void>((resolve) => bonjour.destroy(() => resolve())))
}

test('who announces itself is found, and what is no receiver is passed over', async (t) => {
  const mdnsPort = await freePort()
  await announce(t, mdnsPort, 'Living Room', announced)
  await announce(t, mdnsPort, 'kitchen', { ...announced, tls: true, receiver: stranger }, 5001)
  const names = new Set<string>()
  const found = await createBrowse({ interface: '127.0.0.1', mdnsPort })(60_000, ({ name }) => {
    names.add(name)
    return names.size === 2
  })
  const urls = new Map(found.map(({ name, url }) => [name, url.href]))
  t.is(urls.get('Living Room'), 'http://127.0.0.1:5000/')
  t.is(urls.get('kitchen'), 'https://127.0.0.1:5001/')
  t.like(
    found.find(({ name }) => name === 'kitchen'),
    { announcement: { receiver: stranger, contract, chainId: 1337n } },
  )
})

test('a name that would steer a terminal is found without what does', async (t) => {
  const mdnsPort = await freePort()
  await announce(t, mdnsPort, '\u001b[2Jroom\u202e\u009b1m\nkitchen', announced)
  const browse = createBrowse({ interface: '127.0.0.1', mdnsPort })
  const found = await browse(20_000, () => true)
  t.deepEqual(
    found.map(({ name }) => name),
    ['\ufffd[2Jroom\ufffd\ufffd1m kitchen'],
  )
})

test('a receiver by its announced name: only who claims the configured address and contract', async (t) => {
  const announcement = (change: Partial<Announcement>, port: number) => ({
    name: 'living-room',
    url: new URL(`http://127.0.0.1:${port}`),
    announcement: { ...announced, ...change },
  })
  const liar = announcement({ receiver: stranger }, 1)
  const otherContract = announcement({ contract: stranger }, 2)
  const right = announcement({}, 3)
  let there = [liar, otherContract]
  let asked = 0
  let time = 0
  const receivers = createReceivers({
    config: {
      contract,
      receivers: { room: { url: 'dns-sd://living-room', address: receiver } },
    },
    pins: createPins(await temporaryFolder(t)),
    browse: async () => {
      asked++
      return there
    },
    now: () => time,
  })
  const refused = await t.throwsAsync(receivers.resolve('room/x'), { code: 'receiver_not_found' })
  t.regex(refused?.message ?? '', /What announces itself as living-room is 0x7099/)
  there = [liar, otherContract, right]
  t.is((await receivers.resolve('room/x?y=1')).href, 'http://127.0.0.1:3/x?y=1')
  t.is((await receivers.find(new URL('http://room/x')))?.href, 'http://127.0.0.1:3/x')
  t.is((await receivers.find(new URL('http://127.0.0.1:3/z')))?.href, 'http://127.0.0.1:3/z')
  t.is(await receivers.find(new URL('http://127.0.0.1:1/z')), undefined)
  t.is(asked, 2)

  // It moved: an answer is believed for ten minutes, or until somebody says that it is wrong.
  there = [announcement({}, 4)]
  time = 10 * 60_000 - 1
  t.is((await receivers.resolve('room')).port, '3')
  time = 10 * 60_000
  t.is((await receivers.resolve('room')).port, '4')
  there = [announcement({}, 5)]
  receivers.forget()
  t.is((await receivers.resolve('room')).port, '5')
})

test('a receiver is configured by its place or its announced name', async (t) => {
  const folder = await temporaryFolder(t)
  const load = async (room: string) => {
    const file = join(folder, 'agent.yaml')
    const head = `rpc: http://127.0.0.1:9\ncontract: ${contract}\nkey: key\n`
    await writeFile(file, `${head}receivers: { room: ${room} }\n`)
    return (await loadAgentConfig(file, {})).receivers.room?.url
  }
  t.is(await load(`{ url: 'dns-sd:Living Room', address: ${receiver} }`), 'dns-sd://Living%20Room')
  t.is(await load('{ url: dns-sd:living-room }'), 'dns-sd://living-room')
  t.is(await load('{ url: http://127.0.0.1:5000 }'), 'http://127.0.0.1:5000')
  const bad = [
    `'dns-sd:' , address: ${receiver} }`,
    `'dns-sd:${'x'.repeat(64)}', address: ${receiver} }`,
    `'ftp://x', address: ${receiver} }`,
  ]
  for (const text of bad) await t.throwsAsync(load(`{ url: ${text}`), { code: 'config_invalid' })
  t.is(
    await load(`{ url: 'dns-sd:${'x'.repeat(63)}', address: ${receiver} }`),
    `dns-sd://${'x'.repeat(63)}`,
  )
})

test('uraiden-agent discover lists receivers, their prices, and what to write down', async (t) => {
  const folder = await temporaryFolder(t)
  const name = `room-${process.pid}`
  // The program knows no port but the standard's.
  await announce(t, 5353, name, announced)
  await writeFile(
    join(folder, 'agent.yaml'),
    `rpc: http://127.0.0.1:9
contract: ${contract}
key: key
discovery: { interface: 127.0.0.1 }
receivers: { here: { url: 'dns-sd:${name}', address: ${receiver} } }
`,
  )
  // On a busy machine it may have listened before anybody could answer.
  const line = await until(async () => {
    const { code, stdout, stderr } = await runCli(folder, ['discover', '--wait', '1'])
    t.is(code, 0, stderr)
    t.regex(stdout, /^(NAME +URL +PRICE +RECEIVER +USE\n|nobody announces)/)
    return stdout.split('\n').find((each) => each.startsWith(`${name} `))
  })
  t.is(
    line.replace(/ +/g, ' '),
    `${name} http://127.0.0.1:5000 from 0.005 TKN ${receiver} configured as here`,
  )
  const wrong = await runCli(folder, ['discover', '--wait', '61'])
  t.is(wrong.code, 2)
})

test('uraiden-agent accept remembers who announces a name now', async (t) => {
  const folder = await temporaryFolder(t)
  const name = `accepted-${process.pid}`
  await announce(t, 5353, name, { ...announced, receiver: stranger })
  const known = `fixed-${process.pid}`
  await writeFile(
    join(folder, 'agent.yaml'),
    `rpc: http://127.0.0.1:9
contract: ${contract}
key: key
state: state
discovery: { interface: 127.0.0.1 }
receivers:
  room: { url: 'dns-sd:${name}' }
  fixed: { url: 'dns-sd:${known}', address: ${receiver} }
`,
  )
  const pins = createPins(join(folder, 'state'))
  await pins.put(name, { receiver, since: '2026-11-21T00:00:00.000Z' })
  const { stdout } = await until(async () => {
    const accepted = await runCli(folder, ['accept', 'room'])
    return !/receiver_not_found/.test(accepted.stderr) && accepted
  })
  t.is(stdout.trim(), `${name} is ${stranger} at http://127.0.0.1:5000, no longer ${receiver}`)
  t.is(pins.all().get(name)?.receiver, stranger)
  for (const other of ['fixed', 'nobody']) {
    const refused = await runCli(folder, ['accept', other])
    t.is(refused.code, 2)
    t.regex(refused.stderr, /usage_accept/)
  }
})
