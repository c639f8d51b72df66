// deploy-contracts --verify: is the code on the chain what the published source compiles to? Sends nothing.
import { AbiCoder, getCreateAddress } from 'ethers'
import { z } from 'zod'
import { type ChainClient, connectChain } from '../../../platform/chain/index.ts'
import { type Address, isUraidenError } from '../../../protocol/index.ts'
import { toolError } from '../shared/errors.ts'
import { type CompiledContract, compileStandardJson, installedCompiler } from './compile.ts'
import {
  type DeploymentFiles,
  deploymentFiles,
  type RecordedDeployment,
  readRecord,
  readSources,
  writeSources,
} from './record.ts'
import { channelsSources, type Sources } from './sources.ts'

export interface VerifyOptions {
  readonly rpcUrl: string
  /** Path of the record. */
  readonly record: string
  readonly say: (line: string) => void
  /** Default: the compiler of node_modules. */
  readonly compile?: typeof compileStandardJson
}

/** What is published of a contract whose code is that of its source. */
export interface VerifiedDeployment {
  readonly chainId: number
  readonly contract: Address
  readonly source: SourceFacts
  readonly files: DeploymentFiles
  /** Text of the standard-JSON input. */
  readonly input: string
  /** ABI-encoded, in hex digits without 0x. */
  readonly constructorArguments: string
  /** What else may open channels, by those arguments. */
  readonly trusted: readonly string[]
  /** Undefined when the node has it no more; then the arguments are those of the record. */
  readonly transaction: string | undefined
}

/** As the metadata has it. */
export interface SourceFacts {
  /** `path:Name` */
  readonly identifier: string
  readonly compiler: string
  readonly evmVersion: string
  readonly optimizer: { readonly enabled: boolean; readonly runs: number }
  readonly viaIR: boolean
  /** SPDX identifier. */
  readonly licence: string
}

/**
 * @throws UraidenError `deployment_invalid`, `wrong_chain`, `contract_missing`, `compiler_differs`, `source_differs`, `record_differs`, and those of the chain
 */
export async function verifyDeployment(options: VerifyOptions): Promise<VerifiedDeployment> {
  const record = await readRecord(options.record)
  const files = deploymentFiles(options.record)
  const chain = await connectRecorded(options.rpcUrl, record)
  try {
    const code = await codeOf(chain)
    const published = await readSources(files)
    const sources = published ?? (await channelsSources())
    const source = sourceFacts(sources, files)
    const compiled = compileSources(options, { files, sources, source })
    compareCode(record.contract, code, compiled)
    await compareFacts(chain, record, files)
    const creation = await readCreation(chain, record, { files, compiled })
    if (published === undefined) await writeSources(files, sources)
    const constructorArguments = creation ?? recordedArguments(record)
    return {
      chainId: record.chainId,
      contract: record.contract,
      source,
      files,
      input: sources.input,
      constructorArguments,
      trusted: trustedOf(constructorArguments),
      transaction: creation === undefined ? undefined : record.transaction,
    }
  } finally {
    chain.close()
  }
}

async function connectRecorded(rpcUrl: string, record: RecordedDeployment): Promise<ChainClient> {
  const { contract, chainId } = record
  try {
    return await connectChain({ rpcUrl, contract, chainId: BigInt(chainId) })
  } catch (error) {
    if (!isUraidenError(error, 'wrong_chain')) throw error
    throw toolError({
      code: 'wrong_chain',
      message: error.message,
      hint: `The record is of chain ${chainId}. Name a node of it with --rpc, or the record of the other chain.`,
      cause: error,
    })
  }
}

async function codeOf({ request, contract, chainId }: ChainClient): Promise<string> {
  const code = String(await request('eth_getCode', [contract, 'latest'])).toLowerCase()
  if (code !== '0x') return code
  throw toolError({
    code: 'contract_missing',
    message: `There is no contract at ${contract} on chain ${chainId}.`,
    hint: 'Check contract in the record, and that the node is synchronised.',
  })
}

const metadataText = z.object({
  compiler: z.object({ version: z.string() }),
  settings: z.object({
    compilationTarget: z.record(z.string(), z.string()),
    evmVersion: z.string(),
    optimizer: z.object({ enabled: z.boolean(), runs: z.int() }),
    viaIR: z.boolean().default(false),
  }),
  sources: z.record(z.string(), z.object({ license: z.string().default('none') })),
})

/** https://docs.soliditylang.org/en/latest/metadata.html */
function sourceFacts({ metadata }: Sources, files: DeploymentFiles): SourceFacts {
  const { data, error } = metadataText.safeParse(parsedOrUndefined(metadata))
  if (data === undefined) {
    throw toolError({
      code: 'source_differs',
      message: `${files.metadata} is not the metadata of a Solidity compiler.`,
      hint: 'Restore it, or remove it: it is made from contracts/src then.',
      cause: error,
    })
  }
  const { compilationTarget, evmVersion, optimizer, viaIR } = data.settings
  const [[path, name] = ['', '']] = Object.entries(compilationTarget)
  return {
    identifier: `${path}:${name}`,
    compiler: data.compiler.version,
    evmVersion,
    optimizer,
    viaIR,
    licence: data.sources[path]?.license ?? 'none',
  }
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Published {
  readonly files: DeploymentFiles
  readonly sources: Sources
  readonly source: SourceFacts
}

function compileSources(
  { compile = compileStandardJson, say }: VerifyOptions,
  { files, sources, source }: Published,
): CompiledContract {
  if (source.compiler !== installedCompiler()) {
    throw toolError({
      code: 'compiler_differs',
      message: `${files.metadata} was written by solc ${source.compiler}; here is ${installedCompiler()}.`,
    })
  }
  say(`compile   ${source.identifier}, solc ${source.compiler}: some ten seconds`)
  const compiled = compile(sources.input, source.identifier)
  if (compiled.metadata === sources.metadata) return compiled
  throw toolError({
    code: 'source_differs',
    message: `${files.metadata} is not the metadata of what ${files.input} compiles to: one of them was changed.`,
    hint: 'Restore both, or remove both: they are made from contracts/src then.',
  })
}

/** Immutable values are the constructor's and in no source. */
function compareCode(contract: Address, code: string, compiled: CompiledContract): void {
  const expected = masked(compiled.deployedBytecode, compiled.immutables)
  const found = masked(code, compiled.immutables)
  if (found === expected) return
  const bytes = (text: string) => (text.length - 2) / 2
  const where =
    code.length === compiled.deployedBytecode.length
      ? `they differ at byte ${firstDifference(found, expected)}`
      : `it has ${bytes(code)} bytes, not ${bytes(compiled.deployedBytecode)}`
  throw toolError({
    code: 'source_differs',
    message: `The code of ${contract} is not what ${compiled.identifier} compiles to: ${where}.`,
  })
}

function masked(code: string, immutables: CompiledContract['immutables']): string {
  const digits = [...code.slice(2)]
  for (const { start, length } of immutables) {
    digits.fill('0', start * 2, (start + length) * 2)
  }
  return digits.join('')
}

function firstDifference(a: string, b: string): number {
  return Math.floor([...a].findIndex((digit, index) => digit !== b[index]) / 2)
}

/** The code is ours, so what it answers is what its immutable values are. */
async function compareFacts(
  chain: ChainClient,
  record: RecordedDeployment,
  files: DeploymentFiles,
): Promise<void> {
  const { token, challengePeriod, version } = await chain.contractFacts()
  checkField(files, 'version', record.version, version)
  checkField(files, 'token', record.token, token)
  checkField(files, 'challengePeriod', record.challengePeriod, challengePeriod)
}

function checkField(
  { record }: DeploymentFiles,
  field: keyof RecordedDeployment,
  recorded: string | number,
  found: string | number,
): void {
  if (recorded === found) return
  throw toolError({
    code: 'record_differs',
    message: `${field} in ${record} is ${recorded}; on the chain it is ${found}.`,
  })
}

const creationTransaction = z.object({
  from: z.string(),
  to: z.null().optional(),
  nonce: z.string(),
  input: z.string(),
  blockNumber: z.string(),
})

/** The constructor's arguments, as they were sent. Undefined when the node has forgotten the transaction. */
async function readCreation(
  chain: ChainClient,
  record: RecordedDeployment,
  { files, compiled }: { readonly files: DeploymentFiles; readonly compiled: CompiledContract },
): Promise<string | undefined> {
  const answer = await chain.request('eth_getTransactionByHash', [record.transaction])
  if (answer === null) return undefined
  const { data } = creationTransaction.safeParse(answer)
  const created = data && getCreateAddress({ from: data.from, nonce: BigInt(data.nonce) })
  if (data === undefined || created !== record.contract) {
    throw toolError({
      code: 'record_differs',
      message: `transaction in ${files.record}, ${record.transaction}, did not create ${record.contract}.`,
    })
  }
  checkField(files, 'startBlock', record.startBlock, Number(data.blockNumber))
  const sent = data.input.toLowerCase()
  if (sent.startsWith(compiled.bytecode)) return sent.slice(compiled.bytecode.length)
  throw toolError({
    code: 'source_differs',
    message: `${record.contract} was created by other code than ${compiled.identifier} compiles to.`,
  })
}

const constructorTypes = ['address', 'uint32', 'address[]']

/** deploy-contracts trusts no contracts. */
function recordedArguments({ token, challengePeriod }: RecordedDeployment): string {
  const values = [token, challengePeriod, []]
  return AbiCoder.defaultAbiCoder().encode(constructorTypes, values).slice(2)
}

function trustedOf(constructorArguments: string): readonly string[] {
  const values = AbiCoder.defaultAbiCoder().decode(constructorTypes, `0x${constructorArguments}`)
  return [...values.toArray()[2]]
}
