// Connections that take a place and give nothing, in a process of their own.
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'

export type Attack = 'do nothing' | 'read nothing'

export interface Orders {
  readonly attack: Attack
  readonly port: number
  readonly connections: number
  /** Of an answer that is large and free. */
  readonly path: string
}

/** Milliseconds until one that was cut is opened again, and in which one that reads nothing is given up. */
const reopenAfter = 1000
const holdFor = 30_000

function hold(orders: Orders): void {
  const { attack, port, path } = orders
  let socket: Socket | undefined
  const again = () => {
    socket?.destroy()
    setTimeout(() => hold(orders), reopenAfter)
  }
  socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  if (attack === 'do nothing') {
    socket.resume().once('close', again)
    return
  }
  // Its answer is not read: whether it was cut is not seen then.
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  setTimeout(again, holdFor)
}

// As if it were elsewhere: the receiver's machine does not do its work.
setPriority(19)
process.once('message', (orders: Orders) => {
  for (let index = 0; index < orders.connections; index++) hold(orders)
})
