// The receiver of the fault lab: sells readings, and writes down which it has handed over.
import { appendFileSync } from 'node:fs'
import type { FastifyRequest } from 'fastify'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, isUraidenError } from '../../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../../receiver/index.ts'
import { paidBy } from '../torture/paid-by.ts'
import type { FromProgram, ReceiverOrders, ToReceiver } from './orders.ts'

const orders: ReceiverOrders = JSON.parse(process.argv[2] ?? '{}')
const { key, rpcUrl, contract, state, port, price, servedFile, seed, database } = orders

const receiver = await startReceiver({
  signer: createKeySigner(fromHex(key)),
  rpcUrl,
  contract,
  state,
  database,
  pollInterval: 100,
  confirmations: 1,
  verifierThreads: 1,
  relay: {},
})
await receiver.synced
const ran = new WeakSet<FastifyRequest>()
const server = await createReceiverServer(receiver, [
  {
    path: '/reading',
    price: BigInt(price),
    handler: (request) => {
      if (fails(nameOf(request))) throw new Error('the sensor is unplugged')
      ran.add(request)
      return { celsius: 21.4 }
    },
  },
])
// After the paywall's own hook: a reply that could not be kept is an error by now, and costs nothing.
server.addHook('onSend', async (request, reply, payload) => {
  // The page cache outlives the process.
  if (reply.statusCode === 200 && ran.has(request)) {
    appendFileSync(servedFile, `${nameOf(request)} ${paidBy(request.headers)}\n`)
  }
  return payload
})
await server.listen({ host: '127.0.0.1', port })
const ready: FromProgram = { ready: true }
process.send?.(ready)

process.on('message', async (message: ToReceiver) => {
  if (message === 'withdraw') await withdraw()
  if (message !== 'stop') return
  await server.close()
  await receiver.stop()
  process.exit(0)
})

/** Not while the chain is away, or another one runs. */
async function withdraw(): Promise<void> {
  await receiver.settlement.withdrawAll().catch((error) => {
    if (!isUraidenError(error)) throw error
  })
}

function nameOf({ query }: FastifyRequest): string {
  return (query as { readonly request: string }).request
}

/** One in sixteen requests, always the same ones of a seed. */
function fails(name: string): boolean {
  const sum = [...name].reduce((all, letter) => Math.imul(all, 31) + letter.charCodeAt(0), seed)
  return (sum & 15) === 0
}
