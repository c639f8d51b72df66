// A receiver that has agreed to a close takes no more payments on that channel, also when the agent never
// got the agreement: it must not pay there in vain, and the close is to be finished.
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import { readChain } from '../support/chain-read.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { crashCopy } from '../support/folder.ts'
import { price, startSystem } from '../support/system.ts'

type Loss = 'request' | 'answer' | undefined

/** In front of a receiver: what is lost on the way to it or back is decided request by request. */
async function startLossyFront(
  t: ExecutionContext,
  base: string,
  loses: (method: string) => Loss | Promise<Loss>,
): Promise<string> {
  const front = createServer(async (request, response) => {
    const { method = 'GET', headers } = request
    const loss = await loses(method)
    if (loss === 'request') return void response.destroy()
    const onwards = httpRequest(new URL(request.url ?? '/', base), { method, headers })
    onwards.end(await text(request))
    onwards.once('response', async (answer) => {
      const body = await text(answer)
      if (loss === 'answer') return void response.destroy()
      response.writeHead(answer.statusCode ?? 500, answer.headers).end(body)
    })
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    front.closeAllConnections()
    front.close()
  })
  return `http://127.0.0.1:${(front.address() as AddressInfo).port}`
}

/** A receiver, a front that loses what the test says, and an agent with a channel. */
async function startWithChannel(t: ExecutionContext) {
  const system = await startSystem(t)
  let losing: Loss
  const url = await startLossyFront(t, system.base, (method) =>
    method === 'DELETE' ? losing : undefined,
  )
  const buyer = await system.agent()
  await buyer.get(`${url}/reading`)
  const [channel] = buyer.channels()
  const name = `${system.receiverAccount.address}/${channel?.openBlock ?? 0}` as const
  return {
    ...system,
    ...{ url, buyer, name },
    lose: (what: Loss) => {
      losing = what
    },
  }
}

const stateOf = (agent: Agent) =>
  agent
    .channels()
    .map(({ state, closeApi }) => (closeApi !== undefined && state === 'open' ? 'agreed' : state))

test('the agreement is lost: the next payment finishes the close and opens another channel', async (t) => {
  const { url, buyer, name, lose, tokensOf, receiverAccount } = await startWithChannel(t)
  lose('answer')
  await t.throwsAsync(buyer.closeChannel(name, url), { code: 'answer_lost' })
  t.deepEqual(stateOf(buyer), ['agreed'])
  t.deepEqual(buyer.unfinished(), [`close ${name}`])
  lose(undefined)
  const { status, payment } = await buyer.get(`${url}/reading`)
  t.is(status, 200)
  t.not(payment?.channel, name)
  t.deepEqual(stateOf(buyer), ['closed', 'open'])
  t.deepEqual(buyer.unfinished(), [])
  t.is(await tokensOf(receiverAccount.address), price)
})

test('while the receiver gives no agreement, another channel pays, and settle says why', async (t) => {
  const { url, buyer, name, lose } = await startWithChannel(t)
  lose('answer')
  await t.throwsAsync(buyer.closeChannel(name, url), { code: 'answer_lost' })
  for (let reading = 0; reading < 2; reading++) {
    t.is((await buyer.get(`${url}/reading`)).status, 200)
  }
  t.deepEqual(stateOf(buyer), ['agreed', 'open'])
  await t.throwsAsync(buyer.settle(), { code: 'answer_lost' })
  lose(undefined)
  t.deepEqual(await buyer.settle(), [name])
  t.deepEqual(stateOf(buyer), ['closed', 'open'])
})

test('killed with the agreement on its way: the next process does not pay there, and closes', async (t) => {
  const { url, buyer, name, lose, folder, agent } = await startWithChannel(t)
  lose('answer')
  await t.throwsAsync(buyer.closeChannel(name, url), { code: 'answer_lost' })
  lose(undefined)
  const store = await crashCopy(join(folder, 'agent'), join(folder, 'crash'))
  await buyer.stop()
  const second = await agent({ store })
  t.deepEqual(stateOf(second), ['agreed'])
  t.is((await second.get(`${url}/reading`)).status, 200)
  t.deepEqual(stateOf(second), ['closed', 'open'])
})

test('the receiver agreed and the chain is away: paying waits for the chain, then the close goes on', async (t) => {
  const { url, base, chain, buyer, name, agent } = await startWithChannel(t)
  await buyer.stop()
  let away = true
  const node = await startFaultyRpc(t, chain.rpcUrl, () => (away ? { status: 503 } : undefined))
  const second = await agent({ rpcUrl: node.url })
  await t.throwsAsync(second.closeChannel(name, base), { code: 'chain_unavailable' })
  t.deepEqual(stateOf(second), ['agreed'])
  await t.throwsAsync(second.get(`${url}/reading`), { code: 'chain_unavailable' })
  away = false
  t.is((await second.get(`${url}/reading`)).status, 200)
  t.deepEqual(stateOf(second), ['closed', 'open'])
})

test('the agreement is lost, and the receiver ends the channel by itself: nothing is left to finish', async (t) => {
  const { url, buyer, name, lose, receiver } = await startWithChannel(t)
  lose('answer')
  await t.throwsAsync(buyer.closeChannel(name, url), { code: 'answer_lost' })
  const [channel] = buyer.channels()
  await receiver.settlement.closeChannel(buyer.address, channel?.openBlock ?? 0)
  lose(undefined)
  await buyer.settle()
  t.deepEqual(stateOf(buyer), ['closed'])
  t.deepEqual(buyer.unfinished(), [])
})

test('a receiver that was never asked, or says no: the channel goes on paying', async (t) => {
  const { url, buyer, name, receiverAccount } = await startWithChannel(t)
  await t.throwsAsync(buyer.closeChannel(name, 'http://127.0.0.1:9'), {
    code: 'receiver_unreachable',
  })
  t.deepEqual(stateOf(buyer), ['open'])
  const unpaid = await buyer.openChannel(receiverAccount.address, 20n)
  await t.throwsAsync(buyer.closeChannel(unpaid, url), { code: 'close_refused' })
  t.deepEqual(stateOf(buyer), ['open', 'open'])
  const { payment } = await buyer.get(`${url}/reading`)
  t.truthy(payment)
  t.is(buyer.channels().length, 2)
})

test('payments whose answers were lost are below what the receiver agrees to: it closes at its own balance', async (t) => {
  let loses = false
  const system = await startSystem(t)
  const url = await startLossyFront(t, system.base, (method) =>
    loses && method === 'GET' ? 'request' : undefined,
  )
  const buyer = await system.agent({ repeats: 0 })
  await buyer.get(`${url}/reading`)
  const [channel] = buyer.channels()
  const name = `${system.receiverAccount.address}/${channel?.openBlock ?? 0}` as const
  loses = true
  await t.throwsAsync(buyer.get(`${url}/reading`), { code: 'answer_lost' })
  t.like(buyer.channels()[0], { balance: 2n * price, inDoubt: true })
  await buyer.closeChannel(name, system.base)
  t.is(await system.tokensOf(system.receiverAccount.address), price)
})

test('the chain has taken back an opening that the receiver never saw: another channel is opened', async (t) => {
  const system = await startSystem(t)
  // So the receiver knows the chain as it is when the request comes, and nobody has to wait for it.
  const url = await startLossyFront(t, system.base, async () => {
    await readChain(system.receiver)
    return undefined
  })
  const undo = await system.chain.snapshot()
  const buyer = await system.agent({ confirmTimeout: 0 })
  await buyer.openChannel(system.receiverAccount.address, 20n)
  await undo()
  await system.chain.mine(5)
  t.is((await buyer.get(`${url}/reading`)).status, 200)
  t.deepEqual(stateOf(buyer), ['closed', 'open'])
})
