// The files of a boot partition, run where systemd, dpkg and the agent are real.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { givenFleet, runProvision } from '../support/provision.ts'

test('firstrun.sh and the service it leaves set up user, host name and agent; SSH finds nothing to do', async (t) => {
  const { folder, write, json, container, login } = await givenFleet(t, ['porch'])
  const { inside, place } = container('porch')
  const sshKeys = [(await readFile(`${login.identity}.pub`, 'utf8')).trim()]
  await write({ firstBoot: { user: 'pi', sshKeys, timeZone: 'Europe/Berlin' } })
  const made = await runProvision(
    folder,
    ...[
      'first-boot',
      'porch',
      '--into',
      'boot',
      '--flavour',
      'firstrun',
      '--architecture',
      'amd64',
    ],
  )
  t.is(made.code, 0, made.stderr)
  await cp(join(folder, 'boot'), place('boot/firmware'), { recursive: true })

  await inside(
    'echo "x systemd.run=/y" >/boot/firmware/cmdline.txt; bash /boot/firmware/firstrun.sh',
  )
  t.is(
    await inside('cat /etc/hostname /etc/timezone /boot/firmware/cmdline.txt'),
    'porch\nEurope/Berlin\nx\n',
  )
  t.is(
    await inside(
      'stat -c "%a %U" /home/pi/.ssh/authorized_keys; cat /home/pi/.ssh/authorized_keys',
    ),
    `600 pi\n${sshKeys[0]}\n`,
  )
  t.is(await inside('ls /boot/firmware/firstrun.sh 2>/dev/null || true'), '')

  await inside('systemctl start uraiden-first-boot')
  const { address } = JSON.parse(await inside('cat /boot/firmware/uraiden/address.json'))
  t.is(await inside('systemctl is-active uraiden-agent'), 'active\n')
  // It is not run again; by hand it changes nothing.
  await inside('systemctl start uraiden-first-boot; sh /boot/firmware/uraiden/setup.sh')
  t.is(JSON.parse(await inside('cat /boot/firmware/uraiden/address.json')).address, address)

  const applied = await json('apply', '--accept-new')
  t.is(applied.code, 0, applied.stdout)
  t.like(applied.said.hosts[0], { address, steps: [], registered: true })
})
