// Who is paid: key, chain, contract and state of a receiver.yaml. What is sold is in the flows.
const { shopOf } = require('./lib/shop.js')

module.exports = (RED) => {
  RED.nodes.registerType('uraiden-receiver', function ReceiverNode(config) {
    RED.nodes.createNode(this, config)
    const shop = shopOf(RED.httpNode)
    this.shop = shop
    // The editor reads the content of every request below its own path, and leaves none for the channel API. It also
    // has no business in the origin of what is sold.
    const beside = (RED.settings.httpAdminRoot ?? '/') === '/'
    this.opened = beside
      ? Promise.reject(new Error(`Set httpAdminRoot in settings.js, to '/admin' for instance.`))
      : open(shop, config.configuration)
    this.opened.catch((error) => this.error(`${error.message} ${error.hint ?? ''}`.trim()))
    this.on('close', (done) => {
      this.opened
        .then(async ({ receiver, api }) => {
          if (shop.api === api) shop.api = undefined
          await receiver.stop()
        })
        .catch(() => undefined)
        .then(() => done())
    })
  })
}

async function open(shop, configuration) {
  const { receiverApi, startReceiverFrom } = await import('uraiden-pi')
  const receiver = await startReceiverFrom(configuration)
  const api = await receiverApi(receiver)
  if (shop.api) {
    await receiver.stop()
    throw new Error('There is another receiver: one Node-RED is one shop.')
  }
  shop.api = api
  return { receiver, api }
}
