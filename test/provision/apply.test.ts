// Provisioning over SSH, against containers in which the real service runs under a real systemd.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { freePort } from '../lab/processes/free-port.ts'
import { givenFleet } from '../support/provision.ts'

interface Outcome {
  readonly host: string
  readonly ok: boolean
  readonly error?: string
  readonly address?: string
  readonly registered?: boolean
  readonly steps?: readonly { readonly kind: string }[]
}

function byHost(said: { readonly hosts: readonly Outcome[] }) {
  return Object.fromEntries(said.hosts.map((outcome) => [outcome.host, outcome]))
}

const kinds = (outcome: Outcome | undefined) => outcome?.steps?.map(({ kind }) => kind)

test('fresh, repeated, changed; one away and one with a wrong password stop nobody', async (t) => {
  const fleet = await givenFleet(t, ['attic', 'cellar', 'kitchen'])
  const { folder, json, inventory, write, container } = fleet
  const names = ['attic', 'cellar', 'kitchen']

  // Given hosts whose keys nobody has confirmed, strict checking lets nothing happen.
  const strict = await json('apply')
  t.is(strict.code, 1)
  for (const name of names) t.is(byHost(strict.said)[name]?.error, 'ssh_host_key')

  // Given one that is away, one with a wrong password, one with the right one.
  await writeFile(join(folder, 'wrong'), 'blackberry\n', { mode: 0o600 })
  await writeFile(join(folder, 'right'), 'raspberry\n', { mode: 0o600 })
  const { kitchen: _, ...others } = inventory.hosts
  const port = container('kitchen').port
  const hosts = {
    ...others,
    kitchen: { address: '127.0.0.1', ssh: { port, passwordFile: 'right' } },
    away: { address: '127.0.0.1', ssh: { port: await freePort() } },
    locked: { address: '127.0.0.1', ssh: { port, passwordFile: 'wrong' } },
  }
  await write({ hosts })

  const dry = await json('apply', '--accept-new', '--dry-run')
  t.is(dry.code, 1)
  const plan = ['install', 'password', 'key', 'config', 'start']
  for (const name of names) t.deepEqual(kinds(byHost(dry.said)[name]), plan, name)
  t.is((await container('attic').inside('dpkg-query -W uraiden-agent || true')).trim(), '')

  // When they are set up.
  const fresh = await json('apply')
  t.is(fresh.code, 1)
  const first = byHost(fresh.said)
  t.is(first.away?.error, 'ssh_unreachable')
  t.is(first.locked?.error, 'ssh_denied')
  for (const name of names) {
    t.like(first[name], { ok: true, registered: true }, JSON.stringify(first[name]))
    t.deepEqual(kinds(first[name]), plan, name)
  }
  t.false(`${fresh.stdout}${fresh.stderr}`.includes('berry'))

  // Then each has a key of its own, a password that systemd keeps, and a service that runs.
  const addresses = names.map((name) => first[name]?.address)
  t.is(new Set(addresses).size, 3)
  for (const name of names) {
    const state = await container(name).inside(
      `systemctl is-active uraiden-agent; systemctl is-enabled uraiden-agent
       stat -c '%a %U' /var/lib/uraiden-agent/key.json /etc/uraiden/agent.yaml
       ls /etc/credstore.encrypted /var/lib/uraiden-agent/password 2>/dev/null || true`,
    )
    t.is(
      state,
      'active\nenabled\n600 uraiden-agent\n640 root\n/etc/credstore.encrypted:\nagent-key-password\n',
    )
  }
  const listed = JSON.parse(await readFile(join(folder, 'fleet.accounts.json'), 'utf8'))
  t.deepEqual(
    listed.map(({ address }: { address: string }) => address).sort(),
    [...addresses].sort(),
  )

  // When it is repeated, nothing is changed, and nothing restarted.
  const started = 'systemctl show -p ActiveEnterTimestampMonotonic uraiden-agent'
  const before = await container('attic').inside(started)
  const again = byHost((await json('apply')).said)
  for (const name of names) t.like(again[name], { ok: true, steps: [], registered: false }, name)
  t.is(await container('attic').inside(started), before)

  // When one budget changes, that one's configuration is read again, and nothing else happens.
  const cellar = { ...others.cellar, budget: { total: '900 units' } }
  await write({ hosts: { ...others, cellar } })
  const changed = byHost((await json('apply')).said)
  t.deepEqual(kinds(changed.attic), [])
  t.deepEqual(kinds(changed.cellar), ['config', 'reload'])
  const status = byHost((await json('status', 'cellar')).said) as Record<string, object>
  t.like(status.cellar, { version: '1.0.0', problems: [], left: ['0.0000000000000009 TKN total'] })

  // When the template is wrong, no host is touched, and the message has line and key.
  const template = await readFile(join(folder, 'agent.yaml'), 'utf8')
  await writeFile(
    join(folder, 'agent.yaml'),
    `${template}budgets: {}
`,
  )
  const wrong = byHost((await json('apply')).said) as Record<string, { message?: string }>
  t.regex(wrong.attic?.message ?? '', /agent\.yaml of attic:\d+ budgets: there is no such setting/)
  t.regex(await container('attic').inside('cat /etc/uraiden/agent.yaml'), /shop/)
})

test('a key is brought along; an older package is refused; a killed run is taken up', async (t) => {
  const fleet = await givenFleet(t, ['shed'])
  const { folder, json, inventory, write, container, system } = fleet
  const { senderAccount } = system
  await writeFile(join(folder, 'old-key'), senderAccount.privateKey, { mode: 0o600 })
  const shed = { ...inventory.hosts.shed, importKey: { file: 'old-key' } }
  await write({ hosts: { shed } })

  // Given a run that was killed after the password was made.
  const half = await json('apply', '--accept-new', '--dry-run')
  t.is(half.code, 0, half.stderr)
  await container('shed').inside(
    `mkdir -p -m 700 /etc/credstore.encrypted
     echo half-way | systemd-creds encrypt --name=agent-key-password - /etc/credstore.encrypted/agent-key-password`,
  )
  const done = await json('apply')
  t.is(done.code, 0, done.stdout + done.stderr)
  const outcome = byHost(done.said).shed
  t.is(outcome?.address, senderAccount.address)
  t.deepEqual(kinds(outcome), ['install', 'key', 'config', 'start'])
  t.is(await container('shed').inside('ls -d /run/uraiden-import.* 2>/dev/null || true'), '')

  await container('shed').inside(
    'sed -i "s/^Version: 1.0.0/Version: 2.0.0/" /var/lib/dpkg/status && dpkg-query -W uraiden-agent',
  )
  const older = await json('apply')
  t.is(byHost(older.said).shed?.error, 'package_older')
})
