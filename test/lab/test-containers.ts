// npm run test:containers: the images of deploy/containers, built without a daemon and run by a user who is not root.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = join(root, '.cache/containers')
const needed = [
  ['podman', 'podman buildah crun uidmap slirp4netns'],
  ['mmdebstrap', 'mmdebstrap'],
  ['dpkg-deb', 'dpkg'],
  ['strip', 'binutils'],
] as const
const missing = needed.filter(([name]) => spawnSync(name, ['--version']).error !== undefined)

/** Who builds and runs where root starts the tests. */
const user = 'uraiden-lab'

if (missing.length > 0) {
  const packages = missing.map(([, name]) => name).join(' ')
  fail(`${missing.map(([name]) => name).join(', ')} not installed: apt-get install ${packages}`)
} else {
  if (process.getuid?.() === 0 && spawnSync('id', [user]).status !== 0) {
    process.stderr.write(`test:containers: makes the user ${user}, for whom containers run\n`)
    run('useradd', ['--create-home', user])
  }
  await mkdir(join(cache, 'packages'), { recursive: true })
  await makeBase(join(cache, 'base.tar'))
  run(process.execPath, [
    join(root, 'deploy/pi/packaging/build-pi.ts'),
    ...['amd64', '--compression', 'fast', '--out', join(cache, 'packages')],
  ])
  run('npx', ['--no-install', 'ava', ...process.argv.slice(2)])
}

/** In place of the image from a registry that the Containerfiles name: a Debian 12, made once. */
async function makeBase(file: string): Promise<void> {
  if (existsSync(file)) return
  const half = join(cache, 'half.tar')
  run('mmdebstrap', [
    ...['--variant=minbase', '--include=libstdc++6'],
    '--dpkgopt=path-exclude=/usr/share/{doc,man,locale}/*',
    ...['bookworm', half],
  ])
  if (!process.exitCode) await rename(half, file)
}

function run(program: string, args: readonly string[]): void {
  if (process.exitCode) return
  const env = {
    ...process.env,
    URAIDEN_TEST_CONTAINERS: 'true',
    URAIDEN_CONTAINER_USER: process.getuid?.() === 0 ? user : '',
  }
  const { status } = spawnSync(program, [...args], { cwd: root, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
}

function fail(reason: string): void {
  process.stderr.write(`test:containers: ${reason}\nNothing was tested.\n`)
  process.exitCode = 1
}
