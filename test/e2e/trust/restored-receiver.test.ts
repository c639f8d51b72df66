// A receiver that has lost its state, or was restored from a backup, does not know all channels that were
// bound: whoever has seen their payments on the way offers all of them again.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { createReceiverServer, type Receiver, startReceiver } from '../../../receiver/index.ts'
import { backupOf } from '../../../receiver/server/backup/backup.ts'
import { restoreBackup } from '../../../receiver/server/backup/restore.ts'
import { boundClient, fieldOf, type Sent, send } from '../../support/bound-client.ts'
import { readChain } from '../../support/chain-read.ts'
import { givenChannel } from '../../support/channel.ts'
import { temporaryFolder } from '../../support/folder.ts'

type System = Awaited<ReturnType<typeof givenChannel>>

/** A bound channel with three payments, all of them seen by who stands between. */
async function given(t: ExecutionContext) {
  const system = await givenChannel(t)
  const { base } = system
  const before = await backupOf(system.receiver)
  const bound = await boundClient(base, system)
  t.true((await bound.putKey()).authentic)
  const unpaid = await backupOf(system.receiver)
  const captured: Sent[] = []
  for (const balance of [5n, 10n, 15n]) {
    const { sent } = bound.make('/reading', { balance })
    captured.push(sent)
    t.is((await send(base, sent)).status, 200)
  }
  return {
    ...system,
    captured,
    backups: { before, unpaid, paid: await backupOf(system.receiver) },
  }
}

/** The receiver's next life on `state`. */
async function nextLife(t: ExecutionContext, system: System, state: string) {
  const { chain, contract, receiverAccount } = system
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    ...{ rpcUrl: chain.rpcUrl, contract, state },
    ...{ pollInterval: 50, verifierThreads: 0, confirmations: 1 },
  })
  await receiver.synced
  let served = 0
  const handler = () => ({ served: ++served })
  const server = await createReceiverServer(receiver, [{ path: '/reading', price: 5n, handler }])
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.close().then(receiver.stop)
    return stopped
  }
  t.teardown(stop)
  return { receiver, base, stop, served: () => served }
}

async function restored(t: ExecutionContext, { receiver }: System, text: string): Promise<string> {
  const state = join(await temporaryFolder(t), 'restored')
  await restoreBackup({ text, state, contract: receiver.contract, receiver: receiver.address })
  return state
}

/** Without the signature, as headers and as cookies, with and without a word about the amount. */
function unbound({ fields }: Sent): readonly Readonly<Record<string, string>>[] {
  const kept = fields.filter(([name]) => /^RDN-(?!Origin)/.test(name))
  const bare = kept.filter(([name]) => name !== 'RDN-Payment')
  const cookie = kept.map((pair) => pair.join('=')).join('; ')
  return [Object.fromEntries(kept), Object.fromEntries(bare), { cookie }]
}

const lives: {
  readonly [name: string]: (
    t: ExecutionContext,
    system: Awaited<ReturnType<typeof given>>,
  ) => Promise<string>
} = {
  'with an empty state': (t) => temporaryFolder(t).then((folder) => join(folder, 'new')),
  'restored from a backup from before the binding': (t, system) =>
    restored(t, system, system.backups.before),
  'restored from a backup from before the first payment': (t, system) =>
    restored(t, system, system.backups.unpaid),
  'restored from the last backup': (t, system) => restored(t, system, system.backups.paid),
}

for (const [name, stateOf] of Object.entries(lives)) {
  test(`a receiver ${name} takes no captured proof unbound, and the sender goes on`, async (t) => {
    const system = await given(t)
    const { captured, channel } = system
    const { base, receiver, served } = await nextLife(t, system, await stateOf(t, system))
    for (const sent of captured) {
      for (const headers of unbound(sent)) {
        const answer = await fetch(`${base}/reading`, { headers })
        t.is(answer.status, 402)
        t.is(answer.headers.get('rdn-sender-balance'), null)
      }
    }
    const own = `${base}/api/1/channels/${channel.sender}/${channel.openBlock}`
    for (const balance of [5, 10, 15]) {
      const closed = await fetch(`${own}?balance=${balance}`, { method: 'DELETE' })
      t.false(closed.ok)
      t.notRegex(await closed.text(), /close_signature/)
    }
    t.is(served(), 0)
    t.false(receiver.book.ledger(channel.sender, channel.openBlock).agreedToClose)
    const again = await boundClient(base, system, { number: BigInt(channel.openBlock) + 1n })
    t.true((await again.putKey()).authentic)
    const paid = await again.ask('/reading', { balance: 20n })
    t.deepEqual([paid.status, paid.authentic, served()], [200, true, 1])
  })
}

async function openAnother(system: System, receiver: Receiver): Promise<number> {
  const { client, transactions, token, channel } = system
  const parties = { sender: channel.sender, receiver: channel.receiver, deposit: 100n }
  const { block } = await transactions.send(client.calls.openErc223(token, parties))
  await readChain(receiver)
  return block
}

test('channels that were opened later pay unbound as before, and so do clients of the original', async (t) => {
  const system = await givenChannel(t)
  const { headers, sign, senderAccount } = system
  const state = join(await temporaryFolder(t), 'new')
  const { base, receiver, stop } = await nextLife(t, system, state)
  const pay = async (more: Record<string, string>) =>
    (await fetch(`${base}/reading`, { headers: headers(5n, more) })).status
  t.is(await pay({}), 402)
  const seed = sign(5n, senderAccount.privateKey, 'seed')
  t.is(await pay({ 'RDN-Balance-Signature': seed }), 200)
  const block = await openAnother(system, receiver)
  const proof = sign(5n, senderAccount.privateKey, 'eip712', block)
  t.is(await pay({ 'RDN-Open-Block': `${block}`, 'RDN-Balance-Signature': proof }), 200)
  // It is on disk: another start moves nothing.
  await stop()
  const next = await nextLife(t, system, state)
  const later = {
    'RDN-Open-Block': `${block}`,
    'RDN-Balance-Signature': sign(10n, senderAccount.privateKey, 'eip712', block),
  }
  const answer = await fetch(`${next.base}/reading`, { headers: headers(10n, later) })
  t.deepEqual(
    [answer.status, fieldOf({ fields: [...answer.headers] }, 'rdn-sender-balance')],
    [200, '10'],
  )
  const old = await fetch(`${next.base}/reading`, { headers: headers(10n) })
  t.is(old.status, 402)
})
