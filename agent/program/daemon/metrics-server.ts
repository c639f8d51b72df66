// Where Prometheus asks, when the configuration says so.
import { createServer } from 'node:http'
import { listenOn } from '../../proxy/listen.ts'

export interface MetricsServer {
  readonly port: number
  readonly close: () => Promise<void>
}

/** @throws UraidenError `address_in_use` */
export async function startMetrics(
  place: { readonly host: string; readonly port: number },
  text: () => string,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics'
    response.writeHead(found ? 200 : 404, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
    })
    response.end(found ? text() : 'GET /metrics\n')
  })
  await listenOn(server, place)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : place.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
