import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { writtenPlaces } from '../../../../agent/program/configuration/written-places.ts'
import { temporaryFolder } from '../../../support/folder.ts'

async function written(t: Parameters<typeof temporaryFolder>[0], text: string, environment = {}) {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, text)
  return writtenPlaces(file, environment)
}

test('where nothing is said of places, they are the usual ones', async (t) => {
  const text = '# state: /elsewhere\nrpc: http://a\njobs:\n  state: { get: a }\n\nkey: key\n'
  t.deepEqual(await written(t, text), { control: {} })
})

test('a state that is plainly written is taken, also relative to the file', async (t) => {
  t.deepEqual(await written(t, 'rpc: a\nstate: /var/lib/a.b  # here\n'), {
    control: {},
    state: '/var/lib/a.b',
  })
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, 'state: books\r\n')
  t.deepEqual(writtenPlaces(file, {}), { control: {}, state: join(file, '../books') })
})

test('the places of the configuration that the package installs are plainly written', (t) => {
  t.deepEqual(writtenPlaces('deploy/pi/config/agent.yaml', {}), {
    control: { socket: '/run/uraiden-agent/control.sock' },
    state: '/var/lib/uraiden-agent',
  })
})

test('a socket that is plainly written is taken, also relative to the file', async (t) => {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(
    file,
    'control: # where\n  # commands meet it\n\n  socket: a.sock # here\nrpc: a\n',
  )
  t.deepEqual(writtenPlaces(file, {}), { control: { socket: join(file, '../a.sock') } })
})

for (const [what, text] of [
  ['a socket in braces', 'control: { socket: /run/a.sock }\n'],
  ['a socket in quotes', 'control:\n  socket: "/run/a.sock"\n'],
  ['a socket twice', 'control:\n  socket: /a\n  socket: /b\n'],
  ['a socket of several lines', 'control:\n  socket:\n    /a\n'],
  ['a socket that goes on', 'control:\n  socket: /a\n    b\n'],
  ['a merge below it', 'control:\n  <<: { socket: /a }\n'],
  ['two of it', 'control:\n  socket: /a\ncontrol:\n  socket: /b\n'],
  ['nothing of it', 'control:\n'],
  ['a state that goes on', 'state: /a\n  b\n'],
  ['a beginning that belongs to nothing', '  rpc: a\nstate: /a\n'],
  ['a state in quotes', 'state: "/a"\n'],
  ['no text', 'state: ~\n'],
  ['a text of several lines', 'state:\n  /a\n'],
  ['an anchor', 'rpc: a\nstate: &here /a\n'],
  ['a state twice', 'state: /a\nstate: /b\n'],
  ['another style of YAML', '{ state: /a }\n'],
  ['a key in quotes', 'rpc: a\n"st\\u0061te": /a\n'],
  ['a merge', '<<: { state: /a }\nrpc: a\n'],
  ['several documents', '---\nstate: /a\n'],
  ['nothing', ''],
] as const) {
  test(`it is left to who reads YAML: ${what}`, async (t) => {
    t.is(await written(t, text), undefined)
  })
}

test('a variable may say another place, a password’s does not', async (t) => {
  const text = 'state: /a\n'
  t.is(await written(t, text, { URAIDEN_AGENT_STATE: '/b' }), undefined)
  t.truthy(await written(t, text, { URAIDEN_AGENT_KEY_PASSWORD: 'x', URAIDEN_AGENT_CONFIG: 'y' }))
})

test('a file that is not there says nothing', (t) => {
  t.is(writtenPlaces('/nowhere/agent.yaml', {}), undefined)
})
