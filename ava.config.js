// Tests of the pages need a Chromium: `npm run test:browser` runs them, and only them.
const pages = process.env.URAIDEN_TEST_PAGES === 'true'

export default {
  files: pages ? ['test/pages/**/*.test.ts'] : ['test/**/*.test.ts', '!test/pages/**'],
  extensions: ['ts'],
  timeout: '10m',
  concurrency: pages ? 1 : 2,
  workerThreads: false,
}
