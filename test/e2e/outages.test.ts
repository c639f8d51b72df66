// What a daemon does while something it needs is away, and that it goes on by itself: the table in
// docs/guides/daemon.md.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { channelName } from '../../agent/channels/records.ts'
import { SharedAgent } from '../../agent/program/daemon/shared-agent.ts'
import { Upkeep } from '../../agent/program/daemon/upkeep.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { curl } from '../support/proxy.ts'
import { startSystem } from '../support/system.ts'
import { needing, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

const withCurl = needing(test, tools.curl)

const proxy = "proxy: { listen: '127.0.0.1:0' }\n"

const codeOf = ({ body }: { readonly body: string }) => JSON.parse(body).code

/** A wire to `base` that can be cut. */
async function startWire(t: ExecutionContext, base: string) {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(new URL(base).port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const cut = async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  t.teardown(() => (server.listening ? cut() : undefined))
  const mend = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  return { url: `http://127.0.0.1:${port}`, cut, mend }
}

withCurl(
  'the chain is away: the first start waits for it, and channels that are open pay',
  async (t) => {
    const system = await startSystem(t)
    let away = true
    const node = await startFaultyRpc(t, system.chain.rpcUrl, () =>
      away ? 'loseRequest' : undefined,
    )
    const { folder, cli } = await daemonFolder(system, proxy, node.url)

    const first = await startDaemonProcess(t, folder)
    await until(
      async () => (await first.status())?.waiting?.code === 'chain_unavailable',
      first.log,
    )
    t.regex((await cli('status')).stdout, /^waiting \(chain_unavailable: /)
    t.regex((await cli('get', 'room/reading')).stderr, /\(chain_unavailable, exit 5\)/)
    away = false
    const url = await first.proxyUrl()
    t.is((await curl('-x', url, 'http://room/reading')).status, 200)
    t.is((await until(first.status)).waiting, undefined)

    away = true
    t.is((await curl('-x', url, 'http://room/reading')).headers.get('uraiden-balance'), '10')
    first.child.kill('SIGKILL')
    await first.ended
    // After a crash, too: what was paid is asked of the receiver, not of the chain.
    const second = await startDaemonProcess(t, folder)
    const again = await second.proxyUrl()
    t.is((await curl('-x', again, 'http://room/reading')).headers.get('uraiden-balance'), '15')
    // What needs the chain says so, and nothing is lost by it.
    const more = await cli('topup', 'room', '5 units')
    t.is(more.code, 5, more.stderr)
    t.is((await curl('-x', again, 'http://room/reading')).headers.get('uraiden-balance'), '20')
  },
)

withCurl(
  'the receiver or the network is away: nothing is paid, and it goes on when it is back',
  async (t) => {
    const system = await startSystem(t)
    const wire = await startWire(t, system.base)
    const { folder } = await daemonFolder({ ...system, base: wire.url }, proxy)
    const daemon = await startDaemonProcess(t, folder)
    const url = await daemon.proxyUrl()
    t.is((await curl('-x', url, 'http://room/reading')).status, 200)
    await wire.cut()
    for (let count = 0; count < 3; count++) {
      const refused = await curl('-x', url, 'http://room/reading')
      t.is(refused.status, 502)
      t.is(codeOf(refused), 'receiver_unreachable')
    }
    await wire.mend()
    t.is((await curl('-x', url, 'http://room/reading')).headers.get('uraiden-balance'), '10')
    // Three failures, one line.
    await until(() => daemon.log().includes('a purchase failed'), daemon.log)
    t.is(daemon.log().split('a purchase failed').length - 1, 1)
  },
)

needing(
  test,
  tools.curl,
  tools.prlimit,
)('the disk is full: nothing is signed, and it goes on when there is room', async (t) => {
  const system = await startSystem(t)
  // Each payment is written.
  const { folder } = await daemonFolder(system, `reservation: 1\n${proxy}`)
  const daemon = await startDaemonProcess(t, folder)
  const url = await daemon.proxyUrl()
  t.is((await curl('-x', url, 'http://room/reading')).status, 200)
  const limit = (bytes: string) =>
    promisify(execFile)('prlimit', [`--pid=${daemon.child.pid}`, `--fsize=${bytes}`])
  // To the process a file that may not grow is a disk that is full.
  await limit('1:unlimited')
  for (let count = 0; count < 2; count++) {
    const refused = await curl('-x', url, 'http://room/reading')
    t.is(refused.status, 503, refused.body)
    t.regex(codeOf(refused), /^state_/)
  }
  await limit('unlimited:unlimited')
  const paid = await curl('-x', url, 'http://room/reading')
  t.is(paid.status, 200, paid.body)
  t.is(paid.headers.get('uraiden-balance'), '10')
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
})

test('upkeep: topped up before a channel runs dry, closes settled after their period', async (t) => {
  const system = await startSystem(t)
  const { base, chain, receiverAccount } = system
  const shared = new SharedAgent()
  await shared.exchange(() => system.agent(), 0)
  const failed: unknown[] = []
  const upkeep = new Upkeep({
    shared,
    interval: 20,
    onWarning: () => undefined,
    onFailed: (_, error) => failed.push(error),
  })
  const settings = { policy: { deposit: { open: () => 20n, topUp: () => 20n } } }
  await upkeep.start(settings)
  t.teardown(() => upkeep.stop())
  const agent = shared.current()
  if (agent === undefined) throw new Error('no agent')
  const name = await agent.openChannel(receiverAccount.address, 20n)
  const deposit = () => agent.channels()[0]?.deposit ?? 0n
  const pay = async () => {
    const { payment } = await agent.get(`${base}/reading`)
    if (payment) upkeep.paid(payment.channel, payment.price)
  }
  await pay()
  await pay()
  t.is(deposit(), 20n)
  // One payment is left.
  await pay()
  await until(() => deposit() > 20n || undefined)
  t.is(deposit(), 35n)

  await agent.closeChannel(name, {})
  t.is(agent.channels()[0]?.state, 'closing')
  await chain.mine(501)
  await until(() => agent.channels()[0]?.state === 'closed' || undefined)
  t.is(await system.tokensOf(receiverAccount.address), 15n)
  t.deepEqual(failed, [])

  // A new disk: the chain knows the channels.
  const second = await agent.openChannel(receiverAccount.address, 30n)
  await shared.exchange(() => system.agent({ store: `${system.folder}/new-disk` }), 0)
  t.deepEqual(shared.current()?.channels(), [])
  await upkeep.start(settings)
  const found = await until(() =>
    shared
      .current()
      ?.channels()
      .find(({ state }) => state === 'open'),
  )
  t.is(channelName(found.receiver, found.openBlock), second)
})
