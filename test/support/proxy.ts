// A paying proxy on a system with a chain and a receiver, and programs that are not written in Node.
import { execFile } from 'node:child_process'
import { createConnection } from 'node:net'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import { createReceivers } from '../../agent/program/configuration/receivers.ts'
import { type ProxyOptions, startProxy } from '../../agent/proxy/server.ts'
import { parseAddress } from '../../protocol/index.ts'

export const token = { symbol: 'TKN', decimals: 18 }

/** Pays `room`, which is at `base`, with `agent`. Port 0 and the socket are what `options` say. */
export async function startTestProxy(
  t: ExecutionContext,
  agent: Pick<Agent, 'stream'>,
  base: string,
  options: Partial<ProxyOptions> = {},
) {
  const defects: unknown[] = []
  const proxy = await startProxy({
    stream: (url, request) => agent.stream(url, request),
    token,
    receivers: createReceivers({
      config: { receivers: { room: { url: base } }, contract: parseAddress(`0x${'1'.repeat(40)}`) },
      browse: async () => [],
      pins: { all: () => new Map(), put: async () => undefined },
    }),
    listen: { host: '127.0.0.1', port: 0 },
    programs: [],
    withoutToken: 'pay',
    others: 'refuse',
    connect: 'refuse',
    cookies: 'drop',
    timeout: 30_000,
    mostBody: 1000,
    mostAtOnce: 64,
    onDefect: (error) => defects.push(error),
    ...options,
  })
  t.teardown(() => proxy.close(0))
  return { proxy, url: `http://127.0.0.1:${proxy.port}`, defects }
}

export interface CurlAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** What curl prints with `-i`, read. Rejects when curl itself fails. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-i', '--max-time', '60', ...args])
  const parts = stdout.split('\r\n\r\n')
  // A 100 or a proxy's 200 to CONNECT comes before the answer.
  const at = parts.findIndex((part) => !/^HTTP\/1.1 (1|200 Conn)/.test(part))
  const [statusLine = '', ...lines] = (parts[at] ?? '').split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(headers),
    body: parts.slice(at + 1).join('\r\n\r\n'),
  }
}

/** Sends these bytes and resolves with all that comes until the other side closes. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(bytes))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()))
  })
}
