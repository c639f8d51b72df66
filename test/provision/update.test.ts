// Updates of a fleet: one host first, and back where the new version does not come up.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { givenFleet, repackage } from '../support/provision.ts'

interface Outcome {
  readonly host: string
  readonly ok: boolean
  readonly error?: string
  readonly message?: string
}

test('a good version reaches all; a bad one is taken back on the first and reaches no other', async (t) => {
  const names = ['attic', 'cellar', 'kitchen']
  const { folder, json, container } = await givenFleet(t, names)
  t.is((await json('apply', '--accept-new')).code, 0)
  const key = 'sha256sum /var/lib/uraiden-agent/key.json'
  const before = await container('cellar').inside(key)
  const state = `dpkg-query -W -f '\${Version}' uraiden-agent; echo; systemctl is-active uraiden-agent; ls /var/lib/uraiden-provision`

  await repackage(folder, '1.1.0')
  const good = await json('update', '--to', '1.1.0', '--canary', 'cellar')
  t.is(good.code, 0, good.stdout + good.stderr)
  t.is(good.said.hosts[0].host, 'cellar')
  const kept = 'uraiden-agent_1.0.0_amd64.deb\nuraiden-agent_1.1.0_amd64.deb\n'
  for (const name of names) {
    t.is(await container(name).inside(state), `1.1.0\nactive\n${kept}`, name)
  }

  // It installs, and its daemon ends at once.
  const launcher = `#!/bin/sh
case "$*" in *' run') echo 'no such instruction' >&2; exit 1 ;; esac
exec /usr/lib/uraiden-agent/node /usr/lib/uraiden-agent/uraiden-agent.cjs "$@"
`
  await repackage(folder, '1.2.0', { launcher })
  const bad = await json('update', '--to', '1.2.0', '--canary', 'cellar', '--wait', '10')
  t.is(bad.code, 1)
  const outcomes: readonly Outcome[] = bad.said.hosts
  t.deepEqual(
    outcomes.map(({ host, error }) => [host, error]),
    [
      ['cellar', 'update_rolled_back'],
      ['attic', 'update_left_alone'],
      ['kitchen', 'update_left_alone'],
    ],
    bad.stdout,
  )
  for (const name of names) t.regex(await container(name).inside(state), /^1\.1\.0\nactive\n/, name)
  t.is(await container('cellar').inside(key), before)

  // A person takes the good one back, too: the packages are on the hosts, key and ledger stay.
  await rm(join(folder, 'packages'), { recursive: true })
  const back = await json('rollback')
  t.is(back.code, 0, back.stdout + back.stderr)
  for (const name of names) t.regex(await container(name).inside(state), /^1\.0\.0\nactive\n/, name)
  t.is(await container('cellar').inside(key), before)
  const none = await json('rollback', 'attic')
  t.is(none.said.hosts[0].error, 'former_package_missing')
  t.deepEqual(none.said.reasons[0].hosts, ['attic'])

  const logs = await json('logs', '--lines', '5', '--since', '1 hour ago')
  t.is(logs.code, 0, logs.stdout + logs.stderr)
  for (const { host, lines } of logs.said.hosts) {
    t.true(lines.length > 0 && lines.length <= 5, host)
    for (const line of lines) t.regex(line, /^\d{4}-\d\d-\d\dT\S+ /)
  }
})
