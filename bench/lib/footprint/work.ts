// How much the processor has to do until the daemon is ready, in instructions: the emulated machine's
// clock advances a nanosecond with each, so that its own accounting of processor time counts them, and counts
// the same on another host within a few per cent.
import type { Pi } from '../../../test/lab/pi-system/pi.ts'

export interface WorkFigures {
  /** Millions of instructions, user and kernel. */
  readonly bareNode: number
  readonly help: number
  /** The daemon, with its encrypted key. */
  readonly ready: number
  /** The same with a key that systemd has sealed, when the configuration is read. */
  readonly readySealed: number
  /** And at the starts after that, with what was read kept. */
  readonly readyKept: number
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
  const restarted = async () => {
    await run(`systemctl restart ${unit}`)
    return millions(await run(`cat /sys/fs/cgroup/system.slice/${unit}/cpu.stat`))
  }
  const ready = await restarted()
  await run(`set -eu
umask 077
systemd-creds decrypt --name=agent-key-password ${store}/agent-key-password /run/password
uraiden-agent --config /etc/uraiden/agent.yaml key seal --password-file /run/password
rm /run/password`)
  const readySealed = await restarted()
  const readyKept = await restarted()
  await life.powerOff()
  return { bareNode, help, ready, readySealed, readyKept }
}
