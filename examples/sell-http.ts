import { createServer } from 'node:http'
import { httpPaywall, receiverApi, startReceiver } from 'uraiden-pi'

const receiver = await startReceiver({
  key: { file: 'receiver-key' },
  rpcUrl: process.env.RPC ?? 'http://127.0.0.1:8545',
  contract: process.env.CONTRACT ?? '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  state: 'receiver-state',
  confirmations: 1,
})
const paid = httpPaywall(receiver, { price: '0.005 TKN' }, (_request, response) => {
  response.setHeader('content-type', 'application/json').end('{"celsius":21.5}')
})
const api = await receiverApi(receiver)
const server = createServer((request, response) => {
  api(request, response, () => paid(request, response))
})
const port = Number(process.env.PORT ?? 5000)
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))
