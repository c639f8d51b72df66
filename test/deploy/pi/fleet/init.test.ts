// provision init, as a process: both files, or none.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadInventory } from '../../../../deploy/pi/fleet/hosts/inventory.ts'
import { renderConfig } from '../../../../deploy/pi/fleet/hosts/template.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { runProvision } from '../../../support/provision.ts'

const chain = [
  ...['--rpc', 'http://192.168.1.104:8545'],
  ...['--contract', '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'],
]
const shop = ['--receiver', 'living-room=http://192.168.1.104:5000']
const hosts = ['--host', 'kitchen=192.168.1.21', '--host', 'attic=attic.local']

test('what is said becomes an inventory and a template that apply reads', async (t) => {
  const folder = await temporaryFolder(t)
  const { code, stderr } = await runProvision(
    folder,
    'init',
    ...chain,
    ...hosts,
    ...shop,
    '--day',
    '2',
  )
  t.is(code, 0, stderr)
  const inventory = await loadInventory(join(folder, 'fleet.yaml'))
  t.deepEqual(
    inventory.hosts.map(({ name, address, ssh }) => [name, address, ssh.user]),
    [
      ['kitchen', '192.168.1.21', 'pi'],
      ['attic', 'attic.local', 'pi'],
    ],
  )
  const text = await readFile(inventory.template, 'utf8')
  for (const host of inventory.hosts) {
    const config = renderConfig({ file: 'agent.yaml', text }, host, 'credential')
    t.regex(config, /day: ["']?2["']?\n/)
    t.regex(config, /url: ["']?http:\/\/192\.168\.1\.104:5000/)
  }
})

for (const { what, args, error, before } of [
  { what: 'what nobody said', args: [...chain, ...shop], error: 'answer_missing' },
  {
    what: 'a host without an address',
    args: [...chain, ...shop, '--host', 'x'],
    error: 'usage_named',
  },
  {
    what: 'an address that is none',
    args: [...chain, ...shop, '--host', 'x=-oProxyCommand=id'],
    error: 'config_invalid',
  },
  {
    what: 'a template that is there',
    args: [...chain, ...shop, ...hosts],
    error: 'config_exists',
    before: 'agent.yaml',
  },
]) {
  test(`${what} is refused, and no file is made or changed`, async (t) => {
    const folder = await temporaryFolder(t)
    if (before !== undefined) await writeFile(join(folder, before), 'mine')
    const { code, stdout, stderr } = await runProvision(folder, 'init', ...args, '--json')
    t.not(code, 0)
    t.is(JSON.parse(stdout).error, error, stderr)
    t.deepEqual(await readdir(folder), before === undefined ? [] : [before])
    if (before !== undefined) t.is(await readFile(join(folder, before), 'utf8'), 'mine')
  })
}
