// Nodes of the registry, kept in .cache.
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './packages.ts'

const run = promisify(execFile)

/** The program of this version. */
export async function nodeOf(version: string): Promise<string> {
  if (`v${version}` === process.version) return process.execPath
  const name = `node-linux-${process.arch}`
  const folder = join(root, '.cache/nodes', version)
  await mkdir(folder, { recursive: true })
  const node = join(folder, 'node_modules', name, 'bin/node')
  const there = await run(node, ['--version']).then(
    () => true,
    () => false,
  )
  if (!there) {
    const wanted = [`${name}@${version}`, '--no-audit', '--no-fund', '--no-save']
    await run('npm', ['install', '--prefix', folder, ...wanted])
  }
  return node
}
