// A Raspberry Pi Zero 2, as far as qemu can be one: its processor and its memory. It has two networks: the
// LAN ends at this machine's loopback, and the other one is only for ssh from here.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Disk {
  /** A raw image, or an address that qemu's block layer understands. */
  readonly file: string
  /** `unsafe` writes nothing through, for images that are thrown away when it goes wrong. */
  readonly cache: 'writeback' | 'unsafe'
}

export interface MachineOptions {
  readonly kernel: string
  readonly initrd: string
  /** /dev/vda. */
  readonly disk: Disk
  /** /dev/vdb. */
  readonly second?: Disk
  /** File for what the kernel and systemd say. */
  readonly console: string
  /** Megabytes. */
  readonly memory?: number
  /** The first process; systemd when not given. */
  readonly start?: string
  /** Port on 127.0.0.1 that leads to the guest's ssh. */
  readonly sshPort?: number
  /** While it waits for a time nothing passes but its clock: hours without work are over in seconds. */
  readonly skipIdle?: boolean
}

export interface Machine {
  /** Pulls the plug: what the guest has not written is gone. */
  readonly cut: () => Promise<void>
  /** Resolves when it is off, for whatever reason. */
  readonly ended: Promise<void>
}

/** Addresses of the guest's two network devices. */
export const macs = { lan: '52:54:00:00:00:02', control: '52:54:00:00:00:03' }

/** Nobody logs in at a screen; each costs an emulated machine seconds of its start. */
const unneeded = [
  ...['systemd-logind.service', 'getty@tty1.service', 'serial-getty@ttyAMA0.service'],
  ...['e2scrub_reap.service', 'systemd-update-utmp.service', 'proc-sys-fs-binfmt_misc.automount'],
]

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const child = spawn('qemu-system-aarch64', argumentsOf(options), {
    stdio: ['ignore', 'ignore', 'inherit'],
    // Ctrl-C is for this program, which ends the machine.
    detached: true,
  })
  const leave = () => child.kill('SIGKILL')
  process.once('exit', leave)
  const ended = once(child, 'exit').then(() => {
    process.removeListener('exit', leave)
  })
  await once(child, 'spawn')
  return {
    ended,
    cut: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function argumentsOf(options: MachineOptions): readonly string[] {
  const { kernel, initrd, disk, second, console, memory = 512, start, sshPort } = options
  const words = start ? [`start=${start}`] : unneeded.map((unit) => `systemd.mask=${unit}`)
  const command = ['console=ttyAMA0', 'panic=-1', 'quiet', ...words]
  const ssh = sshPort === undefined ? '' : `,hostfwd=tcp:127.0.0.1:${sshPort}-:22`
  const device = (name: 'lan' | 'control') => `virtio-net-device,netdev=${name},mac=${macs[name]}`
  const block = (id: string, { cache, file }: Disk) => [
    ...['-drive', `if=none,id=${id},format=raw,cache=${cache},file=${file}`],
    ...['-device', `virtio-blk-device,drive=${id}`],
  ]
  return [
    ...['-machine', 'virt', '-cpu', 'cortex-a53', '-smp', '1', '-m', `${memory}`],
    // A nanosecond for each instruction, about a Zero 2's pace: on a busy host the machine is slow, but by
    // its own clock nothing is late, and its accounting of processor time counts instructions.
    ...['-icount', `shift=0,sleep=${options.skipIdle ? 'off' : 'on'}`],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-serial', `file:${console}`],
    ...['-kernel', kernel, '-initrd', initrd, '-append', command.join(' ')],
    // The kernel meets the last one first.
    ...[...(second ? block('second', second) : []), ...block('card', disk)],
    ...['-device', 'virtio-rng-device'],
    ...['-netdev', 'user,id=lan,ipv6=off', '-device', device('lan')],
    // The guest reaches nothing through this one.
    ...['-netdev', `user,id=control,net=10.0.3.0/24,restrict=on,ipv6=off${ssh}`],
    ...['-device', device('control')],
  ]
}
