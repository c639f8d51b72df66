// What the compiler said of a contract that `npm run contracts` has compiled.
import { readFile } from 'node:fs/promises'
import hre from 'hardhat'

/** ABI, and the compiler's output: https://docs.soliditylang.org/en/latest/using-the-compiler.html */
export async function readCompiled(name: string) {
  const { abi, buildInfoId, inputSourceName } = await hre.artifacts.readArtifact(name)
  const path = await hre.artifacts.getBuildInfoOutputPath(buildInfoId ?? '')
  if (path === undefined) throw new Error(`${name} has no compiler output. Remove .cache/hardhat.`)
  const { output } = JSON.parse(await readFile(path, 'utf8'))
  return { abi, output: output.contracts[inputSourceName ?? ''][name] }
}
