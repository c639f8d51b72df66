// What a power cut leaves of a file of JSON lines: its length may reach the disk before what was written does, and what
// is missing reads as zeros. JSON has none. They begin where the last sync ended, or in a line that came after it.
import { type FileHandle, open } from 'node:fs/promises'
import { lineFacts } from './entry.ts'
import { readAt } from './line-file.ts'

/** Bytes from the end in which zeros are looked for: more is written between two syncs by nobody. */
const mostLooked = 1 << 20

const newline = 0x0a

/**
 * Takes away lines of ours in which zeros are: the last one is cut off, one before others becomes empty lines. Whatever
 * may be somebody else's stays. Resolves with the size after it.
 */
export async function mendZeros(path: string, handle: FileHandle, size: number): Promise<number> {
  const start = Math.max(0, size - mostLooked)
  const tail = await readAt(handle, start, size)
  for (let from = 0; ; ) {
    const damage = damageIn(tail, from, start === 0)
    if (damage === undefined) return size
    const { begin, end } = damage
    if (end === tail.length) {
      await handle.truncate(start + begin)
      return start + begin
    }
    tail.fill(newline, begin, end)
    await overwrite(path, tail.subarray(begin, end), start + begin)
    from = end
  }
}

interface Damage {
  readonly begin: number
  /** Behind its newline, where it has one. */
  readonly end: number
}

/** The first line with zeros, if it is ours. `isAll`: nothing is before these bytes. */
function damageIn(tail: Buffer, from: number, isAll: boolean): Damage | undefined {
  const zero = tail.indexOf(0, from)
  if (zero < 0) return undefined
  const begin = tail.lastIndexOf(newline, zero) + 1
  // A line that is longer than all that is looked at is not judged.
  if (begin === 0 && !isAll) return undefined
  let behind = zero
  while (tail[behind] === 0) behind += 1
  const found = tail.indexOf(newline, behind)
  const end = found < 0 ? tail.length : found + 1
  if (!isBegun(tail.subarray(begin, zero)) || !isAfterOurs(tail.subarray(0, begin))) return
  const rest = tail.subarray(behind, end)
  // Zeros up to where a line begins, which lost nothing.
  if (lineFacts(rest.toString('utf8')) !== undefined) return { begin, end: behind }
  return isRest(rest) ? { begin, end } : undefined
}

const opening = '{"id":"'

function isBegun(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  return text.startsWith(opening) || opening.startsWith(text)
}

/** Nothing, or a line of ours with empty ones behind it. */
function isAfterOurs(before: Buffer): boolean {
  const text = before.toString('utf8').trimEnd()
  return text === '' || lineFacts(text.slice(text.lastIndexOf('\n') + 1)) !== undefined
}

/** The end of a line of ours, or nothing. */
function isRest(bytes: Buffer): boolean {
  return bytes.length === 0 || /^\}?\n$/.test(bytes.subarray(-2).toString('latin1'))
}

/** By a handle of its own: one that appends writes at the end, wherever it is told to. */
async function overwrite(path: string, bytes: Buffer, at: number): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.write(bytes, 0, bytes.length, at)
  } finally {
    await handle.close()
  }
}
