// A stand-in for an exchange's public ticker, with a price that wanders: `stand-in.js [port]`.
import { createServer } from 'node:http'

let price = 2000

const server = createServer((request, response) => {
  if (new URL(request.url, 'http://localhost').pathname !== '/v1/pubticker/ETHUSD') {
    response.writeHead(404).end()
    return
  }
  price += Math.random() * 2 - 1
  const ticker = {
    bid: (price - 0.05).toFixed(2),
    ask: (price + 0.05).toFixed(2),
    last_price: price.toFixed(2),
    timestamp: (Date.now() / 1000).toFixed(3),
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(ticker))
})
server.listen(Number(process.argv[2] ?? 8081), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`)
})
