// Whose code a bundle holds, and under which terms.
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolError } from './errors.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))

/** Software of others, with the notice that has to go with it. */
export interface Licensed {
  readonly name: string
  readonly version: string
  /** By SPDX. */
  readonly licence: string
  readonly text: string
}

/** Folders of the packages that files are from, relative to the checkout; ours are of none. */
export function packagesIn(inputs: readonly string[]): readonly string[] {
  const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/
  const folders = inputs.map((input) => folder.exec(input)?.[0] ?? '')
  return [...new Set(folders.filter((path) => path !== '' && dirname(path) !== '.'))].sort()
}

/**
 * The notices of packages, and of what others have put into their folders.
 * @throws UraidenError `licence_missing`
 */
export async function licencesOf(inputs: readonly string[]): Promise<readonly Licensed[]> {
  const found = await Promise.all(
    packagesIn(inputs).map(async (folder) => [
      await licenceOf(folder),
      ...(await licencesInside(folder, inputs)),
    ]),
  )
  return found.flat()
}

/** One of a library, in the file that it is in. @throws UraidenError `licence_missing` */
export async function licenceIn(library: Omit<Licensed, 'text'>, file: string): Promise<Licensed> {
  const text = await readFile(join(checkout, file), 'utf8').catch(() => undefined)
  if (text === undefined) throw missing(`${library.name} (${file})`)
  return { ...library, text }
}

/** @throws UraidenError `licence_missing` */
export async function licenceOf(folder: string): Promise<Licensed> {
  const about = JSON.parse(await readFile(join(checkout, folder, 'package.json'), 'utf8'))
  const { name, version, license, author } = about
  const texts = await textsIn(folder)
  const text = texts ?? standardText(license, typeof author === 'string' ? author : author?.name)
  if (typeof license !== 'string' || text === undefined) throw missing(`${name} ${version}`)
  return { name, version, licence: license, text }
}

const noticeFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i

async function textsIn(folder: string): Promise<string | undefined> {
  const files = (await readdir(join(checkout, folder))).filter((name) => noticeFile.test(name))
  if (files.length === 0) return undefined
  const texts = files.sort().map((file) => readFile(join(checkout, folder, file), 'utf8'))
  return (await Promise.all(texts)).join('\n')
}

/** Folders between a package's own and the files of it that are used may have terms of their own. */
async function licencesInside(
  folder: string,
  inputs: readonly string[],
): Promise<readonly Licensed[]> {
  const below = inputs.filter((input) => packagesIn([input])[0] === folder)
  const folders = new Set(below.flatMap((input) => foldersBetween(folder, dirname(input))))
  const found = await Promise.all(
    [...folders].sort().map(async (inside) => {
      const text = await textsIn(inside)
      const name = inside.replace(/^.*node_modules\//, '')
      return text === undefined ? [] : [{ name, version: '', licence: 'NOASSERTION', text }]
    }),
  )
  return found.flat()
}

function foldersBetween(top: string, folder: string): readonly string[] {
  return folder.length <= top.length ? [] : [folder, ...foldersBetween(top, dirname(folder))]
}

/** Of the few packages that only name their licence. */
function standardText(licence: unknown, author: string | undefined): string | undefined {
  if (author === undefined) return undefined
  if (licence === 'MIT') return `Copyright (c) ${author}\n\n${mit}`
  return licence === 'ISC' ? `Copyright (c) ${author}\n\n${isc}` : undefined
}

function missing(what: string) {
  return toolError({
    code: 'licence_missing',
    message: `${what} has no notice that could go with it.`,
  })
}

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN
AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE
OR OTHER DEALINGS IN THE SOFTWARE.
`

const isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee
is hereby granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE
INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE,
DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN
CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`
