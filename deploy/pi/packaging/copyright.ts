// Who wrote what is in a package, and under which terms.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkout } from './tools.ts'

export interface Licensed {
  readonly name: string
  readonly text: string
}

/** Licences of packages of node_modules, by folder. */
export function licencesOf(folders: readonly string[]): Promise<readonly Licensed[]> {
  return Promise.all(folders.map((folder) => licenceOf(join(checkout, folder))))
}

export function writeCopyright(own: string, others: readonly Licensed[]): string {
  const parts = others.map(({ name, text }) => `${rule}\n${name}\n${rule}\n\n${text.trim()}\n`)
  return `uRaiden for Raspberry Pi

${own.trim()}

The package holds software of others, under the terms below.

${parts.join('\n')}`
}

const rule = '-'.repeat(72)

async function licenceOf(folder: string): Promise<Licensed> {
  const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const file = (await readdir(folder)).find((name) => /^licen[cs]e(\.|$)/i.test(name))
  const text =
    file === undefined
      ? `Licence: ${about.license}. Its package has no text of it.`
      : await readFile(join(folder, file), 'utf8')
  return { name: `${about.name} ${about.version}`, text }
}
