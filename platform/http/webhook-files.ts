// Secrets of a webhook in files of their own. They are read for each delivery: a new one needs no restart.
import type { HeaderFields } from '../../protocol/index.ts'
import { readPrivateFile } from '../keys/private-file.ts'

/** Makes the error of a file that cannot be used. */
export type Unusable = (file: string, why: string) => Error

/**
 * The URL in its first line.
 * @throws UraidenError as `readPrivateFile`, and what `unusable` makes
 */
export async function urlIn(file: string, unusable: Unusable): Promise<string> {
  const [url = ''] = (await readPrivateFile(file)).split(/\r?\n/, 1)
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url
  throw unusable(file, 'its first line is not an http:// or https:// URL')
}

/**
 * One in each line; none without a file.
 * @throws UraidenError as `readPrivateFile`, and what `unusable` makes
 */
export async function headersIn(
  file: string | undefined,
  unusable: Unusable,
): Promise<HeaderFields> {
  if (file === undefined) return {}
  const lines = (await readPrivateFile(file)).split(/\r?\n/).filter((line) => line !== '')
  return Object.fromEntries(
    lines.map((line, index) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([\t -~]*)$/.exec(line) ?? []
      if (name !== undefined && value !== undefined) return [name, value]
      throw unusable(file, `line ${index + 1} is not a header such as Name: value`)
    }),
  )
}
