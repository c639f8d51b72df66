// ./scripts/deploy-contracts as a person runs it, on a chain of its own.
import { execFile } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { Contract, Wallet } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import { findDeployment } from '../../contracts/deployments.ts'
import { startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { mined } from '../support/contracts.ts'
import { temporaryFolder } from '../support/folder.ts'

const program = fileURLToPath(new URL('../../scripts/lib/deploy-contracts.ts', import.meta.url))

async function given(t: ExecutionContext) {
  const chain = await startEmbeddedChain()
  t.teardown(() => chain.close())
  const folder = await temporaryFolder(t)
  const keyFile = join(folder, 'key.hex')
  await writeFile(keyFile, chain.accounts[0]?.privateKey ?? '', { mode: 0o600 })
  const deploy = async (...args: readonly string[]) => {
    const all = [program, '--rpc', chain.rpcUrl, '--key', keyFile, '--record', folder, ...args]
    const {
      stdout,
      stderr,
      code = 0,
    } = await promisify(execFile)(process.execPath, all).catch((error) => error)
    return { stdout: String(stdout), stderr: String(stderr), code }
  }
  return { chain, folder, keyFile, deploy }
}

test('deploys token and contract, waits, writes the record; then a channel opens without ether', async (t) => {
  const { chain, folder, deploy } = await given(t)
  const { stdout, stderr, code } = await deploy(
    ...['--token-name', 'Sensor', '--token-symbol', 'SNS', '--token-decimals', '6'],
    ...['--supply', '5000', '--challenge-period', '777'],
    ...['--chain-id', '31337', '--json'],
  )
  t.is(code, 0, stderr)
  const deployed = JSON.parse(stdout)
  t.like(deployed, { chainId: 31337, version: '0.4.0', challengePeriod: 777 })
  t.deepEqual(findDeployment(31337n, folder), deployed)
  t.deepEqual(JSON.parse(await readFile(join(folder, '31337.json'), 'utf8')), deployed)
  t.is(findDeployment(1n, folder), undefined)

  const [owner, relay] = [chain.wallet(0), chain.wallet(5)]
  const token = new Contract(deployed.token, [...tokenAbi], owner)
  t.is(await token.getFunction('symbol')(), 'SNS')
  t.is(await token.getFunction('totalSupply')(), 5000n * 10n ** 6n)
  t.is(await token.getFunction('balanceOf')(owner.address), 5000n * 10n ** 6n)

  const device = Wallet.createRandom(chain.provider)
  await mined(token.getFunction('transfer(address,uint256)')(device.address, 100n))
  const channels = new Contract(deployed.contract, [...channelsAbi], relay)
  const deadline = 2n ** 40n
  const at = (name: string, version: string, verifyingContract: string) => ({
    name,
    version,
    verifyingContract,
    chainId: 31337,
  })
  const fields = (...list: readonly (readonly [string, string])[]) =>
    list.map(([name, type]) => ({ name, type }))
  const permit = await device.signTypedData(
    at('Sensor', '1', deployed.token),
    {
      Permit: fields(
        ['owner', 'address'],
        ['spender', 'address'],
        ['value', 'uint256'],
        ['nonce', 'uint256'],
        ['deadline', 'uint256'],
      ),
    },
    { owner: device.address, spender: deployed.contract, value: 60n, nonce: 0, deadline },
  )
  const open = await device.signTypedData(
    at('RaidenMicroTransferChannels', '1', deployed.contract),
    {
      OpenChannel: fields(
        ['sender', 'address'],
        ['receiver', 'address'],
        ['deposit', 'uint192'],
        ['nonce', 'uint256'],
        ['deadline', 'uint256'],
      ),
    },
    { sender: device.address, receiver: relay.address, deposit: 60n, nonce: 0, deadline },
  )
  const split = {
    v: Number(`0x${permit.slice(130)}`),
    r: permit.slice(0, 66),
    s: `0x${permit.slice(66, 130)}`,
  }
  const { block } = await mined(
    channels.getFunction('createChannelFor')(
      device.address,
      relay.address,
      60n,
      deadline,
      split,
      open,
    ),
  )
  t.is((await channels.getFunction('getChannelInfo')(device.address, relay.address, block))[1], 60n)
  t.is(await chain.provider.getBalance(device.address), 0n)
  t.is(await chain.provider.getTransactionCount(device.address), 0)
})

test('uses a token that exists, and says what record it replaces', async (t) => {
  const { deploy } = await given(t)
  const first = JSON.parse((await deploy('--json')).stdout)
  const { stdout, stderr } = await deploy('--token-address', first.token, '--json')
  const second = JSON.parse(stdout)
  t.is(second.token, first.token)
  t.not(second.contract, first.contract)
  t.true(stderr.includes(`(before: ${first.contract})`))
})

/** A chain whose blocks have taken so many seconds. */
const paced = async (t: ExecutionContext, seconds: number) => {
  const system = await given(t)
  const hex = (value: number) => `0x${value.toString(16)}`
  await system.chain.provider.send('hardhat_mine', [hex(10_001), hex(seconds)])
  return system
}

for (const [time, seconds, challengePeriod, said] of [
  ['1d', 12, 7200, /period {4}7200 blocks, about 24 hours\n(?!warning)/],
  ['1d', 2, 43_200, /period {4}43200 blocks, about 24 hours\n(?!warning)/],
  ['10m', 12, 500, /period {4}500 blocks, about 1\.7 hours\n(?!warning)/],
  ['10m', 1, 600, /period {4}600 blocks, about 10 min\nwarning {3}The challenge period is/],
] as const) {
  test(`--challenge-time ${time} at ${seconds} s a block: ${challengePeriod} blocks`, async (t) => {
    const { deploy } = await paced(t, seconds)
    const { stdout, stderr } = await deploy('--challenge-time', time, '--json')
    t.like(JSON.parse(stdout), { challengePeriod })
    t.regex(stderr, said)
  })
}

const bad: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a period that is too short', ['--challenge-period', '499'], /integer from 500 to 4294967295/],
  ['a time that is none', ['--challenge-time', 'soon'], /such as|duration/i],
  ['a time on a chain too young', ['--challenge-time', '1d'], /too young.*\n.*--challenge-period/],
  [
    'a period said twice',
    ['--challenge-time', '1d', '--challenge-period', '600'],
    /cannot be used with/,
  ],
  ['an address that is none', ['--token-address', '0x12'], /0x and 40 hex digits/],
  [
    'a mistyped address',
    ['--token-address', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD'],
    /mistyped/,
  ],
  [
    'an address without a token',
    ['--token-address', `0x${'12'.repeat(20)}`],
    /There is no token at/,
  ],
  ['a node of another chain', ['--chain-id', '1'], /is on chain 31337, not 1\./],
  ['a node that is not there', ['--rpc', 'http://127.0.0.1:9'], /does not answer/],
  ['a key file that is not there', ['--key', '/nonexistent/key'], /\/nonexistent\/key/],
  ['a supply that is no number', ['--supply', '1e6'], /decimal integer/],
]

for (const [name, args, message] of bad) {
  test(`${name} is refused before anything is sent, in a sentence`, async (t) => {
    const { chain, deploy } = await given(t)
    const { stderr, code, stdout } = await deploy(...args)
    t.is(code, 1)
    t.regex(stderr, message)
    t.notRegex(stderr, /\n\s+at /)
    t.is(stdout, '')
    t.is(await chain.provider.getBlockNumber(), 0)
  })
}

test('an account without ether, and a key that others can read, deploy nothing', async (t) => {
  const { chain, folder, keyFile, deploy } = await given(t)
  const poor = join(folder, 'poor.hex')
  await writeFile(poor, Wallet.createRandom().privateKey, { mode: 0o600 })
  const { stderr } = await deploy('--key', poor)
  t.regex(
    stderr,
    /has 0\.0 ETH; deploying takes up to .*\nNothing was sent\. Send it ether first\./,
  )
  await chmod(keyFile, 0o644)
  t.regex((await deploy()).stderr, /chmod 600/)
  t.is(await chain.provider.getBlockNumber(), 0)
})
