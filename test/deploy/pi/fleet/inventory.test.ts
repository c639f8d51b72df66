// fleet.yaml: what is merged, and what is refused with line and key.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import test from 'ava'
import { stringify } from 'yaml'
import {
  chosenHosts,
  inventoryJsonSchema,
  loadInventory,
} from '../../../../deploy/pi/fleet/hosts/inventory.ts'
import { singleHost } from '../../../../deploy/pi/fleet/hosts/single-host.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const chain = {
  rpc: 'http://10.0.0.1:8545',
  contract: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
}
const least = { chain, template: 'agent.yaml', hosts: { kitchen: { address: '10.0.0.2' } } }

async function load(t: Parameters<typeof temporaryFolder>[0], text: string) {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'fleet.yaml')
  await writeFile(file, text)
  return { folder, inventory: await loadInventory(file) }
}

test('the least there can be: user pi, port 22, strict host keys, files beside the inventory', async (t) => {
  const { folder, inventory } = await load(t, stringify(least))
  t.is(inventory.template, join(folder, 'agent.yaml'))
  t.is(inventory.packages, join(folder, 'dist-pi'))
  const [host] = inventory.hosts
  t.deepEqual(host?.ssh, { user: 'pi', port: 22, hostKeys: 'strict' })
  t.deepEqual(host?.values, { host: 'kitchen', address: '10.0.0.2', ...chain })
})

test('what a host says wins over what holds for all', async (t) => {
  const { folder, inventory } = await load(
    t,
    stringify({
      ...least,
      ssh: { user: 'admin', identity: 'id' },
      budget: { day: '1 TKN', total: '9 TKN' },
      values: { interval: 5, shop: 'a' },
      funding: { key: 'k', tokens: '3 TKN', most: { each: '9 TKN', all: '99 TKN' } },
      hosts: {
        kitchen: {
          address: '10.0.0.2',
          ssh: { port: 2222 },
          budget: { day: '2 TKN' },
          values: { shop: 'b' },
          funding: { tokens: '4 TKN' },
        },
        attic: { address: '10.0.0.3' },
      },
    }),
  )
  const [kitchen, attic] = inventory.hosts
  t.deepEqual(kitchen?.ssh, {
    user: 'admin',
    port: 2222,
    hostKeys: 'strict',
    identity: join(folder, 'id'),
  })
  t.deepEqual(kitchen?.budget, { day: '2 TKN', total: '9 TKN' })
  t.like(kitchen?.values, { interval: 5, shop: 'b' })
  t.deepEqual(kitchen?.funding, { tokens: '4 TKN' })
  t.deepEqual(attic?.funding, { tokens: '3 TKN' })
})

const wrong: readonly (readonly [string, string, RegExp])[] = [
  [
    'a typing error in a name',
    `chain: { rpc: 'http://a', contract: '${chain.contract}' }\ntemplate: a\nhosts:\n  kitchen:\n    adress: 10.0.0.2\n`,
    /fleet\.yaml:5 hosts\.kitchen\.adress: there is no such setting/,
  ],
  [
    'a name that is no host name',
    stringify({ ...least, hosts: { Kitchen_1: { address: 'a' } } }),
    /hosts.*lower-case letters/s,
  ],
  ['no hosts', stringify({ ...least, hosts: {} }), /hosts: .*no host in it/],
  [
    'ether without a cap',
    stringify({
      ...least,
      funding: { key: 'k', ether: '1 ETH', most: { each: '1 TKN', all: '1 TKN' } },
    }),
    /funding\.most.*etherEach/,
  ],
  [
    'a host’s ether without a cap',
    stringify({
      ...least,
      funding: { key: 'k', most: { each: '1 TKN', all: '1 TKN' } },
      hosts: { a: { address: 'a', funding: { ether: '1 ETH' } } },
    }),
    /funding\.most.*etherEach/,
  ],
  [
    'funding without a cap',
    stringify({ ...least, funding: { key: 'k', tokens: '1 TKN' } }),
    /funding\.most: this is missing/,
  ],
  [
    'a comma in an amount',
    stringify({ ...least, budget: { day: '0,5 TKN' } }),
    /fleet\.yaml:\d+ budget\.day: "0,5 TKN" is not an amount/,
  ],
  [
    'a user that would be an option of ssh',
    stringify({ ...least, ssh: { user: '-oProxyCommand=x' } }),
    /ssh\.user: .*not the name of a user/,
  ],
  ['a port over 65535', stringify({ ...least, ssh: { port: 65_536 } }), /ssh\.port/],
  [
    'a host address that would be an option of ssh',
    stringify({ ...least, hosts: { a: { address: '-oProxyCommand=x' } } }),
    /hosts\.a\.address/,
  ],
]

for (const [name, text, message] of wrong) {
  test(`${name} is refused`, async (t) => {
    await t.throwsAsync(load(t, text), { code: 'config_invalid', message })
  })
}

test('the published schema takes what the program takes, and no more', (t) => {
  const validate = new Ajv2020.Ajv2020({ strict: false, validateFormats: false }).compile(
    inventoryJsonSchema(),
  )
  t.true(validate(least), JSON.stringify(validate.errors))
  t.false(validate({ ...least, host: {} }))
})

test('hosts are chosen by name, in the order of the inventory', async (t) => {
  const hosts = { b: { address: 'b' }, a: { address: 'a' }, c: { address: 'c' } }
  const { inventory } = await load(t, stringify({ ...least, hosts }))
  const names = (...chosen: string[]) => chosenHosts(inventory, chosen).map(({ name }) => name)
  t.deepEqual(names(), ['b', 'a', 'c'])
  t.deepEqual(names('c', 'b'), ['b', 'c'])
  t.throws(() => names('a', 'd'), { code: 'host_unknown', message: /d\.$/ })
})

test('one host from the command line', (t) => {
  const options = { rpc: chain.rpc, contract: chain.contract, template: 'agent.yaml' }
  const hostOf = (host: string) => singleHost({ ...options, host }).hosts[0]
  t.like(hostOf('10.0.0.9'), {
    name: '10-0-0-9',
    address: '10.0.0.9',
    ssh: { user: 'pi', port: 22 },
  })
  t.like(hostOf('me@pi.local:2222'), { address: 'pi.local', ssh: { user: 'me', port: 2222 } })
  t.like(hostOf('[fd00::1]:2222'), { address: 'fd00::1', ssh: { port: 2222 } })
  t.throws(() => hostOf('-oProxyCommand=x'), { code: 'usage_host' })
  t.throws(() => singleHost({ host: 'pi' }), { code: 'usage_host', message: /--rpc/ })
})
