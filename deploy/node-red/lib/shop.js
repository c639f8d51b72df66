// What a Node-RED sells: one handler in its express, which asks here what there is now. Express itself forgets no
// route, so it gets one only.

/** Of a request that carries more is no copy made. */
const mostBytes = 2 ** 20

const shops = new WeakMap()

/** The shop of this express application, the same at every call. */
exports.shopOf = (app) => {
  const known = shops.get(app)
  if (known) return known
  const shop = { api: undefined, endpoints: new Map() }
  shops.set(app, shop)
  app.use((request, response, next) => {
    if (!shop.api) return next()
    // The channel API comes first: agents open and bind their channels there.
    return shop.api(request, response, () => serve(shop, request, response, next))
  })
  return shop
}

exports.keyOf = (method, path) => `${method.toUpperCase()} ${path}`

function serve({ endpoints }, request, response, next) {
  const endpoint = endpoints.get(exports.keyOf(request.method, request.path))
  if (!endpoint) return next()
  // Paid first, read afterwards: the paywall looks at the content itself.
  return endpoint.paywall(request, response, (error) => {
    if (error) return next(error)
    read(request).then(
      (body) => endpoint.sold(request, response, body),
      (failed) => response.writeHead(failed.status ?? 400).end(`${failed.message}\n`),
    )
  })
}

async function read(request) {
  const parts = []
  let bytes = 0
  for await (const part of request) {
    bytes += part.length
    if (bytes > mostBytes)
      throw Object.assign(new Error('the content is too large'), { status: 413 })
    parts.push(part)
  }
  const text = Buffer.concat(parts)
  if (bytes === 0) return request.query
  const type = request.headers['content-type'] ?? ''
  if (/^application\/([\w.-]+\+)?json\b/.test(type)) return JSON.parse(text.toString())
  return /^text\//.test(type) ? text.toString() : text
}
