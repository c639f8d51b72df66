// The packages of `npm run packages`, installed as somebody does who has their tarballs.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)
export const root = fileURLToPath(new URL('../../', import.meta.url))
export const tarballs = join(root, 'dist-packages')

/** All of them. */
export const whole = ['protocol', 'platform', 'agent', 'browser', 'receiver', 'pi'].map(
  (name) => `uraiden-${name}`,
)

/** An empty folder with the packages, and with others by name or folder; all is removed when the test ends. */
export async function installed(
  t: ExecutionContext,
  names: readonly string[],
  others: readonly string[] = [],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-installed-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const files = (await readdir(tarballs)).filter((file) =>
    names.some((name) => new RegExp(`^${name}-\\d.*\\.tgz$`).test(file)),
  )
  t.is(files.length, names.length, 'npm run packages makes them')
  for (const file of files) await cp(join(tarballs, file), join(folder, file))
  await writeFile(
    join(folder, 'package.json'),
    '{ "name": "buyer", "private": true, "type": "module" }',
  )
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quiet, ...files.map((file) => `./${file}`), ...others], {
    cwd: folder,
  })
  return folder
}
