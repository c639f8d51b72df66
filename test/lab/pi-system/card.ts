// The SD card: an image in a file behind a cache that forgets when the power goes. What the guest was not
// told to be durable may be on the card afterwards or not, sector by sector, as chance has it.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { type BlockDevice, serveBlocks } from './nbd.ts'

const sector = 512

export interface CardCounts {
  /** Bytes that the guest has written since the card was put in. */
  readonly bytes: number
  readonly writes: number
  readonly flushes: number
}

export interface PowerLoss {
  /** Sectors that were written and not flushed. */
  readonly unflushed: number
  /** Those of them that are not on the card. */
  readonly lost: number
}

export interface Card {
  /** For qemu. */
  readonly address: string
  readonly counts: () => CardCounts
  /** Nothing reaches it any more. `random` says which of the unflushed sectors are kept. */
  readonly losePower: (random: () => number) => PowerLoss
  /** Takes it out after an orderly end: what is unflushed is written. */
  readonly close: () => Promise<void>
}

/** `socketPath` is made and removed. */
export async function openCard(image: string, socketPath: string): Promise<Card> {
  const memory = volatileImage(image)
  await rm(socketPath, { force: true })
  const server = await serveBlocks(socketPath, memory.device)
  const clients = new Set<Socket>()
  server.on('connection', (client) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
  })
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    memory.close()
    const closed = new Promise((resolve) => server.close(resolve))
    for (const client of clients) client.destroy()
    await closed
  }
  return {
    address: `nbd+unix:///?socket=${socketPath}`,
    counts: memory.counts,
    losePower: memory.losePower,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function volatileImage(image: string) {
  const file = openSync(image, 'r+')
  const { size } = fstatSync(file)
  let powered = true
  const unflushed = new Map<number, Buffer>()
  const counts = { bytes: 0, writes: 0, flushes: 0 }
  const keep = (at: number, data: Buffer) => writeSync(file, data, 0, sector, at * sector)
  const flush = () => {
    for (const [at, data] of unflushed) keep(at, data)
    unflushed.clear()
  }
  const demandPower = () => {
    if (!powered) throw new Error('the card has no power')
  }
  const device: BlockDevice = {
    size,
    read: (offset, length) => {
      demandPower()
      const data = Buffer.alloc(length)
      readSync(file, data, 0, length, offset)
      for (let at = offset / sector; at * sector < offset + length; at++) {
        unflushed.get(at)?.copy(data, at * sector - offset)
      }
      return data
    },
    write: (offset, data) => {
      demandPower()
      counts.writes++
      counts.bytes += data.length
      for (let start = 0; start < data.length; start += sector) {
        unflushed.set((offset + start) / sector, Buffer.from(data.subarray(start, start + sector)))
      }
    },
    flush: () => {
      demandPower()
      counts.flushes++
      flush()
    },
  }
  return {
    device,
    counts: () => ({ ...counts }),
    losePower: (random: () => number): PowerLoss => {
      powered = false
      const all = unflushed.size
      let lost = 0
      for (const [at, data] of unflushed) {
        if (random() < 0.5) keep(at, data)
        else lost++
      }
      unflushed.clear()
      return { unflushed: all, lost }
    },
    close: () => {
      if (powered) flush()
      powered = false
      closeSync(file)
    },
  }
}
