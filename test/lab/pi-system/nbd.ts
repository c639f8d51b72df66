// A network block device over a Unix socket: the disk of the emulated machine is a program of ours, so that
// it can lose power. https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, fixed newstyle
// with simple replies, which is all that qemu asks for.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

export interface BlockDevice {
  /** Bytes. */
  readonly size: number
  readonly read: (offset: number, length: number) => Buffer
  readonly write: (offset: number, data: Buffer) => void
  /** What was written before is durable afterwards. */
  readonly flush: () => void
}

const option = { abort: 2, go: 7 }
const reply = { ack: 1, info: 3, unsupported: 0x80000001 }
const command = { read: 0, write: 1, disconnect: 2, flush: 3 }
/** Has flags, can be told to flush. */
const transmissionFlags = 0b101
/** EINVAL. */
const invalid = 22

/** Takes one client after the other. Close the server's connections with `closeAllConnections`. */
export async function serveBlocks(socketPath: string, device: BlockDevice): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    serve(socket, device).catch(() => socket.destroy())
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return server
}

async function serve(socket: Socket, device: BlockDevice): Promise<void> {
  const take = reader(socket)
  socket.write(Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), Buffer.from([0, 3])]))
  await take(4)
  if (await negotiate(socket, take, device.size)) await transmit(socket, take, device)
  socket.end()
}

type Take = (length: number) => Promise<Buffer>

function reader(socket: Socket): Take {
  const chunks = socket[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  return async (length) => {
    const parts = [held]
    let has = held.length
    while (has < length) {
      const { value, done } = await chunks.next()
      if (done) throw new Error('the client is gone')
      parts.push(value)
      has += value.length
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts)
    held = all.subarray(length)
    return all.subarray(0, length)
  }
}

/** Whether the client wants to go on. */
async function negotiate(socket: Socket, take: Take, size: number): Promise<boolean> {
  for (;;) {
    const header = await take(16)
    const asked = header.readUInt32BE(8)
    await take(header.readUInt32BE(12))
    const answer = (type: number, data: Uint8Array = new Uint8Array()) => {
      const head = Buffer.alloc(20)
      head.writeBigUInt64BE(0x3e889045565a9n)
      head.writeUInt32BE(asked, 8)
      head.writeUInt32BE(type, 12)
      head.writeUInt32BE(data.length, 16)
      socket.write(Buffer.concat([head, data]))
    }
    if (asked === option.go) {
      const facts = Buffer.alloc(12)
      facts.writeBigUInt64BE(BigInt(size), 2)
      facts.writeUInt16BE(transmissionFlags, 10)
      answer(reply.info, facts)
      answer(reply.ack)
      return true
    }
    answer(asked === option.abort ? reply.ack : reply.unsupported)
    if (asked === option.abort) return false
  }
}

async function transmit(socket: Socket, take: Take, device: BlockDevice): Promise<void> {
  for (;;) {
    const header = await take(28)
    const type = header.readUInt16BE(6)
    const offset = Number(header.readBigUInt64BE(16))
    const length = header.readUInt32BE(24)
    const answer = (error: number, data: Uint8Array = new Uint8Array()) => {
      const head = Buffer.alloc(16)
      head.writeUInt32BE(0x67446698)
      head.writeUInt32BE(error, 4)
      header.copy(head, 8, 8, 16)
      socket.write(Buffer.concat([head, data]))
    }
    if (type === command.disconnect) return
    if (type === command.read) answer(0, device.read(offset, length))
    else if (type === command.write) {
      device.write(offset, await take(length))
      answer(0)
    } else if (type === command.flush) {
      device.flush()
      answer(0)
    } else answer(invalid)
  }
}
