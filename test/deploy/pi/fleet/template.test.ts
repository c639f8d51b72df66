// agent.yaml of one host, from the template.
import test from 'ava'
import type { HostSettings } from '../../../../deploy/pi/fleet/hosts/inventory.ts'
import { renderConfig } from '../../../../deploy/pi/fleet/hosts/template.ts'

const contract = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const host: HostSettings = {
  name: 'kitchen',
  address: '10.0.0.2',
  ssh: { user: 'pi', port: 22, hostKeys: 'strict' },
  budget: { day: '1 TKN' },
  values: {
    rpc: 'http://10.0.0.1:8545',
    contract,
    host: 'kitchen',
    often: 5,
    shop: 'http://10.0.0.1:5000',
  },
  funding: {},
  importKey: undefined,
}
const place = (name: string) => `\${${name}}`
const least = `rpc: ${place('rpc')}\ncontract: ${place('contract')}\n`
const render = (text: string, store: 'credential' | 'file' = 'credential') =>
  renderConfig({ file: 'agent.yaml', text }, host, store)

test('values, budget and places are filled in; comments and the rest stay', (t) => {
  const text = `# ours
${least}history: ${place('often')}
receivers:
  shop: { url: '${place('shop')}/${place('host')}' } # the nearest
`
  t.is(
    render(text),
    `# Written by deploy/pi/provision for kitchen: it overwrites what is changed here.
# ours
rpc: http://10.0.0.1:8545
contract: ${contract}
history: 5
receivers:
  shop: { url: 'http://10.0.0.1:5000/kitchen' } # the nearest
budget:
  day: 1 TKN
key: /var/lib/uraiden-agent/key.json
state: /var/lib/uraiden-agent
control:
  socket: /run/uraiden-agent/control.sock
`,
  )
})

test('the same input gives the same bytes', (t) => {
  t.is(render(least), render(least))
})

test('the password’s file is named where there is one, and only there', (t) => {
  t.regex(render(least, 'file'), /^password: \/var\/lib\/uraiden-agent\/password$/m)
  t.notRegex(render(`${least}password: /elsewhere\n`), /^password:/m)
})

test('a value that nobody gave is named with line and key', (t) => {
  t.throws(() => render(`${least}receivers:\n  shop:\n    url: ${place('shopUrl')}\n`), {
    code: 'template_value_missing',
    message: /^agent\.yaml:5 receivers\.shop\.url: the host kitchen has no value "shopUrl"/,
  })
})

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['a setting that does not exist', `${least}budgets: {}\n`, /agent\.yaml of kitchen:\d+ budgets/],
  [
    'a budget that is no table',
    `${least}budget: 5\n`,
    /agent\.yaml budget: this should be a table/,
  ],
  ['a list', '- a\n', /agent\.yaml: this should be a table/],
  ['no YAML', 'rpc: [\n', /agent\.yaml:\d+:\d+ is not YAML/],
]

for (const [name, text, message] of wrong) {
  test(`${name} is refused before any host is touched`, (t) => {
    t.throws(() => render(text), { code: 'config_invalid', message })
  })
}
