import { createRequire } from 'node:module'
import type { HardhatUserConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

const config: HardhatUserConfig = {
  paths: {
    sources: ['./contracts/src', './test/contracts/tokens'],
    tests: { solidity: './test/contracts/solidity' },
    artifacts: './.cache/hardhat/artifacts',
    cache: './.cache/hardhat/cache',
  },
  solidity: {
    // The compiler is the npm package: nothing is downloaded, and the lock file holds its hash.
    version: '0.8.37',
    path: require.resolve('solc/soljson.js'),
    settings: {
      evmVersion: 'cancun',
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
    },
  },
}

export default config
