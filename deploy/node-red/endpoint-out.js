// Paid endpoint out: answers. A status of 500 or more is a failure of the seller's, and costs nothing.
module.exports = (RED) => {
  RED.nodes.registerType('uraiden-endpoint-out', function EndpointOutNode(config) {
    RED.nodes.createNode(this, config)
    this.on('input', (message, _send, done) => {
      const response = message.res?._res
      if (!response) return done(new Error('The message does not come from a paid endpoint.'))
      if (response.headersSent) return done(new Error('It is answered already, or too late.'))
      try {
        answer(response, message, Number(config.statusCode) || 0)
        done()
      } catch (error) {
        if (!response.headersSent) response.writeHead(500).end()
        done(error)
      }
    })
  })
}

function answer(response, { payload, statusCode, headers }, status) {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  response.statusCode = status || statusCode || 200
  if (payload === undefined) response.end()
  else if (typeof payload === 'string' || Buffer.isBuffer(payload)) response.end(payload)
  else {
    if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(payload))
  }
}
