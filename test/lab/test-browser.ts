// npm run test:browser: the tests of the pages, in a real Chromium.
import { spawnSync } from 'node:child_process'
import { buildPages } from '../../scripts/lib/web/build.ts'
import { findChromium } from '../support/find-chromium.ts'

if (findChromium() === undefined) {
  process.stderr.write(
    'NOT RUN: the tests of the pages need Chromium, and there is none (apt-get install chromium,\nor name one in URAIDEN_CHROMIUM). Nothing was tested.\n',
  )
  process.exit(process.env.CI === 'true' ? 1 : 0)
}
await buildPages()
const { status } = spawnSync('npx', ['--no-install', 'ava', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, URAIDEN_TEST_PAGES: 'true' },
})
process.exit(status ?? 1)
