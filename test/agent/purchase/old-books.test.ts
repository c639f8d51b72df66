// An agent whose state is a few payments old, as after a restored backup: an honest receiver is not accused, and
// one that cheats gains a payment by it, once.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  agentOn,
  agentWithChannel,
  asks,
  chainId,
  contract,
  lyingReceiver,
  type Script,
  senderKey,
  serves,
  terms,
} from '../../support/lying-receiver.ts'

const proof = (balance: bigint) =>
  balanceProof({
    ...{ domain: { contract, chainId }, receiver: terms.receiver },
    ...{ openBlock: 7, balance, key: senderKey },
  })

/** It has a proof over `stands`, and takes what is one price above. */
function honest(stands: bigint, features: readonly 'parallel'[] = []): Script {
  let balance = stands
  const more = { features: new Set(features) }
  return ({ payment }) => {
    if (payment === undefined) return asks(more)
    if (payment.balance !== balance + terms.price) {
      const shown = balance === 0n ? {} : { signature: proof(balance) }
      return asks({ ...more, senderBalance: balance, ...shown })
    }
    balance = payment.balance
    return serves(more)
  }
}

for (const features of [[], ['parallel']] as const) {
  for (const old of [5n, 10n, 15n, 20n, 25n]) {
    test(`state of ${old} where the receiver has 25, ${features}: corrected, paid once, nobody accused`, async (t) => {
      const receiver = await lyingReceiver(t, honest(25n, features))
      const agent = await agentWithChannel(t, {}, { signed: old, bound: old })
      t.is((await agent.get(receiver.url)).status, 200)
      t.is(receiver.highest(), 30n)
      t.is(agent.channels()[0]?.balance, 30n)
      t.deepEqual(agent.behaviour(), [])
      // And on as if nothing had been.
      t.is((await agent.get(receiver.url)).status, 200)
      t.is(receiver.highest(), 35n)
    })
  }
}

/** It keeps every payment, and serves those that it has to. */
function cheater(serving: (payments: number) => boolean): Script {
  let payments = 0
  return ({ payment }) => {
    if (payment === undefined) return asks()
    if (serving(payments++)) return serves()
    return asks({ senderBalance: payment.balance, signature: payment.signature })
  }
}

async function restarting(t: ExecutionContext) {
  const store = join(await temporaryFolder(t), 'agent')
  let agent = await agentWithChannel(t, { store })
  return {
    get: (url: string) => agent.get(url),
    behaviour: () => agent.behaviour(),
    restart: async () => {
      await agent.stop()
      agent = await agentOn(t, store)
    },
  }
}

test('one that keeps every payment gets one more on trust, and none in later processes', async (t) => {
  const receiver = await lyingReceiver(
    t,
    cheater(() => false),
  )
  const agent = await restarting(t)
  await t.throwsAsync(agent.get(receiver.url), { code: 'receiver_cheats' })
  t.is(receiver.highest(), 10n)
  await agent.restart()
  await t.throwsAsync(agent.get(receiver.url), { code: 'receiver_cheats' })
  t.is(receiver.highest(), 15n)
  await agent.restart()
  await t.throwsAsync(agent.get(receiver.url), { code: 'receiver_left_alone' })
  t.is(receiver.highest(), 15n)
})

test('one that has served in this process is taken nothing on trust', async (t) => {
  const receiver = await lyingReceiver(
    t,
    cheater((payments) => payments === 0),
  )
  const agent = await restarting(t)
  t.is((await agent.get(receiver.url)).status, 200)
  await t.throwsAsync(agent.get(receiver.url), { code: 'receiver_cheats' })
  t.is(receiver.highest(), 10n)
  t.is(agent.behaviour().length, 1)
})

test('one that keeps the first payment of each process has to serve the next one', async (t) => {
  const receiver = await lyingReceiver(
    t,
    cheater((payments) => payments % 2 === 1),
  )
  const agent = await restarting(t)
  for (let process = 1; process <= 3; process++) {
    t.is((await agent.get(receiver.url)).status, 200)
    t.is(receiver.highest(), BigInt(process) * 10n)
    await agent.restart()
  }
})
