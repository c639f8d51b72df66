// Paid request: asks, pays what is asked within the agent's budget, and passes the answer on.
module.exports = (RED) => {
  RED.nodes.registerType('uraiden-request', function RequestNode(config) {
    RED.nodes.createNode(this, config)
    const agent = RED.nodes.getNode(config.agent)
    this.on('input', async (message, send, done) => {
      try {
        if (!agent) throw new Error('no agent is chosen')
        this.status({ fill: 'blue', shape: 'dot', text: 'asks' })
        const answer = await agent.buy(requestOf(config, message))
        send(answered(message, answer, config.returns))
        const { payment } = answer
        this.status({
          fill: 'green',
          shape: 'dot',
          text: payment ? `paid ${payment.cost}` : 'free',
        })
        done()
      } catch (error) {
        this.status({ fill: 'red', shape: 'ring', text: error.code ?? 'failed' })
        // For a catch node; its code says why nothing was paid.
        message.error = { code: error.code, hint: error.hint }
        done(error)
      }
    })
  })
}

function requestOf(config, message) {
  const url = config.url || message.url
  if (!url) throw new Error('there is no URL, neither here nor in msg.url')
  const method = (config.method === 'use' ? message.method : config.method) || 'GET'
  const headers = { ...message.headers }
  const body = method === 'GET' ? undefined : bodyOf(message.payload, headers)
  return { url, method, headers, body, mostPrice: config.mostPrice || message.mostPrice }
}

function bodyOf(payload, headers) {
  if (payload === undefined || typeof payload === 'string' || Buffer.isBuffer(payload))
    return payload
  headers['content-type'] ??= 'application/json'
  return JSON.stringify(payload)
}

function answered(message, { status, headers, body, payment }, returns) {
  return {
    ...message,
    payload: payloadOf(body, returns),
    statusCode: status,
    headers,
    payment,
  }
}

function payloadOf(body, returns) {
  if (returns === 'buffer') return body
  const text = body.toString()
  return returns === 'object' ? JSON.parse(text) : text
}
