// The real receiver on a chain that mines each transaction at once, in a process of its own: it sells by channel and
// by x402, settled by its own account. Says its URL, and at each message the microseconds of CPU that it has used.
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex, parseAddress } from '../../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../../receiver/index.ts'

const [rpcUrl = '', contract = '', asset = '', key = '', state = ''] = process.argv.slice(2)
const receiver = await startReceiver({
  signer: createKeySigner(fromHex(key)),
  ...{ rpcUrl, contract: parseAddress(contract), state, confirmations: 1 },
  ...{ pollInterval: 500, transactionPoll: 10 },
  accept: { x402: { asset: parseAddress(asset), tokenPrice: '1 USD', least: 5n } },
})
await receiver.synced
const handler = () => ({ celsius: 21.4 })
const server = await createReceiverServer(receiver, [{ path: '/paid', price: 5n, handler }])
const base = await server.listen({ host: '127.0.0.1', port: 0 })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.send?.(base)
