// What the document shows is read by the program as it stands.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parse, stringify } from 'yaml'
import { loadInventory } from '../../../../deploy/pi/fleet/hosts/inventory.ts'
import { renderConfig } from '../../../../deploy/pi/fleet/hosts/template.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const document = await readFile('docs/guides/provisioning.md', 'utf8')
const blocks = [...document.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text)

test('inventory, template, funding and first boot of the document', async (t) => {
  const [inventory = '', template = '', funding = '', firstBoot = '', ...more] = blocks
  t.deepEqual(more, [])
  const folder = await temporaryFolder(t)
  const file = join(folder, 'fleet.yaml')
  await writeFile(file, inventory)
  const { hosts } = await loadInventory(file)
  const rendered = hosts.map((host) =>
    renderConfig({ file: 'agent.yaml', text: template }, host, 'credential'),
  )
  t.regex(rendered[0] ?? '', /every: '?\*\/5 \* \* \* \*'?\n/)
  t.regex(rendered[1] ?? '', /every: '?0 \* \* \* \*'?\n/)
  t.regex(rendered[1] ?? '', /day: 0\.2 TKN\n {2}total: 50 TKN\n/)

  const whole = { ...parse(inventory), ...parse(funding), ...parse(firstBoot) }
  await writeFile(file, stringify(whole))
  const { funding: read, firstBoot: card } = await loadInventory(file)
  t.is(read?.most.etherAll, '0.5 ETH')
  t.is(card?.wifi?.ssid, 'Home')
})

test('every command of the document is one of the program', async (t) => {
  const program = await readFile('deploy/pi/fleet/provision.ts', 'utf8')
  const used = [...document.matchAll(/deploy\/pi\/provision ([a-z][a-z-]*)/g)].map(
    ([, name]) => name,
  )
  t.true(used.length > 8)
  for (const name of new Set(used)) {
    t.regex(program, new RegExp(`(fleetCommand\\('|command\\('|command\\(\`)${name}\\b`), name)
  }
})
