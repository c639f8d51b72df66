// Node for another machine, from the npm registry, checked against the pinned hash and stripped.

import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import type { NodePackage, Platform } from './platforms.ts'
import { checkout, tool } from './tools.ts'

export interface Runtime {
  /** As the registry has it. */
  readonly whole: string
  /** Without the symbols that only a debugger of Node itself reads: a sixth smaller. */
  readonly stripped: string
  readonly licence: string
  /** Folder of the headers that addons are compiled with. */
  readonly headers: string
}

const cache = join(checkout, '.cache/build-pi/runtimes')

/** @throws UraidenError build_node_hash when the registry gives another file */
export async function fetchRuntime(platform: Platform): Promise<Runtime> {
  const { node, tools } = platform
  const folder = join(cache, `${node.name}-${node.version}`)
  if (!(await exists(folder))) await download(node, `${tools}-strip`, folder)
  const inside = (path: string) => join(folder, path)
  return {
    whole: inside('package/bin/node'),
    stripped: inside('node'),
    licence: inside('package/LICENSE'),
    headers: inside('package/include/node'),
  }
}

async function download(node: NodePackage, strip: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const half = await mkdtemp(`${folder}.`)
  try {
    await tool('npm', ['pack', '--silent', `${node.name}@${node.version}`], { cwd: half })
    const archive = join(half, `${node.name}-${node.version}.tgz`)
    checkIntegrity(node, await readFile(archive))
    const wanted = ['package/bin/node', 'package/LICENSE', 'package/include']
    await tool('tar', ['-xzf', archive, '-C', half, ...wanted])
    await rm(archive)
    const binary = join(half, 'package/bin/node')
    await tool(strip, ['--strip-unneeded', '-o', join(half, 'node'), binary])
    await rename(half, folder)
  } catch (error) {
    await rm(half, { recursive: true, force: true })
    // Another build may have been faster; its files are the same.
    if (!(await exists(folder))) throw error
  }
}

/** @throws UraidenError build_node_hash */
export function checkIntegrity(node: NodePackage, archive: Uint8Array): void {
  const hash = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  if (hash === node.integrity) return
  throw toolError({
    code: 'build_node_hash',
    message: `${node.name}@${node.version} has the hash ${hash}, not ${node.integrity}`,
  })
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
