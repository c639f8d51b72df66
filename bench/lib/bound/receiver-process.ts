// The real receiver, in a process of its own so that its processor time is its own.
import { createKeySigner } from '../../../platform/keys/index.ts'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { startReceiverOn } from '../../../receiver/core/receiver.ts'
import { createReceiverServer } from '../../../receiver/index.ts'
import { stillChain } from '../../../test/lab/chains/still-chain.ts'
import { channelOf, keys, price, token } from './parties.ts'

const [state = '', contractText = '', version = '0.3.0'] = process.argv.slice(2)
const contract = addressOfKey(fromHex(contractText))
const chain = stillChain({
  ...{ chainId: 31337n, contract, token, version, head: 20 },
  channels: [channelOf()],
})
// The channel is younger than this state, as every channel that pays unbound.
const store = await openStore(state, {
  ...{ chainId: 31337n, contract },
  account: addressOfKey(fromHex(keys.receiver)),
})
await store.saveFence(0)
await store.close()
const receiver = await startReceiverOn(chain.connected, {
  signer: createKeySigner(fromHex(keys.receiver)),
  ...{ contract, state, pollInterval: 3_600_000, now: () => 0 },
})
await receiver.synced
const handler = () => ({ celsius: 21.4 })
const server = await createReceiverServer(receiver, [
  { path: '/paid', price, handler },
  { path: '/free', price: 0n, handler },
])
const base = await server.listen({ host: '127.0.0.1', port: 0 })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.send?.(base)
