// npm run contracts:coverage: which lines of contracts/src the tests of test/contracts run. The report
// is in coverage/; it needs HARDHAT_COVERAGE=true, which the npm script sets.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import hre from 'hardhat'
import { markTestRunDone, markTestRunStart } from 'hardhat/internal/coverage'
import { coverageRun } from '../../../test/lab/chains/embedded-chain.ts'

const tests = ['channels', 'weaknesses', 'ticks', 'authorization'].map(
  (name) => `test/contracts/${name}.test.ts`,
)

await markTestRunStart(coverageRun)
// Forced: what is compiled already says nothing about its lines.
await hre.tasks.getTask('build').run({ force: true, quiet: true, noTests: true })
const ava = spawn('npx', ['--no-install', 'ava', '--timeout=10m', ...tests], { stdio: 'inherit' })
const [code] = await once(ava, 'exit')
process.exitCode = Number(code)
await markTestRunDone(coverageRun)
