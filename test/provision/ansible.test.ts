// The Ansible role, against a container in which the real service runs under a real systemd.
import { execFile } from 'node:child_process'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { version } from '../../platform/system/version.ts'
import { createLogin, startContainer } from '../support/container.ts'
import { reading, startSystem } from '../support/system.ts'

const run = promisify(execFile)
const roles = fileURLToPath(new URL('../../deploy/ansible', import.meta.url))
const name = `uraiden-agent_${version}_amd64.deb`
const built = fileURLToPath(new URL(`../../.cache/provision/packages/${name}`, import.meta.url))

/** Of `changed=` and the like in the recap, for the only host. */
function countsOf(said: string): Readonly<Record<string, number>> {
  const [, line = ''] = /^kitchen +: (.*)$/m.exec(said) ?? []
  return Object.fromEntries(
    [...line.matchAll(/(\w+)=(\d+)/g)].map(([, key = '', count]) => [key, Number(count)]),
  )
}

test('the role installs, makes a key once, configures and starts; a repetition changes nothing', async (t) => {
  const { chain, contract, base, receiverAccount } = await startSystem(t, [reading()])
  const login = await createLogin(t)
  const { folder } = login
  const { port, inside } = await startContainer(t, 'kitchen', login)
  await cp(built, join(folder, name))
  const settings = (total: string, more: object = {}) => ({
    rpc: chain.rpcUrl,
    contract,
    budget: { request: '10 units', total },
    receivers: { shop: { url: base, address: receiverAccount.address } },
    ...more,
  })
  const play = async (config: object, ...args: readonly string[]) => {
    const vars = { uraiden_agent_package: join(folder, name), uraiden_agent_config: config }
    const plays = [{ hosts: 'all', become: true, roles: [{ role: 'uraiden_agent', vars }] }]
    await writeFile(join(folder, 'playbook.json'), JSON.stringify(plays))
    const host = `kitchen ansible_host=127.0.0.1 ansible_port=${port} ansible_user=pi ansible_python_interpreter=/usr/bin/python3`
    await writeFile(join(folder, 'hosts.ini'), `${host}\n`)
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      LC_ALL: 'C.UTF-8',
      ANSIBLE_ROLES_PATH: roles,
      ANSIBLE_HOST_KEY_CHECKING: 'False',
      ANSIBLE_PRIVATE_KEY_FILE: login.identity,
    }
    const playbook = ['-i', join(folder, 'hosts.ini'), join(folder, 'playbook.json'), ...args]
    return run('ansible-playbook', playbook, { env, cwd: folder }).then(
      ({ stdout }) => ({ ok: true, stdout }),
      (error: { readonly stdout: string }) => ({ ok: false, stdout: error.stdout }),
    )
  }

  const dry = await play(settings('1000 units'), '--check')
  t.true(dry.ok, dry.stdout)
  t.is((await inside('dpkg-query -W uraiden-agent 2>/dev/null || true')).trim(), '')

  const fresh = await play(settings('1000 units'))
  t.true(fresh.ok, fresh.stdout)
  t.regex(fresh.stdout, /account 0x[0-9a-fA-F]{40}/)
  t.is(
    await inside(`systemctl is-active uraiden-agent; systemctl is-enabled uraiden-agent
      stat -c '%a %U' /var/lib/uraiden-agent/key.json /etc/uraiden/agent.yaml
      ls /etc/credstore.encrypted /var/lib/uraiden-agent/password 2>/dev/null || true`),
    'active\nenabled\n600 uraiden-agent\n640 root\n/etc/credstore.encrypted:\nagent-key-password\n',
  )

  const again = await play(settings('1000 units'))
  t.like(countsOf(again.stdout), { changed: 0, failed: 0 }, again.stdout)
  t.is(again.stdout.match(/account 0x\w+/)?.[0], fresh.stdout.match(/account 0x\w+/)?.[0])

  const changed = await play(settings('900 units'))
  // The file, and the handler that has the service read it.
  t.like(countsOf(changed.stdout), { changed: 2, failed: 0 }, changed.stdout)
  t.regex(await inside('cat /etc/uraiden/agent.yaml'), /total: 900 units/)

  const bad = await play(settings('800 units', { budgets: {} }))
  t.false(bad.ok)
  t.regex(await inside('cat /etc/uraiden/agent.yaml'), /total: 900 units/)
  t.is((await inside('systemctl is-active uraiden-agent')).trim(), 'active')
})
