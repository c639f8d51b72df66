// The files for a fresh card, by what the programs that read them make of them.
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { parse, stringify } from 'yaml'
import { loadAgentConfig } from '../../../../agent/program/configuration/config.ts'
import { firstBoot } from '../../../../deploy/pi/fleet/commands/first-boot.ts'
import { wpaKey } from '../../../../deploy/pi/fleet/first-boot/wifi.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const sshKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBcdefghijklmnopqrstuvwxyz me@pc'

async function given(t: ExecutionContext, change: object = {}, hostChange: object = {}) {
  const folder = await temporaryFolder(t)
  const inventory = {
    chain: {
      rpc: 'http://10.0.0.1:8545',
      contract: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
    },
    template: 'agent.yaml',
    packages: '.',
    firstBoot: {
      user: 'me',
      sshKeys: [sshKey],
      timeZone: 'Europe/Berlin',
      keyboard: 'de',
      wifi: { ssid: 'IEEE', passwordFile: 'wifi', country: 'DE' },
    },
    hosts: { kitchen: { address: 'kitchen.local', ...hostChange } },
    ...change,
  }
  await writeFile(join(folder, 'fleet.yaml'), stringify(inventory))
  await writeFile(join(folder, 'agent.yaml'), `rpc: \${rpc}\ncontract: \${contract}\n`)
  await writeFile(join(folder, 'uraiden-agent_1.0.0_arm64.deb'), 'a package')
  await writeFile(join(folder, 'wifi'), 'password\n', { mode: 0o600 })
  const into = join(folder, 'boot')
  const make = (flavour: 'cloud-init' | 'firstrun') =>
    firstBoot('kitchen', {
      inventory: join(folder, 'fleet.yaml'),
      into,
      flavour,
      architecture: 'arm64',
    })
  return { folder, into, make, read: (name: string) => readFile(join(into, name), 'utf8') }
}

const common = [
  'agent.credential.yaml',
  'agent.file.yaml',
  'host.sh',
  'setup.sh',
  'uraiden-agent_1.0.0_arm64.deb',
]

test('cloud-init: user with a key and no password, Wi-Fi without its password, the agent', async (t) => {
  const { into, make, read } = await given(t)
  await make('cloud-init')
  t.deepEqual((await readdir(into)).sort(), ['meta-data', 'network-config', 'uraiden', 'user-data'])
  t.deepEqual((await readdir(join(into, 'uraiden'))).sort(), common)
  const text = await read('user-data')
  t.true(text.startsWith('#cloud-config\n'))
  const data = parse(text)
  t.like(data, { hostname: 'kitchen', timezone: 'Europe/Berlin', ssh_pwauth: false })
  t.like(data.users[0], { name: 'me', lock_passwd: true, ssh_authorized_keys: [sshKey] })
  t.deepEqual(data.runcmd.at(-1), ['sh', '/boot/firmware/uraiden/setup.sh'])
  const { wlan0 } = parse(await read('network-config')).network.wifis
  t.is(wlan0['regulatory-domain'], 'DE')
  t.is(wlan0['access-points'].IEEE.password, wpaKey('IEEE', 'password'))
})

test('firstrun: a script that is valid, and the card’s kernel command line runs it once', async (t) => {
  const { into, make, read } = await given(t)
  await make('cloud-init')
  await writeFile(join(into, 'cmdline.txt'), 'console=tty1 root=PARTUUID=1-02 rootwait\n')
  await make('firstrun')
  await make('firstrun')
  const line = await read('cmdline.txt')
  t.regex(
    line,
    /^console=tty1 root=PARTUUID=1-02 rootwait systemd\.run=\/boot\/firmware\/firstrun\.sh [^\n]+\n$/,
  )
  t.is(line.split('systemd.run=').length, 2)
  const { stdout } = await promisify(execFile)('sed', [
    's| systemd.run=.*||',
    join(into, 'cmdline.txt'),
  ])
  t.is(stdout, 'console=tty1 root=PARTUUID=1-02 rootwait\n')
  for (const name of ['firstrun.sh', 'uraiden/setup.sh', 'uraiden/host.sh']) {
    await promisify(execFile)('bash', ['-n', join(into, name)])
  }
})

test('the configurations on the card are right, and no secret but the network’s key is there', async (t) => {
  const { into, make, read } = await given(t)
  await make('firstrun')
  for (const store of ['credential', 'file']) {
    const config = await loadAgentConfig(join(into, 'uraiden', `agent.${store}.yaml`), {})
    t.is(config.password, store === 'file' ? '/var/lib/uraiden-agent/password' : undefined)
  }
  t.notRegex(await read('firstrun.sh'), /psk=password/)
})

test('setup.sh leaves nothing with a key on the boot partition, once it is done; before, all is there', async (t) => {
  const { into, make } = await given(t)
  await make('cloud-init')
  const here = join(into, 'uraiden')
  const script = join(here, 'setup.sh')
  const text = await readFile(script, 'utf8')
  await writeFile(script, text.replace('/boot/firmware/uraiden', here))
  // It is what host.sh does that may fail: here it does nothing, and at first not even that.
  await writeFile(join(here, 'host.sh'), '[ "$1" != start ]\n')
  const run = () => promisify(execFile)('sh', [script])
  await t.throwsAsync(run())
  t.deepEqual((await readdir(here)).sort(), common)
  await writeFile(join(here, 'host.sh'), 'if [ "$1" = config ]; then grep -q rpc; fi\n')
  await run()
  t.deepEqual((await readdir(here)).sort(), [
    'address.json',
    'host.sh',
    'setup.sh',
    'uraiden-agent_1.0.0_arm64.deb',
  ])
  t.deepEqual((await readdir(into)).sort(), ['meta-data', 'uraiden', 'user-data'])
  // By hand, again.
  await run()
})

test('a key of one’s own is not put where anybody with the card can read it', async (t) => {
  const { make } = await given(t, {}, { importKey: { file: 'key' } })
  await t.throwsAsync(make('cloud-init'), { code: 'first_boot_key' })
})

test('without firstBoot in the inventory the error says what to add', async (t) => {
  const { make } = await given(t, { firstBoot: undefined })
  await t.throwsAsync(make('cloud-init'), { code: 'config_invalid', message: /no firstBoot/ })
})

test('the key of a network: the vectors of IEEE 802.11i, annex H.4.2; lengths', (t) => {
  const vector = 'f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e'
  t.is(wpaKey('IEEE', 'password'), vector)
  t.is(
    wpaKey('ThisIsASSID', 'ThisIsAPassword'),
    '0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af',
  )
  t.is(wpaKey('x', vector.toUpperCase()), vector)
  t.is(wpaKey('x', 'a'.repeat(8)).length, 64)
  t.is(wpaKey('x', 'a'.repeat(63)).length, 64)
  for (const wrong of ['a'.repeat(7), 'g'.repeat(64), 'pässwort1']) {
    t.throws(() => wpaKey('x', wrong), { code: 'wifi_password_invalid' }, wrong)
  }
})
