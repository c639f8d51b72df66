// uraiden-receiver as a process: what it takes, what it says, how it ends.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { temporaryFolder } from '../../support/folder.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'

test('it starts with the options of the documents, serves the channel API, and stops on SIGTERM', async (t) => {
  const given = await givenReceiverFolder(t)
  const { folder, contract, chain, receiverAccount } = given
  const program = await startProgram(t, given, [
    ...['--private-key', 'key', '--rpc-provider', chain.rpcUrl],
    ...['--channel-manager-address', contract, '--state-file', 'state.db'],
    ...['--gas-price', '20000000000'],
  ])
  t.is(program.receiver, receiverAccount.address)
  const stats = await fetch(`${program.url}/api/1/stats`)
  t.like(await stats.json(), { contract_address: contract, open_channels: 0 })
  t.is(await (await fetch(`${program.url}/cm`)).text(), 'OK')

  program.kill('SIGTERM')
  const { code, stderr } = await program.ended
  t.is(code, 0, stderr)
  t.regex(stderr, /^listening url=http.* symbol=TKN$/m)
  t.regex(stderr, /^stopped; everything is on disk$/m)
  t.false(stderr.includes(receiverAccount.privateKey.slice(2)))
  t.truthy(await readFile(join(folder, 'state.db/CURRENT')))
})

const mistakes = [
  { name: 'no key', yaml: 'contract: CONTRACT', says: /receiver\.yaml:1 key: this is missing/ },
  {
    name: 'a port out of range',
    yaml: 'contract: CONTRACT\nkey: key\nlisten: 0.0.0.0:65536',
    says: /receiver\.yaml:3 listen: "0\.0\.0\.0:65536" is not an address and a port/,
  },
  {
    name: 'a decimal comma in a price',
    yaml: "contract: CONTRACT\nkey: key\nresources:\n  /a:\n    price: '0,02 TKN'\n    command: date",
    says: /receiver\.yaml:5 resources\.\/a\.price: "0,02 TKN" is not an amount\.\nWrite a decimal point: 0\.02 TKN\./,
  },
  {
    name: 'a typing error in a setting',
    yaml: 'contract: CONTRACT\nkey: key\nresource: {}',
    says: /receiver\.yaml:3 resource: there is no such setting\.\nDid you mean resources\?/,
  },
  {
    name: 'two things sold at one path',
    yaml: 'contract: CONTRACT\nkey: key\nresources:\n  /a: { price: 1, command: date, files: x }',
    says: /receiver\.yaml:4 resources\.\/a: it has "files" and "command"/,
  },
  {
    name: 'something sold where the dashboard is',
    yaml: 'contract: CONTRACT\nkey: key\nresources:\n  /admin: { price: 1, command: date }',
    says: /receiver\.yaml:4 resources\.\/admin: The way to the dashboard is at "\/admin", so nothing can be sold there\.\nChoose another path/,
  },
  {
    name: 'a setting of another kind',
    yaml: 'contract: CONTRACT\nkey: key\nresources:\n  /a:\n    price: 1\n    command: date\n    methods: [GET]',
    says: /receiver\.yaml:7 resources\.\/a\.methods: "methods" says nothing about command/,
  },
  {
    name: 'a pipe in a command',
    yaml: 'contract: CONTRACT\nkey: key\nresources:\n  /a: { price: 1, command: "cat x | head" }',
    says: /resources\.\/a\.command: "cat x \| head" has "\|", which only a shell understands/,
  },
] as const

for (const { name, yaml, says } of mistakes) {
  test(`config check finds ${name}, with file, line and key`, async (t) => {
    const folder = await temporaryFolder(t)
    const text = yaml.replace('CONTRACT', `'0x${'11'.repeat(20)}'`)
    await writeFile(join(folder, 'receiver.yaml'), text)
    const { code, stderr } = await runReceiver(folder, ['-c', 'receiver.yaml', 'config', 'check'])
    t.is(code, 2, stderr)
    t.regex(stderr, says)
    t.notRegex(stderr, / at .*\.ts:/)
  })
}

test('what is wrong in an option or a variable is said by its name', async (t) => {
  const folder = await temporaryFolder(t)
  const named = await runReceiver(folder, ['--key', 'key', '--rpc-provider', 'ftp://x', 'start'])
  t.is(named.code, 2)
  t.regex(named.stderr, /--rpc-provider rpc: "ftp:\/\/x": this is not an http/)
  const variable = await runReceiver(folder, ['config', 'check'], {
    URAIDEN_RECEIVER_CONFIRMATIONS: 'many',
  })
  t.regex(variable.stderr, /URAIDEN_RECEIVER_CONFIRMATIONS confirmations: /)
})

test('config schema is a JSON schema of every setting', async (t) => {
  const folder = await temporaryFolder(t)
  const { code, stdout } = await runReceiver(folder, ['config', 'schema'])
  t.is(code, 0)
  const schema = JSON.parse(stdout)
  t.is(schema.title, 'receiver.yaml')
  for (const name of ['rpc', 'contract', 'key', 'resources', 'listen']) {
    t.truthy(schema.properties[name].description, name)
  }
})

test('with --no-wait a node that is not there ends it with the chain’s exit code', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'key'), `0x${'11'.repeat(32)}`, { mode: 0o600 })
  const { code, stderr } = await runReceiver(folder, [
    ...['--key', 'key', '--contract', `0x${'11'.repeat(20)}`, '--rpc', 'http://127.0.0.1:9'],
    ...['--state', 'state', 'start', '--no-wait'],
  ])
  t.is(code, 5, stderr)
  t.regex(stderr, /uraiden-receiver: .*127\.0\.0\.1:9/)
})

test('keys: made, imported and shown, with the password from a file', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'password'), 'secret\n', { mode: 0o600 })
  const withPassword = ['--password-file', 'password', 'key']
  const made = await runReceiver(folder, [...withPassword, 'new', 'key.json'])
  t.is(made.code, 0, made.stderr)
  t.regex(made.stdout, /^Key written to key\.json .*\nAddress (0x\w{40})\. Send it ether/)
  const shown = await runReceiver(folder, ['--json', ...withPassword, 'address', 'key.json'])
  t.true(made.stdout.includes(JSON.parse(shown.stdout).address))
  t.is((await runReceiver(folder, [...withPassword, 'new', 'key.json'])).code, 6)

  await writeFile(join(folder, 'hex'), `0x${'11'.repeat(32)}`, { mode: 0o600 })
  const imported = await runReceiver(folder, [...withPassword, 'import', 'hex', 'other.json'])
  t.is(imported.code, 0, imported.stderr)
  const configured = await runReceiver(folder, [
    ...['--json', '--key', 'other.json', '--contract', `0x${'11'.repeat(20)}`],
    ...['--private-key-password-file', 'password', 'key', 'address'],
  ])
  t.is(JSON.parse(configured.stdout).address, '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A')
})

test.serial(
  'a state file of the original, and a port that is taken, are said as such',
  async (t) => {
    const { folder, contract, chain } = await givenReceiverFolder(t)
    await writeFile(join(folder, 'echo_server.db'), 'SQLite format 3')
    const start = (...args: readonly string[]) =>
      runReceiver(folder, [
        ...['--key', 'key', '--contract', contract, '--rpc', chain.rpcUrl],
        ...[...args, 'start', '--host', '127.0.0.1', '--port', new URL(chain.rpcUrl).port],
      ])
    const file = await start('--state-file', 'echo_server.db')
    t.is(file.code, 7)
    t.regex(file.stderr, /echo_server\.db is a file; the state is a folder\.\nName another path/)
    const taken = await start('--state', 'state')
    t.is(taken.code, 2)
    t.regex(taken.stderr, /Cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)\.\nAnother program has/)
  },
)
