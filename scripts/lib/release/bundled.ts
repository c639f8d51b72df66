// The little of ethers that is used, as one module of the platform package. Whole, it is half of what a buyer would
// install, and brings four packages of its own.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { licencesOf } from '../shared/licences.ts'
import { bundledLibrary } from './modules.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { name, module } = bundledLibrary

/** Writes it into the built tree. @throws Error for an import that does not say what it takes */
export async function bundleLibrary(tree: string): Promise<void> {
  const names = await namesTaken(tree)
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { ${names.join(', ')} } from '${name}'`, resolveDir: root },
    ...{ bundle: true, format: 'esm', platform: 'node', target: 'node20', treeShaking: true },
    ...{ write: false, metafile: true, legalComments: 'none', logLevel: 'error' },
    ...{ minifySyntax: true, minifyWhitespace: true, absWorkingDir: root },
  })
  const [code] = outputFiles
  if (code === undefined) throw new Error(`${name} gave no bundle`)
  const inputs = Object.entries(metafile.outputs).flatMap(([, { inputs }]) => Object.keys(inputs))
  const licences = await licencesOf(inputs)
  const notices = licences.map((each) => `${each.name} ${each.version}\n\n${each.text.trim()}\n`)
  const path = join(tree, module)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.js`, `${code.text.trimEnd()}\n`)
  await writeFile(`${path}.NOTICES.txt`, notices.join('\n'))
  // Its types are in no signature that a program calls.
  await writeFile(`${path}.d.ts`, names.map((each) => `export type ${each} = object\n`).join(''))
}

const taking = new RegExp(`const \\{([^}]+)\\} = await import\\(['"]${name}['"]\\)`, 'g')
const importing = new RegExp(`import\\(['"]${name}['"]\\)|from ['"]${name}['"]`, 'g')

async function namesTaken(tree: string): Promise<readonly string[]> {
  const names = new Set<string>()
  const files = await readdir(tree, { recursive: true })
  for (const file of files.filter((each) => each.endsWith('.js'))) {
    const text = await readFile(join(tree, file), 'utf8')
    const taken = [...text.matchAll(taking)]
    if (taken.length !== [...text.matchAll(importing)].length) {
      throw new Error(`${file} imports ${name} in another form than const { … } = await import`)
    }
    for (const [, list = ''] of taken) for (const each of list.split(',')) names.add(each.trim())
  }
  return [...names].sort()
}
