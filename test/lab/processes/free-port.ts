import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'

/**
 * A TCP port on 127.0.0.1 that nothing listened on a moment ago. The system gives it to nobody who asks for
 * any port, so that a server can leave it and come back to it while others come and go.
 */
export async function freePort(): Promise<number> {
  const end = Math.min(await firstGivenByTheSystem(), 65_536)
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (end - lowest))
    if (await isFree(port)) return port
  }
}

/** Below are the ports of well-known services. */
const lowest = 10_240

async function firstGivenByTheSystem(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '')
  const first = Number.parseInt(range, 10)
  // Where the system gives nearly all of them there is nothing better than any.
  return first >= 2 * lowest ? first : 65_536
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
