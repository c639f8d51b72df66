import { createRequire } from 'node:module'
import type { HardhatUserConfig } from 'hardhat/config'

// Code that counts its coverage must not get among the real artifacts.
const folder =
  process.env.HARDHAT_COVERAGE === 'true' ? './.cache/hardhat-coverage' : './.cache/hardhat'

const require = createRequire(import.meta.url)

const config: HardhatUserConfig = {
  paths: {
    sources: ['./contracts/src', './test/contracts/tokens'],
    tests: { solidity: './test/contracts/solidity' },
    artifacts: `${folder}/artifacts`,
    cache: `${folder}/cache`,
  },
  test: {
    solidity: {
      fuzz: { runs: 256, seed: '0x7261696465' },
      // 40 sequences of 256 calls each: 10 240 calls for each invariant; INVARIANT_RUNS asks for more. What
      // the handler does not expect to fail must not fail.
      invariant: { runs: Number(process.env.INVARIANT_RUNS ?? 40), depth: 256, failOnRevert: true },
    },
  },
  solidity: {
    // The compiler is the npm package: nothing is downloaded, and the lock file holds its hash.
    version: '0.8.37',
    path: require.resolve('solc/soljson.js'),
    settings: {
      evmVersion: 'cancun',
      viaIR: true,
      // 800: deploying costs a quarter less than with a million, a call 75 to 180 gas more
      // (docs/reference/gas.md).
      optimizer: { enabled: true, runs: 800 },
      // For docs/reference/contract.md and contract-versions.md, and the sources of a deployment.
      outputSelection: {
        '*': {
          '*': ['devdoc', 'userdoc', 'metadata', 'storageLayout', 'transientStorageLayout'],
        },
      },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
    },
  },
}

export default config
