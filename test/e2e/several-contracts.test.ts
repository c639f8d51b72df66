// A receiver that has moved to a new contract, and still serves the channels of the former one.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type AgentOptions, createAgent, depositsFor } from '../../agent/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex, parseAddress } from '../../protocol/index.ts'
import { deployTestContracts } from '../lab/chains/embedded-chain.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../support/receiver-program.ts'
import { deployVersion03 } from '../support/version03/deploy.ts'

async function given(t: ExecutionContext) {
  const world = await givenReceiverFolder(t)
  const { chain, folder, token, contract: newest } = world
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(chain.accounts[3]?.address, 10n ** 18n)).wait()
  const former = await deployVersion03(chain.wallet(0), parseAddress(await token.getAddress()))
  const port = await freePort()
  const write = (contracts: string) =>
    writeFile(
      join(folder, 'receiver.yaml'),
      `${contracts}
key: key
state: state
resources:
  /reading: { command: [echo, '{"celsius":21}'], price: 5 units }
`,
    )
  const start = async (contracts: string, environment?: NodeJS.ProcessEnv) => {
    await write(contracts)
    const config = ['--config', join(folder, 'receiver.yaml')]
    return startProgram(t, world, [...config, '--port', `${port}`], environment)
  }
  const agentOn = async (contract: Address, more: Partial<AgentOptions> = {}, account = 2) => {
    const agent = await createAgent({
      signer: createKeySigner(fromHex(chain.accounts[account]?.privateKey ?? '')),
      rpcUrl: chain.rpcUrl,
      chainId: chain.chainId,
      contract,
      store: await mkdtemp(join(tmpdir(), 'uraiden-several-')),
      deposit: depositsFor(0),
      retryInterval: 20,
      ...more,
    })
    t.teardown(agent.stop)
    return agent
  }
  const run = (...args: string[]) => {
    const config = ['--config', join(folder, 'receiver.yaml'), '--rpc', chain.rpcUrl, '--json']
    return runReceiver(folder, [...config, ...args])
  }
  const command = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args)
    t.is(code, 0, stderr)
    return JSON.parse(stdout)
  }
  command.refused = async (...args: string[]) => {
    const { code, stdout } = await run(...args)
    t.not(code, 0)
    return JSON.parse(stdout)
  }
  const tokensOf = (account: string): Promise<bigint> => token.getFunction('balanceOf')(account)
  return { ...world, newest, former, start, write, agentOn, command, tokensOf }
}

async function end({ kill, ended }: Awaited<ReturnType<typeof startProgram>>) {
  kill('SIGTERM')
  await ended
}

test('a receiver moves: old channels pay and close, new ones open on the newest contract', async (t) => {
  const { start, agentOn, newest, former, command, tokensOf, receiverAccount } = await given(t)
  const before = await start(`contract: '${former}'`)
  const { url } = before
  const bound = await agentOn(former)
  const unbound = await agentOn(former, { bound: 'off' }, 3)
  t.is((await bound.get(`${url}/reading`)).status, 200)
  t.is((await unbound.get(`${url}/reading`)).status, 200)
  await end(before)

  const moved = await start(`contracts: ['${newest}', '${former}']`)
  const offered = await fetch(`${url}/reading`)
  t.is(offered.headers.get('rdn-contract-address'), newest)
  t.is(offered.headers.get('rdn-other-contracts'), former)
  const named = await fetch(`${url}/reading`, { headers: { 'rdn-contract-address': former } })
  t.is(named.headers.get('rdn-contract-address'), former)
  for (const agent of [bound, unbound]) t.is((await agent.get(`${url}/reading`)).status, 200)
  t.deepEqual(
    [bound, unbound].map((agent) => agent.channels().length),
    [1, 1],
  )

  const fresh = await agentOn(newest)
  t.is((await fresh.get(`${url}/reading`)).status, 200)
  t.is((await command('stats')).uncollected_sum, '5')
  t.is((await command('--contract', former, 'stats')).uncollected_sum, '20')

  const [channel] = unbound.channels()
  if (channel === undefined) return t.fail('a channel')
  const name = `${channel.receiver}/${channel.openBlock}` as const
  await unbound.closeChannel(name, url)
  t.is(await tokensOf(receiverAccount.address), 10n)
  t.is((await command('--contract', former, 'close-all')).sum, '10')
  t.is((await command('withdraw')).sum, '5')
  t.is(await tokensOf(receiverAccount.address), 25n)
  await end(moved)

  // What was the first contract there stays in the folder itself, the new one is found in its own.
  const after = await start(`contract: '${newest}'`)
  t.regex(after.log(), new RegExp(`not defended.*${former.toLowerCase()}`))
  t.is((await fresh.get(`${url}/reading`)).status, 200)
  await end(after)
})

test('a receiver sells for one token only', async (t) => {
  const { chain, write, newest, command } = await given(t)
  const other = await deployTestContracts(chain.wallet(0))
  await write(`contracts: ['${newest}', '${other.channelsAddress}']`)
  const refused = await command.refused('start', '--port', '0')
  t.is(refused.error, 'contract_token_differs')
})

test('contracts: a name that is none of them, one that is there twice', async (t) => {
  const { write, newest, former, command } = await given(t)
  await write(`contracts: ['${newest}']`)
  t.is((await command.refused('--contract', former, 'stats')).error, 'contract_not_listed')
  await write(`contracts: ['${newest}', { contract: '${newest}' }]`)
  const twice = await command.refused('stats')
  t.regex(twice.message, /receiver\.yaml:1 contracts\.1: .*it is there twice/)
})

test('an agent moves: a channel on the former contract is used up, then one opens on the newest', async (t) => {
  const { start, agentOn, newest, former, tokensOf } = await given(t)
  const before = await start(`contract: '${former}'`)
  const { url } = before
  const store = await mkdtemp(join(tmpdir(), 'uraiden-several-'))
  const old = await agentOn(former, { store, budget: { total: 200n } })
  t.is((await old.get(`${url}/reading`)).status, 200)
  const [channel] = old.channels()
  if (channel === undefined) return t.fail('a channel')
  const { deposit } = channel
  await old.stop()
  await end(before)

  const moved = await start(`contracts: ['${newest}', '${former}']`)
  const several = { store, budget: { total: 200n }, formerContracts: [former] }
  const agent = await agentOn(newest, several)
  const payments = Number(deposit / 5n)
  // One was paid before: the rest of the old deposit, and one that has no room there any more.
  for (let payment = 1; payment <= payments; payment++) {
    t.is((await agent.get(`${url}/reading`)).status, 200)
  }
  const [first, second, ...more] = agent.channels()
  t.deepEqual(more, [])
  t.like(first, { contract: undefined, deposit, balance: deposit })
  t.like(second, { contract: newest, balance: 5n })
  t.is(agent.budget().reserved >= deposit + 5n, true)
  await agent.stop()

  // After a restart it is the newest at once, and the former channel can be closed.
  const again = await agentOn(newest, several)
  t.is((await again.get(`${url}/reading`)).roundTrips, 2)
  await again.closeChannel(`${channel.receiver}/${channel.openBlock}`, url)
  t.is(await tokensOf(former), 0n)
  await again.stop()

  // Nobody leads it back.
  await end(moved)
  const back = await start(`contract: '${former}'`)
  const led = await agentOn(newest, several)
  await t.throwsAsync(led.get(`${url}/reading`), { code: 'contract_older' })
  t.is(led.channels().filter(({ state }) => state === 'open').length, 1)
  await led.stop()
  await end(back)

  const last = await start(`contracts: ['${newest}', '${former}']`)
  const alone = await agentOn(newest, { store, budget: { total: 200n } })
  t.is((await alone.get(`${url}/reading`)).status, 200)
  t.is(alone.channels().filter(({ state }) => state === 'open').length, 1)
  await end(last)
})

test('an agent that may use only the former contract is served there, one that may use neither is not', async (t) => {
  const { start, agentOn, newest, former, chain, token } = await given(t)
  const moved = await start(`contracts: ['${newest}', '${former}']`)
  const old = await agentOn(former)
  t.is((await old.get(`${moved.url}/reading`)).status, 200)
  t.is((await old.get(`${moved.url}/reading`)).status, 200)
  t.is(old.channels().length, 1)
  const strange = await deployVersion03(chain.wallet(0), parseAddress(await token.getAddress()))
  const stranger = await agentOn(strange, {}, 3)
  await t.throwsAsync(stranger.get(`${moved.url}/reading`), { code: 'wrong_contract' })
  t.deepEqual(stranger.channels(), [])
  await end(moved)
})

test('a former contract with another token is not paid through', async (t) => {
  const { start, agentOn, newest, chain } = await given(t)
  const other = await deployTestContracts(chain.wallet(0))
  const moved = await start(`contract: '${newest}'`)
  const agent = await agentOn(other.channelsAddress, { formerContracts: [newest] })
  const refused = agent.get(`${moved.url}/reading`)
  await t.throwsAsync(refused, { code: 'contract_token_differs' })
  t.deepEqual(agent.channels(), [])
  await end(moved)
})
