// A bound request whose keys are in a database that is away.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import {
  createNonce,
  createRequestKey,
  deriveBoundKeys,
  formatAudience,
  sharedSecret,
  signRequest,
} from '../../../protocol/bound/index.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { receiverError } from '../../../receiver/errors/index.ts'
import { enter } from '../../../receiver/http/bound.ts'
import { createDoor } from '../../../receiver/paywall/door.ts'

const address = (byte: string) => addressOfKey(fromHex(`0x${byte.repeat(32)}`))
const contract = address('11')
const channel = { sender: address('22'), receiver: address('33'), openBlock: 7 }

function boundFields(): Record<string, string> {
  const [own, theirs] = [createRequestKey(), createRequestKey()]
  const keys = deriveBoundKeys(sharedSecret(own.privateKey, theirs.publicKey), {
    ...{ contract, chainId: 31337n, channel },
    ...{ senderKey: own.publicKey, receiverKey: theirs.publicKey },
  })
  const fields = formatAudience({ origin: 'http://shop', contract, ...channel })
  const message = { method: 'GET', path: '/data', query: '', fields: Object.entries(fields) }
  return { ...fields, ...signRequest(message, keys, { nonce: createNonce() }).fields }
}

/** What a server says whose database fails so. */
async function answerAfter(t: ExecutionContext, error: Error): Promise<string> {
  const door = createDoor({ find: () => undefined, ask: () => Promise.reject(error) })
  const server = createServer(async (request, response) => {
    const entered = enter(door, { request, response, url: '/data' })
    const said = await entered.then(
      (problem) => `${problem?.status} ${problem?.code}`,
      ({ message }) => `failed: ${message}`,
    )
    response.end(said)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return (await fetch(`http://127.0.0.1:${port}/data`, { headers: boundFields() })).text()
}

test('it is told to come again', async (t) => {
  const away = receiverError({ code: 'postgres_unavailable', message: 'It does not answer.' })
  t.is(await answerAfter(t, away), '503 postgres_unavailable')
})

test('a defect is no such reason', async (t) => {
  t.is(await answerAfter(t, new Error('a defect')), 'failed: a defect')
})
