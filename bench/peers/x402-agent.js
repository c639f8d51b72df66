// The stock client of x402: fetch, wrapped. Its caps do not know the token of the benchmark, so they are off.
import { x402Client } from '@x402/core/client'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment } from '@x402/fetch'
import { privateKeyToAccount } from 'viem/accounts'
import { measured } from './measured.js'

const [key, base, count] = process.argv.slice(2)
const client = x402Client.fromConfig({
  schemes: [{ network: 'eip155:31337', client: new ExactEvmScheme(privateKeyToAccount(key)) }],
  spendControls: false,
})
const pay = wrapFetchWithPayment(fetch, client)

await measured(pay, base, count)
