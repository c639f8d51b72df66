// x402's own facilitator on the chain of the benchmark, over HTTP as its client wants it.
import { createServer } from 'node:http'
import { x402Facilitator } from '@x402/core/facilitator'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { createWalletClient, defineChain, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const [rpcUrl, key] = process.argv.slice(2)
const account = privateKeyToAccount(key)
const chain = defineChain({
  id: 31337,
  name: 'bench',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [rpcUrl] } },
})
const client = createWalletClient({
  account,
  chain,
  transport: http(rpcUrl),
  pollingInterval: 10,
}).extend(publicActions)
const signer = toFacilitatorEvmSigner({
  address: account.address,
  readContract: (call) => client.readContract(call),
  verifyTypedData: (call) => client.verifyTypedData(call),
  writeContract: (call) => client.writeContract(call),
  sendTransaction: (call) => client.sendTransaction(call),
  waitForTransactionReceipt: (call) => client.waitForTransactionReceipt(call),
  getCode: (call) => client.getCode(call),
})
const facilitator = new x402Facilitator().register('eip155:31337', new ExactEvmScheme(signer))

const server = createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  const answer = await reply(request.url, Buffer.concat(parts).toString())
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(answer))
})

async function reply(path, text) {
  if (path === '/supported') return facilitator.getSupported()
  const { paymentPayload, paymentRequirements } = JSON.parse(text)
  return path === '/verify'
    ? facilitator.verify(paymentPayload, paymentRequirements)
    : facilitator.settle(paymentPayload, paymentRequirements)
}

server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send(user + system)
})
