// Attacks on whole exchanges (spec of bound requests, 4 and 6 to 8): real agent, real receivers, and somebody who
// uses what was said elsewhere.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Shop } from '../../fuzz/trust/shop.ts'
import { stillChain } from '../../lab/chains/still-chain.ts'
import {
  type Asked,
  field,
  forward,
  inTheMiddle,
  type Said,
  withFields,
} from '../../support/bound-receiver.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  agentWithChannel,
  chainId,
  contract,
  receiverKey,
  sender,
  senderKey,
  terms,
  token,
} from '../../support/lying-receiver.ts'

const deposit = 1_000_000n
const { receiver } = terms

/** A shop of the account of `key`, with a channel from the other one. */
async function shopOf(t: ExecutionContext, key: string): Promise<Shop> {
  const parties =
    key === receiverKey ? { sender, receiver } : { sender: receiver, receiver: sender }
  const chain = stillChain({
    ...{ chainId, contract, token, head: 20 },
    channels: [{ ...parties, openBlock: 7, deposit }],
  })
  const shop = new Shop({ key, contract, chain, state: join(await temporaryFolder(t), 'receiver') })
  await shop.start()
  t.teardown(() => shop.stop())
  return shop
}

async function givenMiddle(t: ExecutionContext) {
  const shop = await shopOf(t, receiverKey)
  const seen: { readonly asked: Asked; readonly said: Said }[] = []
  let tell: (said: Said, asked: Asked) => Said | undefined = (said) => said
  const origin = await inTheMiddle(t, async (asked) => {
    const said = await forward(shop.origin, asked)
    seen.push({ asked, said })
    return tell(said, asked)
  })
  const agent = await agentWithChannel(
    t,
    { bound: 'require', receivers: [receiver], deposit: { mostInAll: 0n } },
    { deposit },
  )
  const payments = () => seen.filter(({ asked }) => field(asked, 'rdn-balance') !== '')
  return {
    ...{ shop, origin, agent, seen, payments },
    tell: (by: typeof tell) => {
      tell = by
    },
  }
}

test('6: the answer to a request is none to another one of the same interval', async (t) => {
  const { agent, origin, payments, shop, tell } = await givenMiddle(t)
  await agent.get(`${origin}/r/plain/1`)
  tell((said, asked) => (field(asked, 'rdn-balance') === '' ? said : undefined))
  await t.throwsAsync(agent.get(`${origin}/r/plain/2`), { code: 'answer_lost' })
  const first = payments().at(-1)
  t.is(field(first?.asked ?? { fields: [] }, 'rdn-balance'), '10')
  // The interval is in doubt, so the next request offers it again.
  tell((said, asked) => (field(asked, 'rdn-balance') === '10' ? first?.said : said))
  await t.throwsAsync(agent.get(`${origin}/r/plain/3`), { code: 'answer_lost' })
  const second = payments().at(-1)
  t.regex(second?.asked.path ?? '', /3$/)
  t.is(field(second?.asked ?? { fields: [] }, 'rdn-balance'), '10')
  t.is(shop.served.length, 2)
})

test('7: what the receiver has signed is no request', async (t) => {
  const { agent, origin, payments, shop } = await givenMiddle(t)
  await agent.get(`${origin}/r/plain/1`)
  const [paid] = payments()
  if (paid === undefined) return t.fail()
  const { asked, said } = paid
  const answered = {
    Signature: field(said, 'signature'),
    'Signature-Input': field(said, 'signature-input'),
  }
  for (const path of [asked.path, '/r/plain/2']) {
    for (const change of [answered, { Signature: answered.Signature }]) {
      const back = await forward(shop.origin, withFields({ ...asked, path }, change))
      t.is(back.status, 401)
    }
  }
  t.is(shop.served.length, 1)
})

test('8: what A has sent to B is worth nothing from B to A', async (t) => {
  const { agent, origin, seen } = await givenMiddle(t)
  const back = await shopOf(t, senderKey)
  await agent.get(`${origin}/r/plain/1`)
  const swapped = (asked: Asked): Asked => ({
    ...withFields(asked, {
      'RDN-Sender-Address': receiver,
      'RDN-Receiver-Address': sender,
    }),
    path: asked.path.replace(sender, receiver),
  })
  for (const { asked } of seen) {
    for (const sent of [asked, swapped(asked)]) {
      const said = await forward(back.origin, sent)
      const isAsked = asked.method === 'GET' && field(asked, 'signature') === ''
      t.true(isAsked || said.status >= 400, `${asked.method} ${asked.path}: ${said.status}`)
      t.is(field(said, 'rdn-balance-signature'), '')
    }
  }
  t.deepEqual(back.served, [])
  t.is(back.receiver.book.ledger(receiver, 7).requestKey, undefined)
})

test('4: what an attacker adds to choose another answer is not seen by price or resource', async (t) => {
  const { agent, origin, payments, shop, tell } = await givenMiddle(t)
  tell((said, asked) => (field(asked, 'rdn-balance') === '' ? said : undefined))
  await t.throwsAsync(agent.get(`${origin}/r/plain/1`), { code: 'answer_lost' })
  await shop.stop()
  await shop.start()
  const added = { 'Content-Type': 'text/html', Prefer: 'return=minimal', Range: 'bytes=0-1' }
  const more = { Accept: 'text/html', 'X-HTTP-Method-Override': 'DELETE', Cookie: 'a=b' }
  const [paid] = payments()
  if (paid === undefined) return t.fail()
  const said = await forward(shop.origin, withFields(paid.asked, { ...added, ...more }))
  t.is(said.status, 200)
  t.deepEqual(
    shop.served.map(({ chosen }) => chosen),
    shop.served.map(() => ({})),
  )
})
