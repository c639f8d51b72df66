// The stock client of x402: fetch, wrapped. Its caps do not know the token of the benchmark, so they are off.
import { x402Client } from '@x402/core/client'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment } from '@x402/fetch'
import { privateKeyToAccount } from 'viem/accounts'

const [key, base, count] = process.argv.slice(2)
const client = x402Client.fromConfig({
  schemes: [{ network: 'eip155:31337', client: new ExactEvmScheme(privateKeyToAccount(key)) }],
  spendControls: false,
})
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
process.exit(0)
