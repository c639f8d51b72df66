// The file of a spool: a line with the name of what it lies upon, then a line for each batch. Each begins with a
// checksum, so that what was being written when a process was killed is not read.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { StateOperation } from './state.ts'

export interface FoundSpool {
  readonly name: string
  readonly batches: readonly (readonly StateOperation[])[]
  /** Bytes up to the end of its last whole record. */
  readonly length: number
}

/** Of a new file. */
export function beginOfSpool(name: string, batch: readonly StateOperation[]): Buffer {
  return Buffer.concat([spoolLine({ name }), spoolLine(batch)])
}

/** JSON has no line ends. */
export function spoolLine(record: object): Buffer {
  const text = JSON.stringify(record)
  return Buffer.from(`${checksum(text)} ${text}\n`)
}

const digits = 16

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

const newline = 0x0a

/** Up to the first record that is not whole. Undefined where there is none that can be read. */
export async function readSpool(path: string): Promise<FoundSpool | undefined> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const records: unknown[] = []
  let length = 0
  for (;;) {
    const end = bytes.indexOf(newline, length)
    if (end < 0) break
    const line = bytes.toString('utf8', length, end)
    const text = line.slice(digits + 1)
    if (line.slice(0, digits) !== checksum(text)) break
    records.push(JSON.parse(text))
    length = end + 1
  }
  const [begin, ...batches] = records
  if (begin === undefined) return undefined
  const { name } = begin as { readonly name: string }
  return { name, batches: batches as FoundSpool['batches'], length }
}
