// npm run test:pi: the programs of the packages, on emulated ARM processors.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const needed = ['qemu-aarch64-static', 'qemu-arm-static', 'dpkg-deb']
const missing = needed.filter((name) => spawnSync(name, ['--version']).error !== undefined)

if (missing.length > 0) {
  process.stderr.write(`test:pi: ${missing.join(', ')} not installed.
On Debian: apt-get install qemu-user-static libstdc++6-arm64-cross libatomic1-armhf-cross \\
  libstdc++6-armhf-cross binutils-aarch64-linux-gnu binutils-arm-linux-gnueabihf
`)
  process.exitCode = 1
} else {
  run(process.execPath, join(root, 'scripts/lib/build-pi.ts'), '--tree', 'arm64', 'armhf')
  run('npx', '--no-install', 'ava', ...process.argv.slice(2))
}

function run(program: string, ...args: readonly string[]): void {
  if (process.exitCode) return
  const env = { ...process.env, URAIDEN_TEST_PI: 'true' }
  const { status } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
