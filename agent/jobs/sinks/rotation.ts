// When a file of lines is full, and what its predecessors are called: `readings.jsonl.7` is newer than
// `readings.jsonl.6`. Numbers only rise, so that one rename rotates, whatever the clock says.
import { readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Milliseconds } from '../../../platform/time/clock.ts'

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

/** Gives the file its number and removes what is beyond `keep`. */
export async function rotate(path: string, { keep }: RotationRule): Promise<void> {
  const numbers = await numbersOf(path)
  await rename(path, `${path}.${(numbers[0] ?? 0) + 1}`)
  // With the one just made there is one more than were found.
  for (const number of numbers.slice(keep - 1)) await unlink(`${path}.${number}`)
}

async function numbersOf(path: string): Promise<readonly number[]> {
  const prefix = `${basename(path)}.`
  const names = await readdir(dirname(path))
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,14}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a)
}
