// Money really goes, once, and under the caps: on the embedded chain.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  type FundOptions,
  fundAccounts,
  planTransfers,
} from '../../../../deploy/pi/fleet/fund/fund.ts'
import { openRecords } from '../../../../deploy/pi/fleet/fund/records.ts'
import { connectChain } from '../../../../platform/chain/index.ts'
import { createKeySigner } from '../../../../platform/keys/index.ts'
import { fromHex, parseAddress } from '../../../../protocol/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../../../lab/chains/embedded-chain.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { until } from '../../../support/until.ts'

const kitchen = parseAddress('0x00000000000000000000000000000000000000A1')
const attic = parseAddress('0x00000000000000000000000000000000000000A2')

async function given(t: ExecutionContext, most: Partial<FundOptions['settings']['most']> = {}) {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  const folder = join(await temporaryFolder(t), 'transfers')
  const signer = createKeySigner(fromHex(chain.accounts[0]?.privateKey ?? '0x'))
  const owner = { chainId: chain.chainId, contract, account: signer.address }
  const options = async (
    change: Partial<FundOptions> = {},
    state = folder,
  ): Promise<FundOptions> => ({
    chain: client,
    signer,
    records: await openRecords(state, owner),
    accounts: [
      { host: 'kitchen', address: kitchen, since: '', tokens: '50 units', ether: '1 ETH' },
      { host: 'attic', address: attic, since: '', tokens: '50 units' },
    ],
    settings: {
      confirmations: 1,
      most: { each: '60 units', all: '100 units', etherEach: '2 ETH', etherAll: '3 ETH', ...most },
    },
    mostFeePerGas: undefined,
    say: () => undefined,
    pollInterval: 20,
    ...change,
  })
  return { chain, client, token, folder, signer, options }
}

test('tops up to the target, and a second run sends nothing', async (t) => {
  const { client, options } = await given(t)
  const first = await options()
  const { sent, failed } = await fundAccounts(first)
  t.deepEqual(failed, [])
  t.deepEqual(
    sent.map(({ host, kind, amount }) => [host, kind, amount]),
    [
      ['kitchen', 'tokens', 50n],
      ['attic', 'tokens', 50n],
      ['kitchen', 'ether', 10n ** 18n],
    ],
  )
  t.is(await client.tokenBalance(kitchen), 50n)
  t.is(await client.etherBalance(kitchen), 10n ** 18n)
  t.is(await client.etherBalance(attic), 0n)
  await first.records.close()

  const second = await options()
  t.deepEqual((await fundAccounts(second)).sent, [])
  t.is((await second.records.sent()).length, 3)
  await second.records.close()
})

test('a dry run sends nothing and says what it would', async (t) => {
  const { client, options } = await given(t)
  const dry = await options()
  const { tokens } = await planTransfers(dry)
  t.deepEqual(
    tokens.transfers.map(({ host, amount }) => [host, amount]),
    [
      ['kitchen', 50n],
      ['attic', 50n],
    ],
  )
  t.is(await client.tokenBalance(kitchen), 0n)
  await dry.records.close()
})

test('what is spent is topped up again until the cap over all runs is reached', async (t) => {
  const { client, chain, options } = await given(t)
  const accounts = [
    { host: 'kitchen', address: kitchen, since: '', tokens: '50 units' },
    { host: 'attic', address: attic, since: '', tokens: '50 units' },
  ]
  const first = await options({ accounts })
  await fundAccounts(first)
  await first.records.close()
  await chain.provider.send('hardhat_setBalance', [kitchen, '0xde0b6b3a7640000'])
  // The kitchen spends all it has; the cap leaves 10 for it, and nothing for all.
  await chain.provider.send('hardhat_impersonateAccount', [kitchen])
  const { data, to } = client.calls.transfer((await client.tokenFacts()).address, attic, 50n)
  await chain.provider.send('eth_sendTransaction', [{ from: kitchen, to, data }])
  const short = await options({ accounts })
  const { plans, sent } = await fundAccounts(short)
  t.deepEqual(sent, [])
  t.deepEqual(plans.tokens.shortfalls, [{ host: 'kitchen', missing: 50n, cap: 'all' }])
  await short.records.close()

  const raised = await options({
    accounts,
    settings: {
      confirmations: 1,
      most: { each: '60 units', all: '200 units', etherEach: '1 ETH', etherAll: '1 ETH' },
    },
  })
  const after = await fundAccounts(raised)
  t.deepEqual(
    after.sent.map(({ host, amount }) => [host, amount]),
    [['kitchen', 10n]],
  )
  t.deepEqual(after.plans.tokens.shortfalls, [{ host: 'kitchen', missing: 40n, cap: 'each' }])
  await raised.records.close()
})

test('a host that names one account after the other gets no more than its cap', async (t) => {
  const { client, options } = await given(t, { each: '60 units', all: '1000 units' })
  const named = ['A1', 'A3', 'A4', 'A5', 'A6'].map((digits) =>
    parseAddress(`0x${digits.padStart(40, '0')}`),
  )
  for (const address of named) {
    const accounts = [{ host: 'kitchen', address, since: '', tokens: '50 units', ether: '2 ETH' }]
    const run = await options({ accounts })
    await fundAccounts(run)
    await run.records.close()
  }
  const owned = await Promise.all(named.map((address) => client.tokenBalance(address)))
  t.deepEqual(owned, [50n, 10n, 0n, 0n, 0n])
  const ether = await Promise.all(named.map((address) => client.etherBalance(address)))
  t.deepEqual(ether.slice(0, 2), [2n * 10n ** 18n, 0n])
  // Another host does not pay for that.
  const attics = [{ host: 'attic', address: attic, since: '', tokens: '50 units' }]
  const run = await options({ accounts: attics })
  await fundAccounts(run)
  await run.records.close()
  t.is(await client.tokenBalance(attic), 50n)
})

test('one unit too little in the account that pays: nothing is sent; with it, all is', async (t) => {
  const { client, chain, token, options } = await given(t)
  const pays = chain.accounts[5]
  if (pays === undefined) throw new Error('no account')
  const signer = createKeySigner(fromHex(pays.privateKey))
  const give = token.getFunction('transfer(address,uint256)')
  await (await give(pays.address, 99n)).wait()
  const poor = await options({ signer })
  await t.throwsAsync(fundAccounts(poor), { code: 'funds_short', message: /99.*units|0\.0+99/ })
  t.is(await client.tokenBalance(kitchen), 0n)
  await (await give(pays.address, 1n)).wait()
  t.is((await fundAccounts(poor)).sent.length, 3)
  await poor.records.close()
})

test('killed while its transactions wait for a block: the next run waits for them, and sends none twice', async (t) => {
  const { client, chain, folder, options } = await given(t)
  await chain.provider.send('evm_setAutomine', [false])
  const first = await options()
  const hanging = fundAccounts(first)
  hanging.catch(() => undefined)
  const pending = () => chain.provider.send('eth_getBlockByNumber', ['pending', false])
  await until(async () => (await pending()).transactions.length >= 3)
  // What a kill leaves on the disk.
  const copy = `${folder}-after`
  await cp(folder, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
  await chain.provider.send('evm_setAutomine', [true])
  await chain.mine(1)
  await hanging
  await first.records.close()

  const said: string[] = []
  const later = await options({ say: (line) => void said.push(line) }, copy)
  t.is((await later.records.pending()).length, 3)
  const { sent } = await fundAccounts(later)
  t.is(sent.length, 3)
  t.deepEqual(await later.records.pending(), [])
  t.is(await client.tokenBalance(kitchen), 50n)
  t.is(await client.tokenBalance(attic), 50n)
  t.is(said.filter((line) => line.includes('interrupted')).length, 3)
  await later.records.close()
})

test('killed after it was written down and before it left: the next run sends that very one', async (t) => {
  const { client, folder, options } = await given(t)
  // A node that takes nothing and never answers.
  const deaf = {
    ...client,
    request: (method: string, params: readonly unknown[]) =>
      method === 'eth_sendRawTransaction'
        ? new Promise<never>(() => undefined)
        : client.request(method, params),
  }
  const first = await options({ chain: deaf })
  fundAccounts(first).catch(() => undefined)
  await until(async () => (await first.records.pending()).length > 0)
  const copy = `${folder}-after`
  await cp(folder, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
  const later = await options({}, copy)
  const { sent } = await fundAccounts(later)
  t.is(sent.length, 3)
  t.is(await client.tokenBalance(kitchen), 50n)
  t.is(await client.tokenBalance(attic), 50n)
  t.is(await client.etherBalance(kitchen), 10n ** 18n)
  await later.records.close()
  await first.records.close()
})

test('records of one payer are not another’s', async (t) => {
  const { folder, options, chain } = await given(t)
  const first = await options()
  await first.records.close()
  const owner = {
    chainId: chain.chainId,
    contract: first.chain.contract,
    account: kitchen,
  }
  await t.throwsAsync(openRecords(folder, owner), { code: 'state_of_another' })
})
