// Who pays: a library of its own with the key and budgets of an agent.yaml, or an agent that runs, through its proxy.
const { throughProxy } = require('./lib/proxy.js')

module.exports = (RED) => {
  RED.nodes.registerType('uraiden-agent', function AgentNode(config) {
    RED.nodes.createNode(this, config)
    /** Opened by the first purchase: a flow that buys nothing needs no chain. */
    let opened
    const open = () => {
      opened ??= import('uraiden-pi').then(({ createAgentFrom }) =>
        createAgentFrom(config.configuration),
      )
      // What could not be opened is tried again by the next purchase.
      opened.catch(() => {
        opened = undefined
      })
      return opened
    }
    this.buy =
      config.via === 'proxy'
        ? throughProxy(config.proxy)
        : async (wanted) => bought(await open(), wanted)
    this.on('close', (done) => {
      const ending = opened?.then((agent) => agent.stop())
      Promise.resolve(ending).then(() => done(), done)
    })
  })
}

async function bought(agent, { url, method, headers, body, mostPrice }) {
  const { answer, status, payment } = await agent.request(url, {
    method,
    headers,
    body,
    ...(mostPrice && { mostPrice }),
  })
  return {
    status,
    headers: answer.headers,
    body: Buffer.from(answer.body),
    payment: payment && {
      cost: String(payment.cost),
      price: String(payment.price),
      channel: payment.channel,
      authentic: payment.authentic,
    },
  }
}
