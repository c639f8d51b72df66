// The emulated card forgets what it must and keeps what it must: else the power cuts prove nothing.

import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openCard } from '../../lab/pi-system/card.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sector = 512
const size = 8 * sector
const command = { read: 0, write: 1, flush: 3 }

test('what was flushed survives a power cut, what was not is lost sector by sector', async (t) => {
  const { card, image, client } = await insert(t)
  await client.write(0, Buffer.alloc(2 * sector, 1))
  await client.flush()
  await client.write(sector, Buffer.alloc(3 * sector, 2))
  const chances = [0.9, 0.1, 0.9]

  t.deepEqual(
    card.losePower(() => chances.shift() ?? 1),
    { unflushed: 3, lost: 2 },
  )

  const kept = await readFile(image)
  t.deepEqual(sectors(kept), [1, 1, 2, 0, 0, 0, 0, 0])
})

test('the guest reads what it has written, flushed or not', async (t) => {
  const { client } = await insert(t)
  await client.write(sector, Buffer.alloc(sector, 1))
  await client.flush()
  await client.write(2 * sector, Buffer.alloc(sector, 2))
  t.deepEqual(sectors(await client.read(0, size)), [0, 1, 2, 0, 0, 0, 0, 0])
})

test('a card that is taken out in order has everything', async (t) => {
  const { card, image, client } = await insert(t)
  await client.write(7 * sector, Buffer.alloc(sector, 3))
  await card.close()
  t.deepEqual(sectors(await readFile(image)), [0, 0, 0, 0, 0, 0, 0, 3])
})

test('nothing reaches a card without power', async (t) => {
  const { card, image, client } = await insert(t)
  card.losePower(() => 1)
  await t.throwsAsync(client.write(0, Buffer.alloc(sector, 1)))
  t.deepEqual(sectors(await readFile(image)), [0, 0, 0, 0, 0, 0, 0, 0])
})

test('counts what the guest writes', async (t) => {
  const { card, client } = await insert(t)
  await client.write(0, Buffer.alloc(2 * sector, 1))
  await client.write(0, Buffer.alloc(sector, 1))
  await client.flush()
  t.deepEqual(card.counts(), { bytes: 3 * sector, writes: 2, flushes: 1 })
})

async function insert(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const image = join(folder, 'image')
  await writeFile(image, Buffer.alloc(size))
  const socket = join(folder, 'socket')
  const card = await openCard(image, socket)
  const client = await attach(connect(socket))
  t.teardown(card.close)
  return { card, image, client }
}

/** The first byte of each. */
function sectors(bytes: Buffer): readonly (number | undefined)[] {
  return Array.from({ length: size / sector }, (_, at) => bytes[at * sector])
}

/** What qemu says to it, one request after the other. */
async function attach(socket: Socket) {
  const take = taker(socket)
  await take(18)
  socket.write(Buffer.from([0, 0, 0, 3]))
  // NBD_OPT_GO for the export without a name.
  const go = Buffer.concat([
    Buffer.from('IHAVEOPT'),
    Buffer.from([0, 0, 0, 7, 0, 0, 0, 6]),
    Buffer.alloc(6),
  ])
  socket.write(go)
  const facts = (await take(20 + 12)).subarray(20)
  if (facts.readBigUInt64BE(2) !== BigInt(size)) throw new Error('the export has another size')
  await take(20)
  const request = async (type: number, offset: number, length: number, data = Buffer.alloc(0)) => {
    const header = Buffer.alloc(28)
    header.writeUInt32BE(0x25609513)
    header.writeUInt16BE(type, 6)
    header.write('a cookie', 8)
    header.writeBigUInt64BE(BigInt(offset), 16)
    header.writeUInt32BE(length, 24)
    socket.write(Buffer.concat([header, data]))
    const answer = await take(16)
    if (answer.readUInt32BE(4) !== 0) throw new Error(`error ${answer.readUInt32BE(4)}`)
    if (answer.toString('utf8', 8) !== 'a cookie') throw new Error('an answer to something else')
  }
  return {
    read: async (offset: number, length: number) => {
      await request(command.read, offset, length)
      return take(length)
    },
    write: (offset: number, data: Buffer) =>
      request(command.write, offset, data.length, Buffer.from(data)),
    flush: () => request(command.flush, 0, 0),
  }
}

function taker(socket: Socket): (length: number) => Promise<Buffer> {
  const chunks = socket[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  return async (length) => {
    while (held.length < length) {
      const { value, done } = await chunks.next()
      if (done) throw new Error('the card is gone')
      held = Buffer.concat([held, value])
    }
    const taken = held.subarray(0, length)
    held = held.subarray(length)
    return taken
  }
}
