// A purchase through the proxy of an agent that runs: docs/guides/proxy.md of uraiden-pi.
const http = require('node:http')

/** Of an answer whole in memory. */
const mostBytes = 16 * 2 ** 20

/** `address` is `host:port`, or the path of a Unix socket. */
exports.throughProxy = (address) => {
  const [host, port] = address.split(':')
  const where = address.startsWith('/') ? { socketPath: address } : { host, port }
  return ({ url, method, headers, body, mostPrice }) =>
    new Promise((resolve, reject) => {
      const { host: target } = new URL(url)
      const fields = {
        ...headers,
        host: target,
        ...(mostPrice && { 'uraiden-max-price': mostPrice }),
      }
      const request = http.request({ ...where, path: url, method, headers: fields }, (answer) => {
        read(answer)
          .then((text) => outcome(answer, text))
          .then(resolve, reject)
      })
      request.once('error', reject)
      request.end(body)
    })
}

async function read(answer) {
  const parts = []
  let bytes = 0
  for await (const part of answer) {
    bytes += part.length
    if (bytes > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The agent's own refusals are errors, as those of the library are. */
function outcome({ statusCode: status, headers }, body) {
  if (/^uraiden-agent\b/.test(headers['proxy-status'] ?? '')) throw refusal(status, body)
  const { 'uraiden-cost': cost, 'uraiden-price': price, 'uraiden-channel': channel } = headers
  const paid = cost !== undefined && cost !== '0'
  return { status, headers, body, payment: paid ? { cost, price, channel } : undefined }
}

function refusal(status, body) {
  let said = {}
  try {
    said = JSON.parse(body.toString())
  } catch {}
  return Object.assign(new Error(said.detail ?? said.title ?? `the agent answers ${status}`), {
    code: said.code,
  })
}
