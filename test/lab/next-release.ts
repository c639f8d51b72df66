// The Debian packages of a version that is still to come, made as a release is made: in a clone of the commit.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inClone } from '../../scripts/lib/release/again.ts'
import { output } from '../../scripts/lib/release/command.ts'
import { runScript } from '../../scripts/lib/shared/script.ts'
import { nextVersion } from '../support/next-version.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

await runScript('next-release', () => inClone(root, packNext))

async function packNext(clone: string): Promise<void> {
  const node = (path: string, ...args: readonly string[]) =>
    output(process.execPath, [join(clone, path), ...args], { cwd: clone })
  await node('scripts/lib/release.ts', 'version', nextVersion)
  const out = join(root, 'dist-pi/next')
  await node('deploy/pi/packaging/build-pi.ts', 'amd64', '--compression=fast', '--out', out)
}
