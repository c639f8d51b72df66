// The stock client of x402 with our scheme: what it buys is paid by channel.
import { x402Client } from '@x402/core/client'
import { wrapFetchWithPayment } from '@x402/fetch'
import { measured } from './measured.js'

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

const { agent } = channels
await measured(pay, base, count, async () => {
  for (const { receiver, openBlock, state } of agent.channels()) {
    if (state === 'open') await agent.closeChannel(`${receiver}/${openBlock}`, {})
  }
  await agent.stop()
})
