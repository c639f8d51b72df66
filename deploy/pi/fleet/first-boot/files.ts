// Files for the boot partition of a fresh card. Pure: what is in them, by name.
import { stringify } from 'yaml'
import type { FirstBootSettings } from '../hosts/first-boot-schema.ts'
import type { Package } from '../hosts/packages.ts'
import { quoted } from '../hosts/ssh.ts'

export interface FirstBoot {
  readonly host: string
  readonly settings: FirstBootSettings
  /** 64 hex digits, see `wpaKey`; undefined without Wi-Fi. */
  readonly wifiKey: string | undefined
  readonly file: Package
  /** Of the package. */
  readonly sha256: string
}

export interface TextFile {
  readonly name: string
  readonly text: string
}

/** Where Raspberry Pi OS has the boot partition since Bookworm. */
const boot = '/boot/firmware'
const ours = `${boot}/uraiden`

/**
 * Sets up the agent with the same steps as over SSH. It can be run again: what is done stays, and a
 * start without network only means that it is tried at the next one. In the end it removes what has
 * keys in it: whoever has an account on the Pi can read the boot partition.
 */
function setupScript({ file, sha256 }: FirstBoot): string {
  return `#!/bin/sh
# Sets up uraiden-agent at the first start. Its account is in address.json afterwards.
set -eu
cd ${ours}
[ ! -e address.json ] || exit 0
host() { sh ./host.sh "$@"; }
facts=$(host facts)
if ! echo "$facts" | grep -qx ${quoted(`version ${file.version}`)}; then
  host receive ${file.name} ${sha256} <${file.name}
  host install ${file.name} ${file.version}
fi
store=file
if echo "$facts" | grep -qx -e 'credential yes'; then store=credential
elif echo "$facts" | grep -qx -e 'password yes'; then store=file
elif echo "$facts" | grep -qx -e 'credentials yes'; then store=credential
fi
host password $store
host key-new
host config <agent.$store.yaml
host start
host agent --json key address >address.new
rm -f agent.credential.yaml agent.file.yaml ../network-config
mv address.new address.json
sync
`
}

/** For Raspberry Pi OS Trixie and whatever else runs cloud-init. */
export function cloudInitFiles(first: FirstBoot): readonly TextFile[] {
  const { host, settings, wifiKey } = first
  const { user, sshKeys, timeZone, keyboard, wifi } = settings
  const userData = {
    hostname: host,
    manage_etc_hosts: true,
    timezone: timeZone,
    keyboard: { model: 'pc105', layout: keyboard },
    users: [
      {
        name: user,
        groups: 'users,adm,dialout,sudo,audio,video,plugdev,netdev,gpio,i2c,spi',
        shell: '/bin/bash',
        lock_passwd: true,
        sudo: 'ALL=(ALL) NOPASSWD:ALL',
        ssh_authorized_keys: sshKeys,
      },
    ],
    ssh_pwauth: false,
    runcmd: [
      ['systemctl', 'enable', '--now', 'ssh'],
      ...(wifi === undefined ? [] : [['sh', '-c', 'rfkill unblock wifi || true']]),
      ['sh', `${ours}/setup.sh`],
    ],
  }
  const network = {
    network: {
      version: 2,
      ethernets: { eth0: { dhcp4: true, optional: true } },
      wifis: wifi && {
        wlan0: {
          'regulatory-domain': wifi.country,
          dhcp4: true,
          optional: true,
          'access-points': { [wifi.ssid]: { password: wifiKey } },
        },
      },
    },
  }
  return [
    { name: 'user-data', text: `#cloud-config\n${yaml(userData)}` },
    { name: 'network-config', text: yaml(network) },
    {
      name: 'meta-data',
      text: yaml({ 'instance-id': `uraiden-${host}-${first.sha256.slice(0, 8)}` }),
    },
    { name: 'uraiden/setup.sh', text: setupScript(first) },
  ]
}

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 })
}

/** What the kernel’s command line needs for firstrun.sh, as Raspberry Pi Imager writes it. */
export const firstRunCommandLine = [
  `systemd.run=${boot}/firstrun.sh`,
  'systemd.run_success_action=reboot',
  'systemd.unit=kernel-command-line.target',
].join(' ')

/** For Raspberry Pi OS Bookworm. It runs before there is a network; the agent's part waits for that. */
export function firstRunFiles(first: FirstBoot): readonly TextFile[] {
  return [
    { name: 'firstrun.sh', text: firstRunScript(first) },
    { name: 'uraiden/setup.sh', text: setupScript(first) },
  ]
}

function firstRunScript({ host, settings, wifiKey }: FirstBoot): string {
  const { user, sshKeys, timeZone, keyboard, wifi } = settings
  return `#!/bin/bash
# Written by deploy/pi/provision for ${host}. Run once by systemd, then the Pi starts again.
set +e
custom=/usr/lib/raspberrypi-sys-mods/imager_custom
before=$(tr -d ' \\t\\n\\r' </etc/hostname)
if [ -f "$custom" ]; then
  "$custom" set_hostname ${host}
else
  echo ${host} >/etc/hostname
  sed -i "s/127.0.1.1.*$before/127.0.1.1\\t${host}/" /etc/hosts
fi
first=$(getent passwd 1000 | cut -d: -f1)
if [ -z "$first" ]; then
  useradd --create-home --shell /bin/bash --uid 1000 ${user}
elif [ "$first" != ${user} ]; then
  usermod -l ${user} -d /home/${user} -m "$first"
  groupmod -n ${user} "$first" 2>/dev/null
fi
usermod -aG sudo ${user}
passwd --lock ${user} >/dev/null
echo '${user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/010_uraiden
chmod 440 /etc/sudoers.d/010_uraiden
install -d -m 700 -o ${user} -g ${user} /home/${user}/.ssh
cat >/home/${user}/.ssh/authorized_keys <<'KEYS'
${sshKeys.join('\n')}
KEYS
chown ${user}:${user} /home/${user}/.ssh/authorized_keys
chmod 600 /home/${user}/.ssh/authorized_keys
echo 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/uraiden.conf
systemctl enable ssh
ln -sf /usr/share/zoneinfo/${timeZone} /etc/localtime
echo ${timeZone} >/etc/timezone
sed -i 's/^XKBLAYOUT=.*/XKBLAYOUT="${keyboard}"/' /etc/default/keyboard
${wifi === undefined ? '' : wifiLines(wifi, wifiKey ?? '')}cat >/etc/systemd/system/uraiden-first-boot.service <<'UNIT'
[Unit]
Description=Set up uraiden-agent
Wants=network-online.target
After=network-online.target
ConditionPathExists=!${ours}/address.json

[Service]
Type=oneshot
ExecStart=/bin/sh ${ours}/setup.sh

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable uraiden-first-boot.service
rm -f ${boot}/firstrun.sh
sed -i 's| systemd.run=.*||' ${boot}/cmdline.txt
exit 0
`
}

/** NetworkManager is what Bookworm has. */
function wifiLines(wifi: NonNullable<FirstBootSettings['wifi']>, key: string): string {
  return `rfkill unblock wifi
raspi-config nonint do_wifi_country ${wifi.country}
cat >/etc/NetworkManager/system-connections/uraiden-wifi.nmconnection <<'WIFI'
[connection]
id=uraiden-wifi
type=wifi

[wifi]
mode=infrastructure
ssid=${[...Buffer.from(wifi.ssid)].join(';')};

[wifi-security]
key-mgmt=wpa-psk
psk=${key}

[ipv4]
method=auto

[ipv6]
method=auto
WIFI
chmod 600 /etc/NetworkManager/system-connections/uraiden-wifi.nmconnection
`
}
