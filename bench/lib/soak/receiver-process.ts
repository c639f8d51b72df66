// The receiver of the soak: every body it serves is another one, and is written down.
import { openSync, writeSync } from 'node:fs'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { createReceiverServer, startReceiver } from '../../../receiver/index.ts'
import type { ReceiverOrders, ReceiverReport } from './protocol.ts'

async function serve(orders: ReceiverOrders): Promise<void> {
  const { key, rpcUrl, contract, state, port } = orders
  const log = openSync(orders.log, 'a')
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(key)),
    rpcUrl,
    contract,
    state,
    pollInterval: 50,
    confirmations: 1,
  })
  await receiver.synced
  let served = 0
  const handler = () => {
    const number = `${process.pid}-${++served}`
    writeSync(log, `${number}\n`)
    return { number, celsius: 21.4 }
  }
  const reading = { path: '/reading', price: BigInt(orders.price), handler }
  // As uraiden-receiver stops: what is being answered is answered.
  const server = await createReceiverServer(receiver, [reading], { closing: 'when idle' })
  const base = await server.listen({ host: '127.0.0.1', port })
  const report = (): void => {
    const claimed = [...receiver.book.all()].reduce(
      (sum, { claims }) => sum + claimedSum(claims),
      0n,
    )
    const said: ReceiverReport = { base, claimed: `${claimed}` }
    process.send?.(said)
  }
  process.once('message', async () => {
    await server.close()
    report()
    await receiver.stop()
    process.disconnect()
  })
  report()
}

// Not without the soak.
process.once('disconnect', () => process.exit(0))
process.once('message', (orders: ReceiverOrders) => void serve(orders))
