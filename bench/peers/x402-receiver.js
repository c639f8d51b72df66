// The stock server of x402: express with its middleware, as its README has it.
import { HTTPFacilitatorClient } from '@x402/core/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import express from 'express'

const [facilitator, asset, payTo, name, version] = process.argv.slice(2)
const network = 'eip155:31337'
const resources = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator })).register(
  network,
  new ExactEvmScheme(),
)
const price = { amount: '5', asset, extra: { name, version } }
const app = express()
app.use(
  paymentMiddleware(
    {
      'GET /paid': {
        accepts: { scheme: 'exact', price, network, payTo },
        description: 'a reading',
      },
    },
    resources,
  ),
)
app.get('/paid', (_, response) => response.json({ celsius: 21.4 }))
const server = app.listen(0, '127.0.0.1', () =>
  process.send(`http://127.0.0.1:${server.address().port}`),
)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send(user + system)
})
