// The tutorials of the original's documents, step by step over real HTTP on a real chain, with the
// receiver as a process.
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { Contract } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { importKeyFile } from '../../platform/keys/index.ts'
import { examplesFolder } from '../../scripts/lib/examples/start.ts'
import { runCli, writeAgentFiles } from '../support/cli.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../support/receiver-program.ts'
import { seedClient } from '../support/seed-client.ts'
import { until } from '../support/until.ts'

const echo = join(examplesFolder, 'echo/receiver.yaml')

test.serial(
  'the echo service: a client opens with ten times the price, pays, and gets its hello',
  async (t) => {
    const given = await givenReceiverFolder(t)
    const { chain, contract, folder, senderAccount, receiverAccount } = given
    const { url } = await startProgram(t, given, [
      ...['--config', echo, '--private-key', 'key', '--channel-manager-address', contract],
      ...['--state-file', 'echo_server.db'],
    ])
    await writeAgentFiles(
      folder,
      senderAccount.privateKey,
      `rpc: ${chain.rpcUrl}\ncontract: ${contract}\nkey: key\nstate: agent-state\nbudget: { total: 1000 units }\n`,
    )
    const { code, stdout, stderr } = await runCli(folder, ['get', `${url}/echofix/hello`])
    t.is(code, 0, stderr)
    t.is(stdout, 'hello')
    const listed = await (await fetch(`${url}/api/1/channels`)).json()
    const [channel, ...others] = listed as readonly object[]
    t.like(channel, { sender_address: senderAccount.address, deposit: '50', balance: '5' })
    t.is(others.length, 0)
    t.like(await (await fetch(`${url}/api/1/stats`)).json(), {
      deposit_sum: '50',
      balance_sum: '5',
      open_channels: 1,
      unique_senders: 1,
      receiver_address: receiverAccount.address,
    })
  },
)

test.serial(
  'the Raspberry Pi: keystore with a password, a channel that waits for confirmations, a cooperative close',
  async (t) => {
    const given = await givenReceiverFolder(t)
    const { chain, contract, folder, token, receiverAccount, senderAccount } = given
    const keystore = 'UTC--2016-07-27T07-40-38.092883212Z--9d80d905bc1e106d5bd0637c12b893c5ab60cb41'
    await importKeyFile({ file: join(folder, 'key') }, join(folder, keystore), 'the password')
    await writeFile(join(folder, 'password'), 'the password\n', { mode: 0o600 })
    const { url, receiver } = await startProgram(
      t,
      given,
      [
        ...['--config', echo, '--private-key', keystore, '--private-key-password-file', 'password'],
        ...['--contract', contract, '--state-file', 'state'],
      ],
      { URAIDEN_RECEIVER_CONFIRMATIONS: '3' },
    )
    t.is(receiver, receiverAccount.address)

    let waited = 0
    const client = await seedClient(t, {
      chain,
      contract,
      sender: senderAccount,
      url,
      onUnconfirmed: async () => {
        waited++
        await chain.mine(1)
        await new Promise((resolve) => setTimeout(resolve, 200))
      },
    })
    const answer = await client.get('/echofix/hello')
    t.is(answer.status, 200)
    t.is(answer.headers.get('content-type'), 'text/html; charset=utf-8')
    t.is(await answer.text(), 'hello')
    t.true(waited > 0, 'the channel was paid with before it was confirmed')
    // The next one first repeats its last proof, as the original does, and pays once.
    t.is(await (await client.get('/echofix/again')).text(), 'again')
    t.is(client.balance(), 10n)

    // It keeps nothing over a restart: it pays a price, is shown where it stands, and goes on from there.
    client.forget()
    const asked = client.asked()
    t.is(await (await client.get('/echofix/anew')).text(), 'anew')
    t.deepEqual([client.balance(), client.asked() - asked], [15n, 3])

    const before: bigint = await token.getFunction('balanceOf')(receiverAccount.address)
    t.is(await client.close(), 15n)
    const after: bigint = await token.getFunction('balanceOf')(receiverAccount.address)
    t.is(after - before, 15n)
  },
)

test.serial(
  'create a paywall: fixed and dynamic prices, content of another server, a page for browsers',
  async (t) => {
    const given = await givenReceiverFolder(t)
    const { chain, contract, folder, senderAccount } = given
    const cdn = createServer((request, response) => response.end(`content of ${request.url}`))
    await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      cdn.closeAllConnections()
      cdn.close()
    })
    const { port } = cdn.address() as AddressInfo
    await cp(join(examplesFolder, 'echo'), join(folder, 'shop'), { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    const config = join(folder, 'shop/receiver.yaml')
    await writeFile(
      config,
      `${await readFile(config, 'utf8')}
  /cdn/*: { price: 2 units, upstream: 'http://127.0.0.1:${port}/resource42' }
`,
    )
    await mkdir(join(folder, 'web'))
    await writeFile(join(folder, 'web/index.html'), '<script src="/js/pay.js"></script>')
    await writeFile(join(folder, 'web/pay.js'), 'pay()')
    const { url } = await startProgram(t, given, [
      ...['--config', config, '--private-key', 'key', '--contract', contract, '--state', 'state'],
      ...['--paywall-info', 'web'],
    ])

    const unpaid = await fetch(`${url}/echofix/foo`)
    t.is(unpaid.status, 402)
    t.is(unpaid.headers.get('rdn-price'), '5')
    t.is(unpaid.headers.get('rdn-gateway-path'), '/api/1')
    t.is((await fetch(`${url}/echodyn/foo`)).headers.get('rdn-price'), '3')

    const client = await seedClient(t, {
      chain,
      contract,
      sender: senderAccount,
      url,
      onUnconfirmed: () => new Promise((resolve) => setTimeout(resolve, 100)),
    })
    t.is(await (await client.get('/echofix/foo')).text(), 'foo')
    t.is(await (await client.get('/echodyn/foo')).text(), 'foo')
    t.is(
      await (await client.get('/cdn/video/1?quality=low')).text(),
      'content of /resource42/video/1?quality=low',
    )
    t.is(client.balance(), 10n)

    const browser = await fetch(`${url}/echofix/foo`, {
      headers: { Accept: 'text/html,*/*;q=0.8' },
    })
    t.is(browser.status, 402)
    t.is(await browser.text(), '<script src="/js/pay.js"></script>')
    t.true(browser.headers.getSetCookie().some((cookie) => cookie.startsWith('RDN-Price=5;')))
    t.is(await (await fetch(`${url}/js/pay.js`)).text(), 'pay()')
  },
)

test.serial('the state file keeps what was paid, over a restart', async (t) => {
  const given = await givenReceiverFolder(t)
  const { chain, contract, senderAccount } = given
  const args = [
    ...['--config', echo, '--private-key', 'key', '--contract', contract, '--state-file', 'state'],
  ]
  const first = await startProgram(t, given, args)
  const onUnconfirmed = () => new Promise<void>((resolve) => setTimeout(resolve, 100))
  const options = { chain, contract, sender: senderAccount, onUnconfirmed }
  const client = await seedClient(t, { ...options, url: first.url })
  await client.get('/echofix/one')
  first.kill('SIGKILL')
  await first.ended

  const stopped = await runReceiver(given.folder, ['--json', ...args, 'channels'])
  t.is(stopped.code, 0, stopped.stderr)
  const [listed] = JSON.parse(stopped.stdout)
  t.like(listed, { sender_address: senderAccount.address, balance: '5', due: '5', state: 'open' })

  const second = await startProgram(t, given, args)
  t.like(await (await fetch(`${second.url}/api/1/stats`)).json(), { balance_sum: '5' })
  const table = await runReceiver(given.folder, [...args, 'channels'])
  t.regex(table.stdout, /^SENDER +OPEN BLOCK +DEPOSIT +BALANCE +WITHDRAWN +DUE +STATE\n0x/)
  t.regex(table.stdout, /0\.000000000000000005 TKN +open\n/)
  const stats = await runReceiver(given.folder, [...args, 'stats'])
  t.regex(stats.stdout, /^channels +1 open, 0 agreed, 0 closing, 0 settled; 1 senders$/m)
  t.regex(stats.stdout, /^uncollected +0\.000000000000000005 TKN/m)
  t.regex(stats.stdout, /^chain +read up to block \d+ of \d+/m)

  await chain.provider.send('hardhat_mine', ['0x2711', '0xc'])
  const contractOfSender = new Contract(contract, channelsAbi, chain.wallet(2))
  const close = contractOfSender.getFunction('uncooperativeClose')
  await (await close(given.receiverAccount.address, listed.open_block, 5n)).wait()
  const settles = / closing, settles after block \d+, about 1\.7 hours from now\n/
  await until(async () => {
    const { stdout } = await runReceiver(given.folder, [...args, 'channels'])
    return settles.test(stdout)
  })
})

test.serial(
  'the proxy server: where it listens unless told otherwise, and keys that others can read',
  async (t) => {
    const given = await givenReceiverFolder(t)
    const { folder, contract, chain } = given
    const common = ['--json', '--private-key', 'key', '--contract', contract]
    const usual = await runReceiver(folder, [...common, 'config', 'check'])
    t.like(JSON.parse(usual.stdout).config, {
      listen: { host: '0.0.0.0', port: 5000 },
      rpc: 'http://127.0.0.1:8545',
    })
    await chmod(join(folder, 'key'), 0o644)
    const args = ['--rpc-provider', chain.rpcUrl, '--state-file', 'state', 'start', '--port', '0']
    const refused = await runReceiver(folder, [...common, ...args])
    t.is(refused.code, 6)
    t.regex(refused.stderr, /Others can read the file .*chmod 600/s)
  },
)
