// npm run test:node-red: our nodes in a real Node-RED, which is in a folder of its own with a lock file.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, 'test/lab/node-red')

if (existsSync(join(folder, 'node_modules/node-red/package.json'))) {
  const args = ['--no-install', 'ava', ...process.argv.slice(2)]
  const env = { ...process.env, URAIDEN_TEST_NODE_RED: 'true' }
  process.exitCode = spawnSync('npx', args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
} else {
  process.stderr.write(
    'test:node-red: Node-RED is not installed: npm ci --ignore-scripts --prefix test/lab/node-red\nNothing was tested.\n',
  )
  process.exitCode = 1
}
