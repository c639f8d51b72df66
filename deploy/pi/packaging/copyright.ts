// Who wrote what is in a package, and under which terms.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Licensed,
  licenceIn,
  licenceOf,
  licencesOf,
} from '../../../scripts/lib/shared/licences.ts'
import type { Addon, Library } from './addons.ts'
import type { Bundle } from './bundle.ts'
import type { Platform } from './platforms.ts'
import type { Runtime } from './runtime.ts'
import { checkout } from './tools.ts'

/**
 * Node with all that it brings, native code, and what was bundled, the pages too.
 * @throws UraidenError `licence_missing`
 */
export async function noticesOf(
  { inputs, addons }: Pick<Bundle, 'inputs' | 'addons'>,
  { node }: Platform,
  runtime: Pick<Runtime, 'licence'>,
): Promise<readonly Licensed[]> {
  const text = await readFile(runtime.licence, 'utf8')
  const own = { name: 'Node.js', version: node.version, licence: 'MIT', text }
  const native = await Promise.all(addons.map(noticesOfAddon))
  const webAssembly = inputs.some((input) => input.endsWith(compiled.file))
    ? [await noticeOf(compiled)]
    : []
  return [own, ...native.flat(), ...webAssembly, ...(await licencesOf(inputs))]
}

/** Ours by its place, but of others' sources. */
const compiled = {
  name: 'libsecp256k1',
  version: '0.8',
  licence: 'MIT',
  notice: 'receiver/signatures/libsecp256k1/COPYING',
  file: 'receiver/signatures/libsecp256k1/module.ts',
} as const

function noticeOf({ name, version, licence, notice }: Library): Promise<Licensed> {
  return licenceIn({ name, version, licence }, notice)
}

async function noticesOfAddon({ libraries, headers }: Addon): Promise<readonly Licensed[]> {
  return Promise.all([
    ...libraries.map(noticeOf),
    ...headers.map((name) => licenceOf(`node_modules/${name}`)),
  ])
}

/** For the package: our terms, and theirs. */
export async function writeCopyright(others: readonly Licensed[]): Promise<string> {
  const own = await readFile(join(checkout, 'LICENSE'), 'utf8')
  const parts = others.map(
    ({ name, version, text }) =>
      `${rule}\n${`${name} ${version}`.trim()}\n${rule}\n\n${text.trim()}\n`,
  )
  return `uRaiden for Raspberry Pi

${own.trim()}

The package holds software of others, under the terms below.

${parts.join('\n')}`
}

const rule = '-'.repeat(72)
