// Tests of the pages need a Chromium, tests of nodes a Node-RED (`npm run test:node-red`), tests of the Pi's program an emulator, tests of provisioning
// containers, tests of the images a podman, tests of the packages a registry: `npm run test:browser`,
// `npm run test:pi`, `npm run test:provision`, `npm run test:containers` and `npm run test:packages` run them.
const apart = {
  URAIDEN_TEST_PAGES: 'test/pages/**/*.test.ts',
  URAIDEN_TEST_PI: 'test/pi/**/*.test.ts',
  URAIDEN_TEST_INSTALLED: 'test/installed/**/*.test.ts',
  URAIDEN_TEST_PACKAGES: 'test/packages/**/*.test.ts',
  URAIDEN_TEST_CONTAINERS: 'test/containers/**/*.test.ts',
  URAIDEN_TEST_NODE_RED: 'test/node-red/**/*.test.ts',
  URAIDEN_TEST_PROVISION: 'test/provision/**/*.test.ts',
}

const chosen = Object.entries(apart).flatMap(([variable, files]) =>
  process.env[variable] === 'true' ? [files] : [],
)

export default {
  files:
    chosen.length > 0
      ? chosen
      : ['test/**/*.test.ts', ...Object.values(apart).map((files) => `!${files}`)],
  extensions: ['ts'],
  require: ['./test/support/patient-network.ts'],
  timeout: '10m',
  // One more than the cores of a small machine: tests also wait, for disks and for processes.
  concurrency: chosen.length > 0 ? 1 : 3,
  workerThreads: false,
}
