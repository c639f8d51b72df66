// How much the processor has to do until the daemon is ready, in instructions: the emulated machine's
// clock advances a nanosecond with each, so that its own accounting of processor time counts them, and counts
// the same on another host within a few per cent.
import type { Pi } from '../../../test/lab/pi-system/pi.ts'

export interface WorkFigures {
  /** Millions of instructions, user and kernel. */
  readonly bareNode: number
  readonly help: number
  /** A person's command beside the daemon. */
  readonly get: number
  readonly status: number
  /** The daemon, with its encrypted key. */
  readonly ready: number
  /** The same with a key that systemd has sealed, when the configuration is read. */
  readonly readySealed: number
  /** And at the starts after that, with what was read kept. */
  readonly readyKept: number
  /** Of that, what is systemd's and the kernel's: the same unit with the same credentials, and nothing in it. */
  readonly sandbox: number
}

const unit = 'uraiden-agent.service'
const store = '/etc/credstore.encrypted'
const program = '/usr/lib/uraiden-agent/node /usr/lib/uraiden-agent/uraiden-agent.cjs'

export async function countWork(pi: Pi): Promise<WorkFigures> {
  const life = await pi.boot()
  const { run, reached } = life.guest
  await reached()
  const millions = (cpuStat: string) =>
    Math.round(Number(/^usage_usec (\d+)$/m.exec(cpuStat)?.[1]) / 1000)
  // A second time: the files are in memory by then, as far as they fit.
  const once = async (command: string) => {
    await run(`systemd-run --quiet --wait ${command}`)
    return millions(
      await run(
        `systemd-run --quiet --wait --pipe /bin/sh -c '${command} > /dev/null; cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/cpu.stat'`,
      ),
    )
  }
  const bareNode = await once('/usr/lib/uraiden-agent/node -e 0')
  const help = await once(`${program} --help`)
  await run(`systemctl start ${unit}`)
  const get = await once('/usr/bin/uraiden-agent get shop/reading')
  const status = await once('/usr/bin/uraiden-agent status')
  const restarted = async (name = unit) => {
    await run(`systemctl restart ${name}`)
    return millions(await run(`cat /sys/fs/cgroup/system.slice/${name}/cpu.stat`))
  }
  const ready = await restarted()
  await run(`set -eu
umask 077
systemd-creds decrypt --name=agent-key-password ${store}/agent-key-password /run/password
uraiden-agent --config /etc/uraiden/agent.yaml key seal --password-file /run/password
rm /run/password`)
  const readySealed = await restarted()
  const readyKept = await restarted()
  await run(emptyUnit)
  await restarted('empty.service')
  const sandbox = await restarted('empty.service')
  await life.powerOff()
  return { bareNode, help, get, status, ready, readySealed, readyKept, sandbox }
}

const emptyUnit = `set -eu
sed -e 's|^ExecStart=.*|ExecStart=/bin/sleep infinity|' -e 's|^Type=.*|Type=exec|' \\
  -e '/^ExecReload=/d' -e '/^WatchdogSec=/d' /usr/lib/systemd/system/${unit} > /run/systemd/system/empty.service
systemctl daemon-reload`
