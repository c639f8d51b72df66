// uraiden-receiver withdraw and close-all as a person runs them, with and without a running receiver.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { type BackupChannel, formatBackup } from '../../../receiver/server/backup/document.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

/** A stopped receiver with two channels, on which 30 and 40 units were paid. */
async function given(t: ExecutionContext, lines: readonly string[] = []) {
  const system = await givenReceiverFolder(t)
  const { chain, contract, folder, receiverAccount, senderAccount } = system
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
  const parties = { sender: senderAccount.address, receiver: receiverAccount.address }
  const { token } = await client.contractFacts()
  const domain = { contract, chainId: chain.chainId }
  const channels: BackupChannel[] = []
  for (const balance of [30n, 40n]) {
    const open = client.calls.openErc223(token, { ...parties, deposit: 100n })
    const { contractBlock: openBlock } = await transactions.send(open)
    const form = 'eip712'
    const key = senderAccount.privateKey
    const signature = balanceProof({ domain, ...parties, openBlock, balance, key, form })
    const claims = { highest: balance, unclaimed: [] }
    channels.push({
      ...parties,
      openBlock,
      claims,
      proof: { signature, form },
      agreedToClose: false,
    })
  }
  const created = '2026-01-02T03:04:05.000Z'
  const identity = { ...domain, receiver: parties.receiver }
  const own = createKeySigner(fromHex(receiverAccount.privateKey))
  await writeFile(
    join(folder, 'proofs'),
    await formatBackup({ ...identity, created, channels }, own),
  )
  await writeFile(
    join(folder, 'receiver.yaml'),
    [`contract: '${contract}'`, 'key: key', 'state: state', 'pollInterval: 0.05', ...lines].join(
      '\n',
    ),
  )
  const run = (...args: readonly string[]) =>
    runReceiver(folder, ['-c', 'receiver.yaml', '--rpc', chain.rpcUrl, ...args])
  t.is((await run('restore', 'proofs')).code, 0)
  const tokens = async (): Promise<bigint> =>
    system.token.getFunction('balanceOf')(receiverAccount.address)
  return { ...system, client, run, tokens, channels }
}

test('without a running receiver: a dry run, then the withdrawal, then nothing is left', async (t) => {
  const { run, tokens } = await given(t)
  const dry = await run('withdraw', '--dry-run')
  t.is(dry.code, 0, dry.stderr)
  t.regex(dry.stdout, /^withdraw 0\.00000000000000007 TKN from 2 channels, for about 0\.0\d+ ETH:/)
  t.regex(dry.stdout, /Nothing was sent\.\n$/)
  t.is(await tokens(), 0n)
  const done = await run('--json', 'withdraw')
  t.is(done.code, 0, done.stderr)
  t.like(JSON.parse(done.stdout), { sum: '70', transactions: { length: 1 }, dry_run: false })
  t.is(await tokens(), 70n)
  const again = await run('withdraw')
  t.is(again.code, 0, again.stderr)
  t.is(again.stdout, 'Nothing is owed.\n')
})

test('a running receiver is asked to do it, and goes on selling', async (t) => {
  const system = await given(t)
  const { run, tokens, client, channels } = system
  const running = await startProgram(t, system, ['-c', 'receiver.yaml'])
  const dry = await run('--json', 'close-all', '--dry-run')
  t.is(dry.code, 0, dry.stderr)
  t.like(JSON.parse(dry.stdout), { dry_run: true, planned_sum: '70', transactions: { length: 0 } })
  t.is(await tokens(), 0n)
  const done = await run('close-all')
  t.is(done.code, 0, done.stderr)
  t.regex(done.stdout, /got 0\.00000000000000007 TKN:/)
  t.is(await tokens(), 70n)
  for (const channel of channels) {
    t.is(await client.channelInfo({ ...channel, receiver: running.receiver }), undefined)
  }
  t.is((await fetch(`${running.url}/cm`)).status, 200)
})

test('gas above the configured price is said, and nothing is sent', async (t) => {
  const { run, tokens } = await given(t, ['mostGasPrice: 0.000000001 gwei'])
  const { code, stdout } = await run('withdraw')
  t.is(code, 3)
  t.regex(stdout, /Gas costs more than mostGasPrice allows/)
  t.regex(stdout, /left 0\.00000000000000007 TKN in 2 channels/)
  t.is(await tokens(), 0n)
})

test('only what is worth it is taken out: by each channel, and by the price of gas in gwei', async (t) => {
  const { run, tokens, channels } = await given(t)
  const [first] = channels
  for (const [args, left] of [
    [['withdraw', '--least', '41 units'], 70n],
    [['withdraw', '--gas-price', '0.000000001'], 70n],
    [['withdraw', '--most-gas-price', '0.000000001 gwei'], 70n],
    [['close-all', '--minimum-amount', '41 units'], 70n],
    [['withdraw', '--minimum-amount', '40 units', '--gas-price', '1000'], 30n],
    [['close-all', '--least', '31 units', '--gas-price', '1000'], 30n],
  ] as const) {
    const { code, stderr, stdout } = await run(...args)
    t.is(code, /gas-price/.test(args[1]) ? 3 : 0, `${args.join(' ')}: ${stdout}${stderr}`)
    t.is(70n - (await tokens()), left, args.join(' '))
  }
  const wrong = await run('withdraw', '--least', '1 EUR')
  t.is(wrong.code, 2)
  t.regex(wrong.stderr, /1 EUR/)
  t.is((await run('withdraw', '--least', `${first?.claims.highest} units`)).code, 0)
  t.is(await tokens(), 70n)
})

for (const running of [false, true]) {
  const how = running ? 'a running receiver' : 'without a running one'
  test(`one channel is closed, or all with nothing due as well: ${how}`, async (t) => {
    const system = await given(t)
    const { run, tokens, client, channels, receiverAccount } = system
    if (running) await startProgram(t, system, ['-c', 'receiver.yaml'])
    const isOpen = async (channel: BackupChannel) =>
      (await client.channelInfo({ ...channel, receiver: receiverAccount.address })) !== undefined
    const [first, second] = channels
    if (first === undefined || second === undefined) return t.fail()
    const name = `${first.sender}/${first.openBlock}`
    const dry = await run('close', name, '--dry-run')
    t.is(dry.code, 0, dry.stderr)
    t.regex(dry.stdout, /from 1 channels/)
    t.true(await isOpen(first))
    const done = await run('close', name.toLowerCase())
    t.is(done.code, 0, done.stderr)
    t.deepEqual([await isOpen(first), await isOpen(second), await tokens()], [false, true, 30n])
    for (const wrong of [`${first.sender}/1`, first.sender, 'nobody/5']) {
      const { code, stderr } = await run('close', wrong)
      t.true(code === 2 || code === 3 || code === 1, `${code} ${stderr}`)
      t.notRegex(stderr, /\n +at /)
    }
    t.is((await run('withdraw', '--least', '40 units')).code, 0)
    t.is(await tokens(), 70n)
    const nothing = await run('close-all')
    t.is(nothing.code, 0)
    t.true(await isOpen(second))
    const every = await run('close-all', '--every')
    t.is(every.code, 0, every.stderr)
    t.deepEqual([await isOpen(second), await tokens()], [false, 70n])
  })
}

test('what is typed counts for a running receiver, too', async (t) => {
  const system = await given(t)
  const { run, tokens } = system
  await startProgram(t, system, ['-c', 'receiver.yaml'])
  const dear = await run('withdraw', '--gas-price', '0.000000001')
  t.is(dear.code, 3, dear.stderr)
  t.is((await run('withdraw', '--least', '41 units')).code, 0)
  t.is(await tokens(), 0n)
  const done = await run('withdraw', '--minimum-amount', '40 units', '--gas-price', '1000')
  t.is(done.code, 0, done.stderr)
  t.is(await tokens(), 40n)
})
