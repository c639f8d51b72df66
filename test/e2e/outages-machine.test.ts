// Outages of the machine itself, as they really are: a file system that is read-only, a network that is
// gone. Mounts and networks of one's own need privileges; without them these tests do not run.
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { curl } from '../support/proxy.ts'
import { price, startSystem } from '../support/system.ts'
import { needing, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../support/programs/network-outage.ts', import.meta.url))

needing(
  test,
  tools.mounts,
  tools.curl,
)(
  'a ledger on a read-only file system: nothing is signed, and it begins when it can be written',
  async (t) => {
    const system = await startSystem(t)
    const { folder, cli } = await daemonFolder(system, "proxy: { listen: '127.0.0.1:0' }\n")
    const ledger = join(folder, 'state', 'ledger')
    await mkdir(ledger, { recursive: true, mode: 0o700 })
    const options = 'size=64m,mode=700'
    await run('mount', ['-t', 'tmpfs', '-o', options, 'none', ledger])
    t.teardown(() => run('umount', ['-l', ledger]))
    await run('mount', ['-o', `remount,ro,${options}`, ledger])

    const daemon = await startDaemonProcess(t, folder)
    const waiting = async () => (await daemon.status())?.waiting?.code
    await until(async () => (await waiting())?.startsWith('state_') || undefined, daemon.log)
    const refused = await cli('get', 'room/reading')
    t.is(refused.code, 7, refused.stderr)
    t.deepEqual([...system.receiver.book.all()], [])

    await run('mount', ['-o', `remount,rw,${options}`, ledger])
    const url = await daemon.proxyUrl()
    const paid = await curl('-x', url, 'http://room/reading')
    t.is(paid.status, 200, paid.body)
    t.is((await daemon.status())?.waiting, undefined)
    daemon.child.kill('SIGTERM')
    t.is(await daemon.ended, 0, daemon.log())
  },
)

needing(test, tools.ownNetwork)(
  'the network is gone, names too: jobs fail and say so, go on when it is back, and pay once',
  async (t) => {
    const { stdout } = await run('unshare', ['-rn', process.execPath, program])
    const seen = JSON.parse(stdout)
    t.regex(seen.codeAway, /^(receiver_unreachable|answer_lost)$/)
    t.regex(seen.byName, /receiver_unreachable/)
    t.true(seen.numbers.length >= seen.before + 2)
    // Each body once, in order, and each paid for once.
    const all = Array.from({ length: seen.served }, (_, at) => at + 1)
    t.deepEqual(seen.numbers, all)
    t.is(seen.claimed, seen.served * Number(price))
    t.is(seen.exit, 0)
  },
)
