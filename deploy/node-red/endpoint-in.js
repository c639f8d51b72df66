// Paid endpoint in: a message for each request that is paid for. Endpoint out answers it.
const { keyOf } = require('./lib/shop.js')

module.exports = (RED) => {
  RED.nodes.registerType('uraiden-endpoint-in', function EndpointInNode(config) {
    RED.nodes.createNode(this, config)
    const seller = RED.nodes.getNode(config.receiver)
    const { method = 'GET', path = '', price } = config
    const key = keyOf(method, path)
    let endpoint
    let closed = false
    if (!seller || !path.startsWith('/')) {
      this.error('It needs a receiver, and a path that begins with /.')
      return
    }
    this.status({ fill: 'yellow', shape: 'ring', text: 'starts' })
    const begin = async ({ receiver }) => {
      const { expressPaywall } = await import('uraiden-pi')
      if (closed) return
      if (seller.shop.endpoints.has(key)) throw new Error(`${key} is sold by another node.`)
      endpoint = {
        paywall: expressPaywall(receiver, { price }),
        sold: (request, response, payload) =>
          this.send(sold(RED, config, { request, response, payload })),
      }
      seller.shop.endpoints.set(key, endpoint)
      this.status({ fill: 'green', shape: 'dot', text: `${key}: ${price}` })
    }
    seller.opened.then(begin).catch((error) => {
      this.status({ fill: 'red', shape: 'ring', text: error.code ?? 'failed' })
      this.error(error.message)
    })
    this.on('close', () => {
      closed = true
      if (endpoint && seller.shop.endpoints.get(key) === endpoint) seller.shop.endpoints.delete(key)
    })
  })
}

/** An answer that does not come in time is a failure, and costs nothing. */
function sold(RED, { timeout }, { request, response, payload }) {
  const seconds = Number(timeout) || 30
  const timer = setTimeout(() => {
    if (!response.headersSent) response.writeHead(504).end('The flow has not answered.\n')
  }, seconds * 1000)
  response.once('close', () => clearTimeout(timer))
  // As Node-RED's own `http in` has them, so that its `http response` answers too.
  return { _msgid: RED.util.generateId(), req: request, res: { _res: response }, payload }
}
