// npm run test:pi: the programs of the packages, ARM processors emulated. With --installed: installed by
// a dpkg and by apt, which needs root, a minute for a Debian 12 from the network, and its half gigabyte in .cache.
import { spawnSync } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [first, ...rest] = process.argv.slice(2)
const installed = first === '--installed'
const needed = installed
  ? ['debootstrap', 'dpkg-deb', 'gpg']
  : ['qemu-aarch64-static', 'qemu-arm-static', 'dpkg-deb', 'aarch64-linux-gnu-g++']
const missing = needed.filter((name) => spawnSync(name, ['--version']).error !== undefined)

if (missing.length > 0) {
  process.stderr.write(`test:pi: ${missing.join(', ')} not installed.
On Debian: apt-get install qemu-user-static libstdc++6-arm64-cross libatomic1-armhf-cross \\
  libstdc++6-armhf-cross g++-aarch64-linux-gnu binutils-arm-linux-gnueabihf debootstrap
`)
  process.exitCode = 1
} else if (installed) {
  makeDebian(join(root, '.cache/build-pi/debian-amd64'))
  build('--compression=fast', 'amd64')
  run(process.execPath, [join(root, 'test/lab/next-release.ts')])
  test('URAIDEN_TEST_INSTALLED', rest)
} else {
  build('--tree')
  build('--executable', 'arm64', 'amd64')
  test('URAIDEN_TEST_PI', process.argv.slice(2))
}

function makeDebian(folder: string): void {
  if (existsSync(folder)) return
  const half = `${folder}.half`
  rmSync(half, { recursive: true, force: true })
  const wanted = ['--variant=minbase', '--include=systemd,libstdc++6']
  run('debootstrap', [...wanted, 'bookworm', half])
  if (!process.exitCode) renameSync(half, folder)
}

function build(...args: readonly string[]): void {
  run(process.execPath, [join(root, 'deploy/pi/packaging/build-pi.ts'), ...args])
}

function test(variable: string, args: readonly string[]): void {
  run('npx', ['--no-install', 'ava', ...args], { [variable]: 'true' })
}

/** Nothing more once something has failed. */
function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): void {
  if (process.exitCode) return
  const env = { ...process.env, ...more }
  const { status } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
