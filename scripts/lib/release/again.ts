// A second build that shares nothing with the first but the commit: in a clone, in another folder.
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { toolError } from '../shared/errors.ts'
import { output } from './command.ts'

/** What a clone lacks, and what the network gave: packages that the lock file pins, Nodes that are pinned by hash. */
const brought = ['node_modules', '.cache/build-pi/runtimes']

/**
 * Works on a clone of the commit that is checked out, and removes it.
 * @throws UraidenError release_uncommitted: the clone would lack what is in no commit
 */
export async function inClone<Value>(
  root: string,
  work: (clone: string) => Promise<Value>,
): Promise<Value> {
  await demandCommitted(root)
  const parent = await mkdtemp(join(tmpdir(), 'uraiden-again-'))
  const clone = join(parent, 'checkout')
  try {
    await output('git', ['clone', '--quiet', '--no-hardlinks', root, clone])
    for (const path of brought) {
      if (!(await exists(join(root, path)))) continue
      await mkdir(dirname(join(clone, path)), { recursive: true })
      await output('cp', ['-a', '--reflink=auto', join(root, path), join(clone, path)])
    }
    await output(process.execPath, [join(clone, 'scripts/lib/web.ts')], { cwd: clone })
    return await work(clone)
  } finally {
    await rm(parent, { recursive: true })
  }
}

/** @throws UraidenError release_uncommitted */
export async function demandCommitted(root: string): Promise<void> {
  const changed = await output('git', ['status', '--porcelain'], { cwd: root })
  if (changed === '') return
  throw toolError({
    code: 'release_uncommitted',
    message: `The checkout has changes that are in no commit:\n${changed.trimEnd()}`,
  })
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
