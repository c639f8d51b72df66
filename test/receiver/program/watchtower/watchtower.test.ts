// A watchtower on another machine: copies of the best proofs, and an answer to a dishonest close while
// the receiver is off.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { AbiCoder } from 'ethers'
import { parseRequestPublicKey } from '../../../../protocol/bound/index.ts'
import { openBook } from '../../../../receiver/channels/book.ts'
import { channelName } from '../../../../receiver/channels/records.ts'
import { openStore } from '../../../../receiver/channels/store.ts'
import { startPusher } from '../../../../receiver/core/watchtower/pusher.ts'
import { restoreBackup } from '../../../../receiver/server/backup/restore.ts'
import { readChain } from '../../../support/chain-read.ts'
import { challengePeriod, givenCheater } from '../../../support/cheating.ts'
import { startFaultyRpc } from '../../../support/faulty-rpc.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { until } from '../../../support/until.ts'
import { certificate, startTower, token } from '../../../support/watchtower.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

/** A receiver with a paid channel, and its watchtower. */
async function given(
  t: ExecutionContext,
  towerOptions: Parameters<typeof startTower>[2] = {},
  ca?: string,
) {
  const cheater = await givenCheater(t)
  const { receiverAccount, chain, contract, folder } = cheater
  const guarded = { chain, contract, receiver: receiverAccount.address, folder }
  const watchtower = await startTower(t, guarded, towerOptions)
  await cheater.stopped()
  const address = { url: watchtower.url, token, interval: 10, ...(ca !== undefined && { ca }) }
  const receiver = await cheater.startAgain({ watchtowers: [address] })
  await receiver.synced
  const { sender, openBlock } = cheater.channel
  return {
    ...watchtower,
    ...cheater,
    guarded,
    watched: receiver,
    towerSent: watchtower.sent,
    kept: () => watchtower.tower.balance(sender, openBlock),
    payment: (balance: bigint, openBlock = cheater.channel.openBlock) =>
      receiver.manager.registerPayment(
        {
          ...{ ...cheater.channel, openBlock, balance },
          signature: cheater.sign(balance, undefined, undefined, openBlock),
        },
        5n,
      ),
  }
}

test('the receiver is off, its sender cheats: the watchtower answers, without the receiver’s key', async (t) => {
  const system = await given(t)
  const { payment, kept, watched, requestClose, chain, tower, towerSent, client, channel } = system
  await payment(5n)
  await payment(10n)
  await until(() => kept() === 10n)
  await watched.stop()
  const { block } = await requestClose(5n)
  // The first half of the challenge period is the receiver's own.
  await chain.mine(challengePeriod / 2 - 1)
  await readChain(tower)
  t.is(await towerSent(), 0)
  t.like(tower.status(), { atRisk: 5n, answers: { length: 1, 0: { stake: 5n, state: undefined } } })
  await chain.mine(1)
  await until(async () => (await client.channelInfo(channel))?.closingBalance === 10n)
  t.is(await towerSent(), 1)
  await until(() => tower.status().atRisk === 0n)
  await chain.mine(block + challengePeriod + 1 - (await client.head()).number)
  await system.transactions.send(client.calls.settle(channel))
  t.is(await system.tokensOf(system.receiverAccount.address), 10n)
})

/** An answer takes 76 000 gas: with a base fee of 9 gwei and a tip of 1, at 10 000 units for an ether, 7.6 units. */
for (const [name, options] of [
  ['etherPrice', { etherPrice: 10_000n }],
  ['least', { least: 7n }],
  ['least, as text,', { least: '7 units' }],
] as const) {
  test(`a close over less than ${name} says is left alone, one over more is answered`, async (t) => {
    const system = await given(t, { ...options, pollInterval: 3_600_000 })
    const { payment, watched, requestClose, chain, tower, channel, openAnother } = system
    const other = await openAnother()
    await watched.refresh()
    await payment(5n)
    await payment(5n, other)
    await payment(10n, other)
    const kept = (openBlock: number) => tower.balance(channel.sender, openBlock)
    await until(() => kept(channel.openBlock) === 5n && kept(other) === 10n)
    await watched.stop()
    await requestClose(0n)
    await requestClose(0n, other)
    await chain.mine(challengePeriod / 2)
    await system.setBaseFee(9n * 10n ** 9n)
    await chain.mine(1)
    await tower.refresh()
    await until(async () => (await system.infoOf(other))?.closingBalance === 10n)
    await tower.refresh()
    t.like(tower.status(), { answers: { length: 1, 0: { stake: 5n, plan: 'let_go' } } })
    t.is(await system.towerSent(), 1)
  })
}

test('a receiver that answers itself leaves nothing to do', async (t) => {
  const { payment, kept, requestClose, isOver, chain, tower, towerSent } = await given(t)
  await payment(5n)
  await until(() => kept() === 5n)
  await requestClose(0n)
  await until(isOver)
  await chain.mine(challengePeriod)
  await readChain(tower)
  t.is(await towerSent(), 0)
})

test('a close that the watchtower has answered is fair: the receiver does not answer again', async (t) => {
  const system = await given(t, { patience: 0 })
  const { payment, kept, watched, requestClose, client, channel, startAgain, sent } = system
  await payment(5n)
  await until(() => kept() === 5n)
  await watched.stop()
  await requestClose(0n)
  await until(async () => (await client.channelInfo(channel))?.closingBalance === 5n)
  const back = await startAgain()
  await back.synced
  await readChain(back)
  t.deepEqual(back.settlement.status().answers, [])
  t.is(await sent(), 0)
})

test('what is not the sender’s best proof for this receiver is refused', async (t) => {
  const system = await given(t)
  const { push, kept, channel, sign, contract, receiverAccount, chain, tower } = system
  const owner = { chain_id: '31337', contract, receiver: receiverAccount.address }
  const proof = (balance: bigint, signature: string = sign(balance)) => ({
    sender: channel.sender,
    open_block: channel.openBlock,
    balance: `${balance}`,
    signature,
  })
  const verdictsOf = async (...proofs: readonly object[]) => {
    const answer = await push({ ...owner, proofs })
    t.is(answer.status, 200)
    return ((await answer.json()) as { readonly verdicts: readonly string[] }).verdicts
  }
  t.deepEqual(await verdictsOf(proof(10n)), ['stored'])
  t.deepEqual(await verdictsOf(proof(10n), proof(9n), proof(11n)), [
    'outdated',
    'outdated',
    'stored',
  ])
  const foreign = chain.accounts[7]?.privateKey ?? '0x'
  t.deepEqual(
    await verdictsOf(
      proof(20n, sign(20n, foreign)),
      proof(20n, sign(19n)),
      { ...proof(20n), open_block: channel.openBlock + 1 },
      proof(20n, sign(20n, undefined, 'seed')),
    ),
    ['invalid', 'invalid', 'invalid', 'stored'],
  )
  t.is(kept(), 20n)
  for (const other of [
    { chain_id: '1' },
    { contract: receiverAccount.address },
    { receiver: channel.sender },
  ]) {
    const answer = await push({ ...owner, ...other, proofs: [proof(30n)] })
    t.is(answer.status, 409)
    t.like(await answer.json(), { code: 'push_of_another' })
  }
  for (const malformed of [
    {},
    { ...owner, proofs: [{ ...proof(30n), balance: '-1' }] },
    { ...owner, proofs: [{ ...proof(30n), balance: 1e30 }] },
    { ...owner, proofs: [{ ...proof(30n), signature: '0x00' }] },
    { ...owner, proofs: [{ ...proof(30n), open_block: 2 ** 32 }] },
    { ...owner, proofs: Array.from({ length: 501 }, () => proof(30n)) },
  ]) {
    t.is((await push(malformed)).status, 400)
  }
  for (const authorization of ['', `Bearer ${token}x`, `Basic ${token}`, `bearer ${token}`]) {
    const answer = await push({ ...owner, proofs: [proof(30n)] }, authorization)
    t.is(answer.status, 401)
    t.is(answer.headers.get('www-authenticate'), 'Bearer')
  }
  t.is(kept(), 20n)
  t.is(tower.status().proofs, 1)
})

test('a watchtower keeps its proofs over a restart, and only those of one receiver', async (t) => {
  const system = await given(t)
  const { payment, kept, stop, guarded, chain, contract, receiverAccount, channel } = system
  await payment(5n)
  await until(() => kept() === 5n)
  await stop()
  const again = await startTower(t, guarded)
  t.is(again.tower.balance(channel.sender, channel.openBlock), 5n)
  await again.stop()
  const other = { ...guarded, receiver: channel.sender }
  await t.throwsAsync(startTower(t, other), { code: 'state_of_another' })
  const owner = { chainId: chain.chainId, contract, account: receiverAccount.address }
  await t.throwsAsync(openStore(`${guarded.folder}/watchtower`, owner), {
    code: 'state_of_another',
  })
})

test('a watchtower that was away is caught up with; how far behind it is can be seen', async (t) => {
  const system = await given(t)
  const { payment, kept, watched, stop, guarded, url, channel } = system
  await payment(5n)
  await until(() => kept() === 5n)
  await until(() => watched.watchtowers()[0]?.behind === 0)
  t.deepEqual(watched.watchtowers(), [
    { watchtower: url, behind: 0, behindFor: 0, trouble: undefined },
  ])
  await stop()
  for (let balance = 10n; balance <= 50n; balance += 5n) await payment(balance)
  await until(() => watched.watchtowers()[0]?.trouble !== undefined)
  const [status] = watched.watchtowers()
  t.is(status?.behind, 1)
  t.true((status?.behindFor ?? 0) > 0)
  t.regex(status?.trouble ?? '', /cannot be reached/)
  const back = await startTower(t, guarded, { port: Number(new URL(url).port) })
  await until(() => back.tower.balance(channel.sender, channel.openBlock) === 50n)
  await until(() => watched.watchtowers()[0]?.behind === 0)
})

test('over TLS, with an authority of its own; without it nothing is sent', async (t) => {
  const tls = await certificate()
  const { payment, kept, watched, url, startAgain } = await given(t, { tls }, tls.cert)
  t.true(url.startsWith('https://'))
  await payment(5n)
  await until(() => kept() === 5n)
  await payment(10n)
  await watched.stop()
  const untrusting = await startAgain({ watchtowers: [{ url, token, interval: 10 }] })
  await until(() => untrusting.watchtowers()[0]?.trouble !== undefined)
  t.regex(untrusting.watchtowers()[0]?.trouble ?? '', /certificate/)
})

test('what came just before the receiver stopped still reaches the watchtower', async (t) => {
  const { payment, kept, watched } = await given(t)
  await payment(5n)
  await watched.stop()
  t.is(kept(), 5n)
})

test('a wrong token is told, and stops no payment', async (t) => {
  const { kept, url, watched, startAgain, channel, sign } = await given(t)
  await watched.stop()
  const wrong = await startAgain({ watchtowers: [{ url, token: `${token}x`, interval: 10 }] })
  await wrong.synced
  const payment = { ...channel, balance: 5n, signature: sign(5n) }
  t.is((await wrong.manager.registerPayment(payment, 5n)).kind, 'paid')
  await until(() => /answered 401/.test(wrong.watchtowers()[0]?.trouble ?? ''))
  t.is(kept(), 0n)
})

test('a watchtower that is full refuses new channels and still takes higher proofs of those it knows', async (t) => {
  const { payment, kept, watched, openAnother, sign, channel, tower } = await given(t, {
    mostChannels: 1,
  })
  await payment(5n)
  await until(() => kept() === 5n)
  const other = await openAnother()
  await until(() => watched.book.get(channel.sender, other) !== undefined)
  const signature = sign(5n, undefined, undefined, other)
  await watched.manager.registerPayment(
    { ...channel, openBlock: other, balance: 5n, signature },
    5n,
  )
  await until(() => /no room/.test(watched.watchtowers()[0]?.trouble ?? ''))
  await payment(10n)
  await until(() => kept() === 10n)
  await until(() => watched.watchtowers()[0]?.behind === 1)
  t.is(tower.status().proofs, 1)
})

test('payments on a channel are sent as one copy, however many there are', async (t) => {
  const { channel, contract, receiverAccount, sign, stop } = await given(t)
  await stop()
  const balances: string[][] = []
  let release: () => void = () => undefined
  const first = new Promise<void>((resolve) => {
    release = resolve
  })
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { proofs } = JSON.parse(Buffer.concat(chunks).toString())
    balances.push(proofs.map(({ balance }: { readonly balance: string }) => balance))
    if (balances.length === 1) await first
    response.end(JSON.stringify({ verdicts: proofs.map(() => 'stored') }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const owner = { chainId: 31337n, contract, receiver: receiverAccount.address }
  const store = await openStore(await temporaryFolder(t), { ...owner, account: owner.receiver })
  t.teardown(() => store.close())
  const book = await openBook(store)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pusher = startPusher({ url, token, interval: 1, book, owner })
  t.teardown(() => pusher.stop())
  for (let balance = 1n; balance <= 20n; balance++) {
    const proof = { signature: sign(balance), form: 'eip712' as const }
    const claims = { highest: balance, unclaimed: [] }
    await book.putLedger(channel, { claims, proof, agreedToClose: false })
    if (balance === 1n) await until(() => balances.length === 1)
  }
  release()
  await until(() => pusher.status().behind === 0)
  t.deepEqual(balances, [['1'], ['20']])
})

test('a contract without challenge cannot be watched, and that is said', async (t) => {
  const { chain, contract, receiverAccount, folder } = await givenCheater(t)
  const version = AbiCoder.defaultAbiCoder().encode(['string'], ['0.2.0'])
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method, params }) => {
    const { data } = (params[0] ?? {}) as { readonly data?: string }
    const asksVersion = method === 'eth_call' && data?.startsWith('0x54fd4d50')
    return asksVersion ? { answer: version } : undefined
  })
  const guarded = { chain, contract, receiver: receiverAccount.address, folder }
  await t.throwsAsync(startTower(t, guarded, { rpcUrl: node.url }), {
    code: 'contract_version_unsupported',
  })
})

test('keys and agreements are kept too; a receiver that has lost its state gets back what stops payments', async (t) => {
  const { watched, channel, payment, kept, url, sign } = await given(t)
  const { sender, openBlock } = channel
  const backup = async () => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${url}/api/1/backup`, { headers })).text()
  }
  t.is((await fetch(`${url}/api/1/backup`)).status, 401)
  await payment(5n)
  await until(() => kept() === 5n)
  const requestKey = (number: bigint) => ({
    key: parseRequestPublicKey(`0x02${'11'.repeat(32)}`),
    number,
  })
  const bind = (block: number, number: bigint) => {
    const ledger = watched.book.ledger(sender, block)
    return watched.book.putLedger(
      { sender, openBlock: block },
      { ...ledger, requestKey: requestKey(number) },
    )
  }
  await bind(openBlock, 7n)
  // Of a channel that has not paid, too.
  await bind(openBlock + 1, 8n)
  await watched.manager.agreeToClose(sender, openBlock, 5n)
  await until(async () => (await backup()).includes('agreedToClose'))
  await until(() => watched.watchtowers().every(({ behind }) => behind === 0))
  const state = join(await temporaryFolder(t), 'restored')
  const { contract, address: receiver, chainId } = watched
  await restoreBackup({ text: await backup(), state, contract, receiver })
  const store = await openStore(state, { chainId, contract, account: receiver })
  t.teardown(store.close)
  const { ledgers, fence } = await store.load()
  // Nobody but the receiver could say that it is the sender's; the fence keeps what is not bound out.
  t.regex(await backup(), /"requestKey":\["0x0211/)
  t.like(ledgers.get(channelName(sender, openBlock)), {
    requestKey: undefined,
    agreedToClose: true,
    claims: { highest: 5n },
    proof: { signature: sign(5n) },
  })
  t.is(fence, 'next')
})

test('a watchtower of before takes proofs as it did, and is not asked for more twice', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    request.resume().once('end', () => {
      if (request.url === '/api/1/proofs') response.end('{"verdicts":["stored"]}')
      else response.writeHead(404).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const cheater = await givenCheater(t)
  await cheater.stopped()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const receiver = await cheater.startAgain({ watchtowers: [{ url, token, interval: 5 }] })
  await receiver.synced
  const { sender, openBlock } = cheater.channel
  const key = parseRequestPublicKey(`0x02${'11'.repeat(32)}`)
  for (const number of [1n, 2n]) {
    const ledger = receiver.book.ledger(sender, openBlock)
    await receiver.book.putLedger(cheater.channel, { ...ledger, requestKey: { key, number } })
    const payment = { ...cheater.channel, balance: 5n * number, bound: true as const }
    await receiver.manager.registerPayment(
      { ...payment, signature: cheater.sign(payment.balance) },
      5n,
    )
    await until(() => receiver.watchtowers().every(({ behind }) => behind === 0))
  }
  t.is(asked.filter((path) => path === '/api/1/records').length, 1)
  t.true(asked.filter((path) => path === '/api/1/proofs').length >= 2)
})
