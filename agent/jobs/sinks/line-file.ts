// A file of lines that is appended to. A process killed in the middle of a line leaves its beginning at the end,
// and so does a person whose editor ends no line: whose it is decides who opened the file.
// A full one gets a number: `readings.jsonl.7` is newer than `readings.jsonl.6`. Numbers only rise, so that
// one rename rotates, whatever the clock says.
import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Milliseconds } from '../../../platform/time/clock.ts'

export interface LineFile {
  readonly size: number
  /** Where the last whole line ends: what is behind it is the beginning of one. */
  readonly whole: number
  readonly firstLine: string | undefined
  readonly lastLine: string | undefined
}

const newline = 0x0a
const chunk = 1 << 16

/** Opens for appending. `mend` gets the size, and resolves with the size after what it takes away of it. */
export async function openLineFile(
  path: string,
  mend: (handle: FileHandle, size: number) => Promise<number> = async (_, size) => size,
): Promise<{ readonly handle: FileHandle; readonly found: LineFile }> {
  await mkdir(dirname(path), { recursive: true })
  // Others in the group may read what was bought; `a+`, because writing at the end is atomic.
  const handle = await open(path, 'a+', 0o640)
  try {
    const { size } = await handle.stat()
    return { handle, found: await describe(handle, await mend(handle, size)) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The last line of a file that may be missing or empty. */
export async function lastLineOf(path: string): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch {
    return undefined
  }
  try {
    const { size } = await handle.stat()
    return (await describe(handle, size)).lastLine
  } finally {
    await handle.close()
  }
}

/** statfs(2): of tmpfs and ramfs. */
const memoryTypes = new Set([0x01021994, 0x858458f6])

/** Whether writing there wears no card: by the file system of its folder, or of the nearest that is there. */
export async function isInMemory(path: string): Promise<boolean> {
  const folder = dirname(path)
  try {
    return memoryTypes.has((await statfs(folder)).type)
  } catch {
    return folder !== path && isInMemory(folder)
  }
}

/**
 * What was appended since the last sync gets its place on the disk, and no commit of the file system yet: on Linux a
 * direct read writes back first, also one that fails because our memory is not aligned. Nothing depends on it: a sync of
 * another file then brings this one along, where it does that.
 */
export async function beginSync(
  path: string,
  { synced, size }: { readonly synced: number; readonly size: number },
): Promise<void> {
  const { O_RDONLY, O_DIRECT, O_NOATIME } = constants
  if (O_DIRECT === undefined || size <= synced) return
  const handle = await open(path, O_RDONLY | O_DIRECT | O_NOATIME).catch(() => undefined)
  for (let from = synced; handle !== undefined && from < size; from += chunk) {
    await handle.read(Buffer.allocUnsafe(chunk), 0, chunk, from).catch(() => undefined)
  }
  await handle?.close()
}

/** False when somebody has moved or removed what is open. */
export async function isStillAt(handle: FileHandle, path: string): Promise<boolean> {
  const opened = await handle.stat()
  const there = await stat(path).catch(() => undefined)
  return there !== undefined && there.ino === opened.ino && there.dev === opened.dev
}

async function describe(handle: FileHandle, size: number): Promise<LineFile> {
  const whole = await endOfLines(handle, size)
  if (whole === 0) return { size, whole, firstLine: undefined, lastLine: undefined }
  const firstEnd = await findForwards(handle, whole)
  const lastBegin = await endOfLines(handle, whole - 1)
  return {
    size,
    whole,
    firstLine: (await readAt(handle, 0, firstEnd)).toString('utf8'),
    lastLine: (await readAt(handle, lastBegin, whole - 1)).toString('utf8'),
  }
}

/** Where the last line before `end` ends, its newline included; 0 when there is none. */
async function endOfLines(handle: FileHandle, end: number): Promise<number> {
  for (let to = end; to > 0; to -= chunk) {
    const from = Math.max(0, to - chunk)
    const at = (await readAt(handle, from, to)).lastIndexOf(newline)
    if (at >= 0) return from + at + 1
  }
  return 0
}

async function findForwards(handle: FileHandle, size: number): Promise<number> {
  for (let from = 0; from < size; from += chunk) {
    const at = (await readAt(handle, from, Math.min(size, from + chunk))).indexOf(newline)
    if (at >= 0) return from + at
  }
  return size
}

export async function readAt(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
  return buffer.subarray(0, bytesRead)
}

export interface RotationRule {
  /** Most bytes of a file; a single line may be longer. */
  readonly size: number
  /** Most time between the first entry of a file and its last. */
  readonly age: Milliseconds | undefined
  /** How many full files stay. At least one: it says what has arrived while the new one is empty. */
  readonly keep: number
}

export interface OpenFile {
  readonly size: number
  /** When its first entry was bought. */
  readonly since: Milliseconds | undefined
}

export function mustRotate(
  { size, age }: RotationRule,
  file: OpenFile,
  line: { readonly bytes: number; readonly time: Milliseconds },
): boolean {
  if (file.size === 0) return false
  if (file.size + line.bytes > size) return true
  return age !== undefined && file.since !== undefined && line.time - file.since >= age
}

/** Full files, the newest first. */
export async function fullFiles(path: string): Promise<readonly string[]> {
  const numbers = await numbersOf(path)
  return numbers.map((number) => `${path}.${number}`)
}

/** Gives the file its number, resolves with that, and removes what is beyond `keep`, but nothing that ends in a line of others. */
export async function rotate(
  path: string,
  { keep }: RotationRule,
  isOurs: (lastLine: string, number: number) => boolean,
): Promise<number> {
  const numbers = await numbersOf(path)
  const made = (numbers[0] ?? 0) + 1
  await rename(path, `${path}.${made}`)
  // With the one just made there is one more than were found.
  for (const number of numbers.slice(keep - 1)) {
    const full = `${path}.${number}`
    const lastLine = await lastLineOf(full)
    if (lastLine !== undefined && isOurs(lastLine, number)) await unlink(full)
  }
  return made
}

async function numbersOf(path: string): Promise<readonly number[]> {
  const prefix = `${basename(path)}.`
  const names = await readdir(dirname(path))
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,14}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a)
}
