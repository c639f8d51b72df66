// Tests of the pages need a Chromium, tests of the Pi's program an emulator: `npm run test:browser` and
// `npm run test:pi` run them, and only them.
const pages = process.env.URAIDEN_TEST_PAGES === 'true'
const pi = process.env.URAIDEN_TEST_PI === 'true'

const apart = { pages: 'test/pages/**/*.test.ts', pi: 'test/pi/**/*.test.ts' }

function files() {
  if (pages) return [apart.pages]
  if (pi) return [apart.pi]
  return ['test/**/*.test.ts', `!${apart.pages}`, `!${apart.pi}`]
}

export default {
  files: files(),
  extensions: ['ts'],
  timeout: '10m',
  concurrency: pages || pi ? 1 : 2,
  workerThreads: false,
}
