// What makes a freshly unpacked Debian the Pi of these tests: written into its image.

import { macs } from './machine.ts'

export interface GuestFile {
  readonly path: string
  readonly text: string
  readonly mode?: number
}

/** What qemu's network is for the guest. No gateway: the way ends at this machine's loopback. */
export const guestNetwork = { host: '10.0.2.2', guest: '10.0.2.15/24' }

export const guestFiles: readonly GuestFile[] = [
  { path: 'etc/hostname', text: 'pi\n' },
  { path: 'etc/hosts', text: '127.0.0.1 localhost pi\n' },
  // As on Raspberry Pi OS.
  { path: 'etc/fstab', text: '/dev/vda / ext4 defaults,noatime 0 1\n' },
  { path: 'etc/systemd/network/lan.network', text: network(macs.lan, guestNetwork.guest, 'yes') },
  // Only for ssh: the machine is not online because of it.
  {
    path: 'etc/systemd/network/control.network',
    text: network(macs.control, '10.0.3.15/24', 'no'),
  },
]

function network(mac: string, address: string, online: 'yes' | 'no'): string {
  return `[Match]
MACAddress=${mac}

[Link]
RequiredForOnline=${online}

[Network]
Address=${address}
IPv6AcceptRA=no
LinkLocalAddressing=no
`
}

/** The last line of a second stage that went well. */
export const secondStageDone = 'second stage: done'

// Timers that would write to the card at their own times: what is measured is the agent.
const idle = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
].join(' ')

/** The machine's first process in its first life. */
export const secondStage = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
mount -o remount,rw /
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
dpkg --configure --force-unsafe-io -a &&
  systemctl enable systemd-networkd.service &&
  systemctl mask ${idle} &&
  rm /second-stage &&
  echo '${secondStageDone}'
sync
mount -o remount,ro /
echo o > /proc/sysrq-trigger
sleep 60
`
