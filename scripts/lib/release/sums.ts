// SHA256SUMS, as sha256sum(1) reads it.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { toolError } from '../shared/errors.ts'

const name = 'SHA256SUMS'

/** By the name of each file of a folder, without what is written last: the sums and their signature. */
export async function sumsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith(name))
    .map((entry) => entry.name)
    .sort()
  const sums = new Map<string, string>()
  for (const file of files) sums.set(file, await sha256(join(folder, file)))
  return sums
}

/** The path of the file. */
export async function writeSums(
  folder: string,
  sums: ReadonlyMap<string, string>,
): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, [...sums].map(([path, sum]) => `${sum}  ${path}\n`).join(''))
  return file
}

/**
 * @throws UraidenError build_differs naming every file that is only in one of them, or has other bytes
 */
export function demandSameSums(
  first: ReadonlyMap<string, string>,
  second: ReadonlyMap<string, string>,
): void {
  const names = [...new Set([...first.keys(), ...second.keys()])].sort()
  const different = names.filter((file) => first.get(file) !== second.get(file))
  if (different.length === 0) return
  throw toolError({
    code: 'build_differs',
    message: `Built again, these are not the same: ${different.join(', ')}.`,
  })
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
