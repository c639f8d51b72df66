// What a deployment publishes of its source, and deploy-contracts --verify: whether the chain has that code.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { AbiCoder, ContractFactory, getBytes } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { channelsBytecode } from '../../contracts/bytecode/channels.ts'
import type { Deployment } from '../../contracts/deployments.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { compileStandardJson } from '../../scripts/lib/deploy/compile.ts'
import { deployContracts } from '../../scripts/lib/deploy/deploy.ts'
import { explorerText } from '../../scripts/lib/deploy/explorer.ts'
import { channelsSources } from '../../scripts/lib/deploy/sources.ts'
import { verifyDeployment } from '../../scripts/lib/deploy/verify.ts'
import { type EmbeddedChain, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'
import { temporaryFolder } from '../support/folder.ts'

const identifier =
  'project/contracts/src/RaidenMicroTransferChannels.sol:RaidenMicroTransferChannels'
const program = fileURLToPath(new URL('../../scripts/lib/deploy-contracts.ts', import.meta.url))

/** Ten seconds of a core, and nothing else runs meanwhile, no chain either: once for all tests. */
const compiled = new Map<string, ReturnType<typeof compileStandardJson>>()
const compile: typeof compileStandardJson = (input, of) => {
  const known = compiled.get(input) ?? compileStandardJson(input, of)
  compiled.set(input, known)
  return known
}

let chain: EmbeddedChain
let folder: string
let deployed: Deployment

test.before(async () => {
  compile((await channelsSources()).input, identifier)
  chain = await startEmbeddedChain()
  folder = await mkdtemp(join(tmpdir(), 'uraiden-verify-'))
  deployed = await deployContracts({
    rpcUrl: chain.rpcUrl,
    signer: createKeySigner(getBytes(chain.accounts[0]?.privateKey ?? '')),
    token: { name: 'Sensor', symbol: 'SNS', decimals: 6, supply: 5000n },
    challengePeriod: { blocks: 777 },
    confirmations: 1,
    record: folder,
    say: () => {},
  })
})
test.after.always(async () => {
  await chain.close()
  await rm(folder, { recursive: true })
})

/** Files of the deployment, for one test; its record may say something else. */
async function given(t: ExecutionContext, changes: Partial<Deployment> = {}) {
  const own = await temporaryFolder(t)
  await cp(folder, own, { recursive: true })
  const record = join(own, '31337.json')
  await writeFile(record, JSON.stringify({ ...deployed, ...changes }))
  return {
    record,
    input: join(own, '31337.input.json'),
    metadata: join(own, '31337.metadata.json'),
    verify: () => verifyDeployment({ rpcUrl: chain.rpcUrl, record, say: () => {}, compile }),
  }
}

async function refused(
  t: ExecutionContext,
  verifying: Promise<unknown>,
  [code, message]: readonly [string, RegExp],
): Promise<void> {
  const error: unknown = await t.throwsAsync(verifying)
  if (!isUraidenError(error)) throw error
  t.is(error.code, code, error.message)
  t.regex(error.message, message)
  t.not(error.hint, '')
}

test('the standard-JSON input compiles to exactly the committed code, and to the metadata beside it', async (t) => {
  const { input, metadata } = await channelsSources()
  const result = compile(input, identifier)
  t.is(result.bytecode, channelsBytecode)
  t.is(result.metadata, metadata)
})

test('it has the files of contracts/src and what they import, and every setting', async (t) => {
  const { input, metadata } = await channelsSources()
  const { sources, settings } = JSON.parse(input)
  t.deepEqual(
    Object.keys(sources).filter((name) => !name.startsWith('npm/solady@')),
    ['ChannelRecord', 'ChannelSignatures', 'RaidenMicroTransferChannels'].map(
      (name) => `project/contracts/src/${name}.sol`,
    ),
  )
  for (const [name, { content }] of Object.entries<{ content: string }>(sources)) {
    const path = name
      .replace(/^project\//, '')
      .replace(/^npm\/solady@[\d.]+/, 'node_modules/solady')
    t.is(content, readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), name)
  }
  t.like(settings, { evmVersion: 'cancun', viaIR: true, optimizer: { enabled: true, runs: 800 } })
  t.regex(sources[identifier.split(':')[0] ?? ''].content, /pragma solidity \d+\.\d+\.\d+;/)
  t.regex(JSON.parse(metadata).compiler.version, /^\d+\.\d+\.\d+\+commit\.[0-9a-f]{8}$/)
})

const encoded = () =>
  AbiCoder.defaultAbiCoder()
    .encode(['address', 'uint32', 'address[]'], [deployed.token, 777, []])
    .slice(2)

test('a deployment is verified in the form that a person fills in', async (t) => {
  const { input, metadata, verify } = await given(t)
  const text = explorerText(await verify())
  for (const [name, value] of [
    ['address', deployed.contract],
    ['compiler', 'v0.8.37+commit.f401782d'],
    ['licence', 'MIT'],
    ['standard JSON', input],
    ['contract name', identifier],
    ['optimizer', '800 runs'],
    ['EVM version', 'cancun'],
    ['via IR', 'yes'],
    ['arguments', encoded()],
    ['chain', '31337'],
    ['metadata', metadata],
    ['sources', `in ${input}`],
    ['transaction', deployed.transaction],
  ] as const) {
    t.true(text.includes(`\n  ${name.padEnd(14)} ${value}\n`), name)
  }
})

test('the program verifies a deployment, and prints the requests that explorers take', async (t) => {
  const { record, input } = await given(t)
  const args = [program, '--rpc', chain.rpcUrl, '--verify', record, '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { etherscan, sourcify } = JSON.parse(stdout)
  const { sourceCode, ...form } = etherscan
  t.is(sourceCode, await readFile(input, 'utf8'))
  t.deepEqual(form, {
    chainid: '31337',
    contractaddress: deployed.contract,
    codeformat: 'solidity-standard-json-input',
    contractname: identifier,
    compilerversion: 'v0.8.37+commit.f401782d',
    optimizationUsed: '1',
    runs: '800',
    constructorArguments: encoded(),
    evmVersion: 'cancun',
    licenseType: '3',
  })
  const { stdJsonInput, ...rest } = sourcify
  t.deepEqual(stdJsonInput, JSON.parse(sourceCode))
  t.deepEqual(rest, {
    compilerVersion: '0.8.37+commit.f401782d',
    contractIdentifier: identifier,
    creationTransactionHash: deployed.transaction,
  })
})

test('beside a record without them the files are made once the code is theirs', async (t) => {
  const { record, input, metadata, verify } = await given(t)
  const published = await readFile(input, 'utf8')
  await Promise.all([rm(input), rm(metadata)])
  await writeFile(record, JSON.stringify({ ...deployed, challengePeriod: 778 }))
  await t.throwsAsync(verify())
  await t.throwsAsync(readFile(input, 'utf8'))
  await writeFile(record, JSON.stringify(deployed))
  await verify()
  t.is(await readFile(input, 'utf8'), published)
})

test('contracts that the constructor was told to trust are named', async (t) => {
  const factory = new ContractFactory(channelsAbi, channelsBytecode, chain.wallet(3))
  const contract = await factory.deploy(deployed.token, 777, [deployed.token])
  const receipt = await contract.deploymentTransaction()?.wait()
  const { verify } = await given(t, {
    contract: await contract.getAddress(),
    transaction: receipt?.hash ?? '',
    startBlock: receipt?.blockNumber ?? 0,
  })
  t.deepEqual((await verify()).trusted, [deployed.token])
})

test('a node that has forgotten the transaction: the arguments are the record’s, and it says so', async (t) => {
  const remembered = await (await given(t)).verify()
  const forgotten = await (await given(t, { transaction: `0x${'12'.repeat(32)}` })).verify()
  t.is(forgotten.transaction, undefined)
  t.is(forgotten.constructorArguments, remembered.constructorArguments)
})

const at = (number: number) => `0x${'00'.repeat(18)}${number}`

for (const [what, contract, code, message] of [
  [
    'one byte changed',
    at(1001),
    (real: string) => real.replace(/.{4}$/, 'abcd'),
    /differ at byte \d+\./,
  ],
  ['one byte more', at(1002), (real: string) => `${real}00`, /it has \d+ bytes, not \d+\./],
  ['another contract', at(1003), () => '0x6001', /it has 2 bytes, not \d+\./],
] as const) {
  test(`other code on the chain is refused: ${what}`, async (t) => {
    const real = await chain.provider.getCode(deployed.contract)
    await chain.provider.send('hardhat_setCode', [contract, code(real)])
    const { verify } = await given(t, { contract })
    await refused(t, verify(), ['source_differs', message])
  })
}

test('the same code that another constructor has put there is refused', async (t) => {
  const real = (await chain.provider.getCode(deployed.contract)).slice(2)
  const length = (real.length / 2).toString(16).padStart(4, '0')
  // codecopy all that follows these 13 bytes, and return it
  const data = `0x61${length}80600d6000396000f300${real}`
  const sent = await chain.wallet(1).sendTransaction({ data })
  const receipt = await sent.wait()
  const { verify } = await given(t, {
    contract: receipt?.contractAddress ?? '',
    transaction: sent.hash,
    startBlock: receipt?.blockNumber ?? 0,
  })
  await refused(t, verify(), ['source_differs', /created by other code than/])
})

const wrong: readonly (readonly [string, () => Partial<Deployment>, string, RegExp])[] = [
  ['no code', () => ({ contract: at(1234) }), 'contract_missing', /no contract at 0x0+1234 on/],
  ['another chain', () => ({ chainId: 1 }), 'wrong_chain', /is on chain 31337, not 1\./],
  ...(
    [
      ['challengePeriod', 778, /challengePeriod in .* is 778; on the chain it is 777\./],
      ['version', '0.3.0', /version in .* is 0\.3\.0; on the chain it is 0\.4\.0\./],
      ['token', at(4321), /token in .* is 0x0+4321; on the chain it is 0x/],
      ['startBlock', 1000, /startBlock in .* is 1000; on the chain it is 2\./],
    ] as const
  ).map(
    ([field, value, message]) =>
      [`another ${field}`, () => ({ [field]: value }), 'record_differs', message] as const,
  ),
  ['no address', () => ({ contract: '0x12' }), 'deployment_invalid', /contract: /],
]

for (const [what, changes, code, message] of wrong) {
  test(`a record of ${what} is refused`, async (t) => {
    const { verify } = await given(t, changes())
    await refused(t, verify(), [code, message])
  })
}

test('a record whose transaction created something else is refused', async (t) => {
  const other = await chain.wallet(2).sendTransaction({ data: '0x00' })
  const { verify } = await given(t, { transaction: other.hash })
  await refused(t, verify(), ['record_differs', /transaction in .* did not create/])
})

test('a record that is not there, and one that is no JSON, are refused', async (t) => {
  const { record, verify } = await given(t)
  await writeFile(record, '{')
  await refused(t, verify(), ['deployment_invalid', /31337\.json is no record/])
  await rm(record)
  await refused(t, verify(), ['deployment_invalid', /no such file/])
})

for (const [what, change, instead, code, message] of [
  [
    'of another compiler',
    /0\.8\.37/,
    '0.8.36',
    'compiler_differs',
    /solc 0\.8\.36\+commit.*; here/,
  ],
  ['that was changed', /"MIT"/, '"GPL"', 'source_differs', /is not the metadata of what/],
  ['that is none', /^.*$/s, '{}', 'source_differs', /is not the metadata of a Solidity compiler/],
] as const) {
  test(`metadata ${what} is refused`, async (t) => {
    const { metadata, verify } = await given(t)
    const text = await readFile(metadata, 'utf8')
    await writeFile(metadata, text.replace(change, instead))
    await refused(t, verify(), [code, message])
  })
}

test('the program says what is wrong in a sentence, and fails', async (t) => {
  const { record } = await given(t, { chainId: 1 })
  const { code, stderr, stdout } = await promisify(execFile)(process.execPath, [
    ...[program, '--rpc', chain.rpcUrl, '--verify', record],
  ]).catch((error) => error)
  t.is(code, 1)
  t.is(stdout, '')
  t.regex(
    stderr,
    /is on chain 31337, not 1\.\n.*Name a node of it with --rpc.* {3}\(wrong_chain\)\n$/,
  )
})
