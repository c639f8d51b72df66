// Loaded before a program of the fault lab: gives its parent a hand on its clock and its disk.
import { Level } from 'level'
import type { Injection } from './orders.ts'

let clockOffset = 0
let slowest = 0

const RealDate = Date
// A step of the wall clock; timers and `performance.now` go on as they do on a real machine.
globalThis.Date = class extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + clockOffset] : given) as [number]))
  }

  static override now(): number {
    return RealDate.now() + clockOffset
  }
} as DateConstructor

type Batch = (this: Level, ...args: readonly unknown[]) => Promise<void>
const prototype = Level.prototype as unknown as { batch: Batch }
const { batch } = prototype
prototype.batch = async function (...args) {
  await wait()
  await batch.apply(this, [...args])
  await wait()
}

async function wait(): Promise<void> {
  if (slowest > 0)
    await new Promise((resolve) => setTimeout(resolve, (Math.random() * slowest) / 2))
}

process.on('message', (message: Injection | string) => {
  if (typeof message === 'string') return
  if ('clock' in message) clockOffset += message.clock
  if ('slowDisk' in message) slowest = message.slowDisk
})
// Nobody outlives the lab.
process.once('disconnect', () => process.exit(1))
