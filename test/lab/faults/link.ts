// A TCP connection that misbehaves: it stands between two programs, in this process. It needs no
// privileges and no kernel module, unlike tc netem.
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { createTurns } from '../../../platform/async/turns.ts'
import type { Fault } from './schedule.ts'

export interface Link {
  readonly url: string
  /** Sets in what it misbehaves; the returned function mends that. */
  readonly suffer: (fault: LinkFault) => () => void
  /** Breaks what is open; what was on its way is lost. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

export type LinkFault = Extract<Fault, { readonly link: unknown }>

/** `target` is a TCP port on 127.0.0.1. */
export async function startLink(target: number, random: () => number): Promise<Link> {
  const suffered = new Set<LinkFault>()
  const open = new Set<Socket>()
  let mended: (() => void)[] = []
  const now = <Kind extends LinkFault['kind']>(kind: Kind) =>
    [...suffered].filter((fault) => fault.kind === kind) as Extract<LinkFault, { kind: Kind }>[]

  async function hold(way: 'to' | 'from'): Promise<void> {
    const most = Math.max(0, ...now('delay').map((fault) => fault.most))
    if (most > 0) await new Promise((resolve) => setTimeout(resolve, random() * most))
    while (now('partition').some((fault) => fault.way === 'both' || fault.way === way)) {
      await new Promise<void>((resolve) => mended.push(resolve))
    }
  }

  function carry(from: Socket, to: Socket, way: 'to' | 'from'): void {
    const turns = createTurns()
    const inTurn = (work: () => void) => void turns.take(() => hold(way).then(work))
    from.on('data', (chunk) => {
      if (now('loss').some(({ chance }) => random() < chance)) return void from.destroy()
      if (way === 'to' && isRequest(chunk)) duplicate(chunk)
      inTurn(() => void to.write(chunk))
    })
    from.once('end', () => inTurn(() => void to.end()))
    // An error is followed by a close.
    from.on('error', () => undefined)
    from.once('close', () => {
      open.delete(from)
      inTurn(() => void to.destroy())
    })
  }

  function duplicate(request: Buffer): void {
    if (!now('duplicate').some(({ chance }) => random() < chance)) return
    const second = keep(dial(target, '127.0.0.1'))
    second.on('error', () => undefined)
    second.on('data', () => second.end())
    second.once('close', () => open.delete(second))
    second.write(request)
  }

  function keep(socket: Socket): Socket {
    open.add(socket)
    return socket.setNoDelay(true)
  }

  const server = createServer((client) => {
    if (now('refuse').length > 0) return void client.destroy()
    const upstream = keep(dial(target, '127.0.0.1'))
    carry(keep(client), upstream, 'to')
    carry(upstream, client, 'from')
  })
  const port = await listen(server)
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${port}`,
    suffer: (fault) => {
      suffered.add(fault)
      return () => {
        suffered.delete(fault)
        const waiting = mended
        mended = []
        for (const resolve of waiting) resolve()
      }
    },
    cut,
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The port, of the system's choice. */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Of HTTP, in one piece: what a middlebox may send twice. */
function isRequest(chunk: Buffer): boolean {
  return chunk.subarray(0, 4).toString('latin1') === 'GET '
}
