// ./scripts/chain as a person runs it.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { Contract, JsonRpcProvider } from 'ethers'
import { tokenAbi } from '../../contracts/abi/token.ts'
import { connectChain } from '../../platform/chain/index.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from '../support/folder.ts'
import { runScript, startScript } from '../support/script.ts'

const whole = 10n ** 18n
const [first, second, third] = ['11', '22', '33'].map((byte) => `0x${byte.repeat(20)}`)

async function given(t: ExecutionContext, ...args: readonly string[]) {
  const folder = await temporaryFolder(t)
  const script = startScript(t, 'chain', ['--json', '--port', '0', ...args], { folder })
  const facts = JSON.parse(await script.line())
  const provider = new JsonRpcProvider(facts.rpcUrl, undefined, { cacheTimeout: -1 })
  t.teardown(() => provider.destroy())
  const token = new Contract(facts.token, [...tokenAbi], provider)
  const has = async (address = '') => [
    await token.getFunction('balanceOf')(address),
    await provider.getBalance(address),
  ]
  return { ...facts, provider, has, script, port: new URL(facts.rpcUrl).port }
}

test('the chain has the id that is asked for, which clients of the original can pack', async (t) => {
  const { rpcUrl, chainId, contract, provider } = await given(
    t,
    ...['--chain-id', '65', '--block-interval', '50'],
  )
  t.is(chainId, 65)
  t.is((await provider.getNetwork()).chainId, 65n)
  const chain = await connectChain({ rpcUrl, contract, chainId: 65n })
  t.teardown(() => chain.close())
  t.is((await chain.contractFacts()).version, '0.4.0')
})

test('addresses get tokens and ether: with the chain, and later from the one that runs', async (t) => {
  const { has, port } = await given(t, ...['--fund', `${first}`, '--fund', `${second}`])
  t.deepEqual(await has(first), [100n * whole, 10n * whole])
  t.deepEqual(await has(second), [100n * whole, 10n * whole])

  const later = await runScript(t, 'chain', ['--port', port, '--fund', `${third}`])
  t.is(later.code, 0, later.stderr)
  t.regex(later.stdout, /^0x3333\w+ has got 100 TKN and 10 ETH\.\n$/)
  t.deepEqual(await has(third), [100n * whole, 10n * whole])
})

test('a taken port is said in two lines, also where tokens are wanted of what listens there', async (t) => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const more of [[], ['--fund', `${first}`]]) {
    const { code, stdout, stderr } = await runScript(t, 'chain', ['--port', `${port}`, ...more])
    t.is(code, 2)
    t.is(stdout, '')
    t.regex(stderr, /^chain: Port \d+ is in use\.\n.*\(port_in_use, exit 2\)\n$/)
  }
})

test('Ctrl-C ends it', async (t) => {
  const { script } = await given(t)
  script.kill('SIGINT')
  t.is((await script.ended).code, 0)
})

test('a sensor’s receiver says in two lines that its port is taken, and is gone', async (t) => {
  const { rpcUrl, contract, accounts } = await given(t)
  const server = createServer().listen(await freePort(), '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await runScript(t, 'sensor-receiver', [
    ...['--rpc', rpcUrl, '--contract', contract, '--key', accounts[2].privateKey],
    ...['--state', 'state', '--port', `${port}`],
  ])
  t.is(code, 2)
  t.regex(stderr, /^sensor-receiver: Port \d+ is in use\.\n.*\(port_in_use, exit 2\)\n$/)
})
