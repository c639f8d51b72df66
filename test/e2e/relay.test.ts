// A device without ether: the receiver sends its transactions.
import type { ServerResponse } from 'node:http'
import test from 'ava'
import { createKeySigner } from '../../agent/index.ts'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import {
  addressOfKey,
  type Feature,
  fromHex,
  parseAddress,
  parseSignature,
} from '../../protocol/index.ts'
import { asks, lyingReceiver, type Script, serves } from '../support/lying-receiver.ts'
import { startSystem } from '../support/system.ts'

const senderKey = fromHex(`0x${'77'.repeat(32)}`)
const sender = addressOfKey(senderKey)

/** A receiver that relays, written after section 8: it can only send what was signed. */
async function givenRelay(t: Parameters<typeof startSystem>[0], change: (body: Asked) => Asked) {
  const { chain, contract, receiverAccount, agent, transferTokens } = await system(t)
  await transferTokens(sender, 1000n)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const signer = createKeySigner(fromHex(receiverAccount.privateKey))
  const account = createTransactionSender({ chain: client, signer, pollInterval: 20 })
  const { token } = await client.contractFacts()
  const features = new Set<Feature>(['relay', 'eip712'])
  const terms = { contract, token, receiver: receiverAccount.address, features }
  const send = async (path: string, asked: Asked, response: ServerResponse): Promise<void> => {
    const field = (name: string): string => asked[name] ?? ''
    const permit = {
      deadline: BigInt(field('deadline')),
      signature: parseSignature(field('permit_signature')),
    }
    const parties = {
      sender: parseAddress(field('sender_address')),
      receiver: receiverAccount.address,
    }
    const call = path.endsWith('/open')
      ? client.calls.createChannelFor(
          { ...parties, deposit: BigInt(field('deposit')) },
          permit,
          parseSignature(field('open_signature')),
        )
      : client.calls.topUpFor(
          { ...parties, openBlock: Number(field('open_block')) },
          BigInt(field('added_deposit')),
          permit,
          parseSignature(field('top_up_signature')),
        )
    try {
      const { transaction } = await account.send(call)
      response.end(JSON.stringify({ transaction_hash: transaction }))
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ detail: (error as Error).message }))
    }
  }
  const script: Script = ({ request, payment, body }, response) => {
    const { url = '' } = request
    if (!url.startsWith('/api/1/relay')) return payment ? serves(terms) : asks(terms)
    send(url, change(JSON.parse(body)), response)
    return undefined
  }
  const { url } = await lyingReceiver(t, script)
  return { url, buyer: await agent({ signer: createKeySigner(senderKey) }), client }
}

interface Asked {
  readonly [field: string]: string
}

async function system(t: Parameters<typeof startSystem>[0]) {
  const started = await startSystem(t)
  const { chain, token } = started
  const transferTokens = async (to: string, amount: bigint): Promise<void> => {
    await (await token.getFunction('transfer(address,uint256)')(to, amount)).wait()
  }
  return { ...started, chain, transferTokens }
}

test('opened and topped up by the receiver, without any ether', async (t) => {
  const { url, buyer, client } = await givenRelay(t, (asked) => asked)
  t.is(await client.etherBalance(sender), 0n)
  for (let reading = 0; reading < 11; reading++) t.is((await buyer.get(url)).status, 200)
  t.like(buyer.channels()[0], { deposit: 75n, balance: 55n })
  t.is(await client.tokenBalance(sender), 1000n - 75n)
})

test('a relay cannot take more than was signed for', async (t) => {
  const { url, buyer, client } = await givenRelay(t, (asked) => ({ ...asked, deposit: '999' }))
  await t.throwsAsync(buyer.get(url), { code: 'relay_refused', message: /InvalidSenderSignature/ })
  t.deepEqual(buyer.channels(), [])
  t.is(await client.tokenBalance(sender), 1000n)
})
