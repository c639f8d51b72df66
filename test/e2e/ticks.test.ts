// Ticks from the agent to the receiver and onto the chain: real HTTP, real files, a real contract.
import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isTickForm } from '../../protocol/index.ts'
import { shownProof } from '../../receiver/channels/proofs.ts'
import { startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { startWholeSystem } from '../support/whole-system.ts'

/** Of one channel that lasts for all of it. */
const lasting = { deposit: { open: () => 300n } }

const startSystem = async (t: ExecutionContext) => startWholeSystem(t, await startEmbeddedChain())

test('a life on ticks: bought, restarted, bought, closed together; every token is where it belongs', async (t) => {
  const { base, agent, receiver, receiverAccount, senderAccount, tokensOf } = await startSystem(t)
  const first = await agent(lasting)
  for (let paid = 1; paid <= 20; paid++) {
    t.is((await first.get(`${base}/reading`)).payment?.balance, BigInt(paid) * 5n)
  }
  t.true(isTicked(receiver(), first))
  await first.stop()
  const second = await agent(lasting)
  for (let paid = 21; paid <= 24; paid++) {
    t.is((await second.get(`${base}/reading`)).payment?.balance, BigInt(paid) * 5n)
  }
  const [channel] = second.channels()
  await second.closeChannel(`${receiverAccount.address}/${channel?.openBlock ?? 0}`, base)
  t.is(await tokensOf(receiverAccount.address), 120n)
  t.is(await tokensOf(senderAccount.address), 10_000n - 120n)
})

test('after a power cut of the agent the receiver shows its tick, and nothing is paid twice', async (t) => {
  const { base, agent, folder, receiver } = await startSystem(t)
  const first = await agent({ ...lasting, store: join(folder, 'cut') })
  for (let paid = 0; paid < 7; paid++) await first.get(`${base}/reading`)
  await cp(join(folder, 'cut'), join(folder, 'left'), { recursive: true })
  const second = await agent({ ...lasting, store: join(folder, 'left') })
  t.false(second.channels()[0]?.certain)
  t.is((await second.get(`${base}/reading`)).payment?.balance, 40n)
  t.true(isTicked(receiver(), second))
})

test('a receiver that is restored from before the commitment is told it again', async (t) => {
  const { base, agent, folder, restartReceiver, receiver } = await startSystem(t)
  const buyer = await agent(lasting)
  await buyer.get(`${base}/reading`)
  await cp(join(folder, 'receiver'), join(folder, 'old'), { recursive: true })
  for (let paid = 0; paid < 4; paid++) await buyer.get(`${base}/reading`)
  await restartReceiver(async () => {
    await rm(join(folder, 'receiver'), { recursive: true })
    await rename(join(folder, 'old'), join(folder, 'receiver'))
  })
  const { payment } = await buyer.get(`${base}/reading`)
  t.is(payment?.price, 5n)
  t.true(isTicked(receiver(), buyer))
})

type System = Awaited<ReturnType<typeof startSystem>>

function isTicked(
  receiver: ReturnType<System['receiver']>,
  { address, channels }: Awaited<ReturnType<System['agent']>>,
): boolean {
  const [channel] = channels()
  const { proof } = receiver.book.ledger(address, channel?.openBlock ?? 0)
  return proof !== undefined && isTickForm(shownProof(proof))
}
