// What a deployment was compiled from, as others compile it again: the compiler's standard-JSON input, and its
// metadata. Both are taken from the build that contracts/bytecode is written from.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { ArtifactManager } from 'hardhat/types/artifacts'
import { channelsBytecode } from '../../../contracts/bytecode/channels.ts'
import configuration from '../../../hardhat.config.ts'
import { toolError } from '../shared/errors.ts'

/** Texts of two files: https://docs.soliditylang.org/en/latest/using-the-compiler.html and metadata.html */
export interface Sources {
  /** Standard-JSON input: all sources and settings, and nothing that the contract does not import. */
  readonly input: string
  /** As the compiler wrote it, to the byte. */
  readonly metadata: string
}

const contract = 'RaidenMicroTransferChannels'
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** All that verifying needs; what an explorer asks for besides, it selects itself. */
const outputs = [
  ...['abi', 'metadata', 'evm.bytecode.object'],
  ...['evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences'],
]

/**
 * Of the channels contract in contracts/src. It is compiled only when that was not done since its last change.
 * @throws UraidenError `source_differs` when contracts/bytecode is of other sources
 */
export async function channelsSources(): Promise<Sources> {
  const hre = await createHardhatRuntimeEnvironment(configuration, {}, root)
  const before = await readBuild(hre.artifacts)
  if (before !== undefined) return before
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true })
  // It remembers that there was nothing.
  await hre.artifacts.clearCache()
  const built = await readBuild(hre.artifacts)
  if (built !== undefined) return built
  throw toolError({
    code: 'source_differs',
    message: 'contracts/src does not compile to the code in contracts/bytecode.',
    hint: 'Run npm run contracts, and look at what it changes.',
  })
}

interface BuildInput {
  readonly language: string
  readonly settings: object
  readonly sources: { readonly [name: string]: { readonly content: string } }
}

/** Undefined when the last build was not of the code that is deployed. */
async function readBuild(artifacts: ArtifactManager): Promise<Sources | undefined> {
  if (!(await artifacts.artifactExists(contract))) return undefined
  const {
    bytecode,
    buildInfoId = '',
    inputSourceName = '',
  } = await artifacts.readArtifact(contract)
  const [inputPath, outputPath] = await Promise.all([
    artifacts.getBuildInfoPath(buildInfoId),
    artifacts.getBuildInfoOutputPath(buildInfoId),
  ])
  if (bytecode !== channelsBytecode || inputPath === undefined || outputPath === undefined) {
    return undefined
  }
  const { input } = JSON.parse(await readFile(inputPath, 'utf8'))
  const { output } = JSON.parse(await readFile(outputPath, 'utf8'))
  const metadata: string | undefined = output.contracts[inputSourceName]?.[contract]?.metadata
  return metadata === undefined ? undefined : { input: standardInput(input, metadata), metadata }
}

/** A build may be of more than one contract: the metadata names the sources of this one. */
function standardInput({ language, settings, sources }: BuildInput, metadata: string): string {
  const names = Object.keys(JSON.parse(metadata).sources)
  const input = {
    language,
    sources: Object.fromEntries(names.map((name) => [name, sources[name]])),
    settings: { ...settings, outputSelection: { '*': { '*': outputs } } },
  }
  return `${JSON.stringify(input, null, 2)}\n`
}
