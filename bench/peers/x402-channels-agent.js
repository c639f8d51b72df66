// The stock client of x402 with our scheme: what it buys is paid by channel.
import { x402Client } from '@x402/core/client'
import { wrapFetchWithPayment } from '@x402/fetch'

const [ours, base, rpcUrl, contract, key, store, count] = process.argv.slice(2)
const { createChannelsScheme, createKeySigner } = await import(ours)
const bytes = Uint8Array.from(Buffer.from(key.slice(2), 'hex'))
const channels = await createChannelsScheme({
  ...{ signer: createKeySigner(bytes), rpcUrl, chainId: 31337n, contract, store },
  retryInterval: 50,
})
const client = new x402Client()
  .register(channels.network, channels)
  .setSpendControls({ allowedAssets: true })
const pay = wrapFetchWithPayment(fetch, client)

async function ask() {
  const answer = await pay(`${base}/paid`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  await answer.json()
}

for (let warmUp = 0; warmUp < 10; warmUp++) await ask()
process.send('warm')
await new Promise((resolve) => process.once('message', resolve))
const before = process.cpuUsage()
for (let request = 0; request < Number(count); request++) await ask()
const { user, system } = process.cpuUsage(before)
process.send(user + system)
await new Promise((resolve) => process.once('message', resolve))
const { agent } = channels
for (const { receiver, openBlock, state } of agent.channels()) {
  if (state === 'open') await agent.closeChannel(`${receiver}/${openBlock}`, {})
}
await agent.stop()
process.exit(0)
