import { fastify } from 'fastify'
import { fastifyApi, fastifyPaywall, startReceiver } from 'uraiden-pi'

const receiver = await startReceiver({
  key: { file: 'receiver-key' },
  rpcUrl: process.env.RPC ?? 'http://127.0.0.1:8545',
  contract: process.env.CONTRACT ?? '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  state: 'receiver-state', // balance proofs: worth money, keep it
  confirmations: 1, // 2 unless set; a test chain makes no block by itself
})
const app = fastify()
await app.register(fastifyApi, { receiver }) // agents bind their channels there
await app.register(fastifyPaywall, { paywall: receiver.paywall, token: receiver.token })
app.get('/reading', { config: { price: '0.005 TKN' } }, () => ({ celsius: 21.5 }))
console.log(await app.listen({ port: Number(process.env.PORT ?? 5000) }))
