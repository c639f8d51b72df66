// Compiles contracts/src and writes ABI and bytecode as TypeScript, so that a program that uses them
// needs no compiler and no build step, and the reference,
// docs/reference/contract.md and contract-versions.md. `--check` writes nothing and fails when they are not current.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import hre from 'hardhat'
import { contractDocumentation } from './documentation.ts'
import { formerInterface } from './version-0.3.ts'
import { contractVersions, currentInterface } from './versions.ts'

const documentation = fileURLToPath(new URL('../../../docs/reference', import.meta.url))
const contractsFolder = fileURLToPath(new URL('../../../contracts', import.meta.url))

/** The contracts that others use, and the name of their modules. */
const published = [
  { contract: 'RaidenMicroTransferChannels', name: 'channels' },
  { contract: 'CustomToken', name: 'token' },
  { contract: 'DollarToken', name: 'dollar' },
] as const

interface GeneratedFile {
  readonly path: string
  readonly text: string
}

const origin = '// Written by `npm run contracts` from contracts/src. Do not edit.'

async function generate(contract: string, name: string): Promise<readonly GeneratedFile[]> {
  const { abi, bytecode } = await hre.artifacts.readArtifact(contract)
  const entries = abi.map((entry: object) => `  ${JSON.stringify(withoutInternalTypes(entry))},\n`)
  return [
    {
      path: join(contractsFolder, 'abi', `${name}.ts`),
      text: `${origin}\nexport const ${name}Abi = [\n${entries.join('')}] as const\n`,
    },
    {
      path: join(contractsFolder, 'bytecode', `${name}.ts`),
      text: `${origin}\nexport const ${name}Bytecode =\n  '${bytecode}'\n`,
    },
  ]
}

/** The compiler's own type names say nothing to a caller. */
function withoutInternalTypes(entry: object): object {
  return JSON.parse(
    JSON.stringify(entry, (key, value) => (key === 'internalType' ? undefined : value)),
  )
}

async function isCurrent({ path, text }: GeneratedFile): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => '')) === text
}

await hre.tasks.getTask('build').run({ quiet: true, noTests: true })
const files = await Promise.all(published.map(({ contract, name }) => generate(contract, name)))
const reference: readonly GeneratedFile[] = [
  { path: join(documentation, 'contract.md'), text: await contractDocumentation() },
  {
    path: join(documentation, 'contract-versions.md'),
    text: contractVersions(formerInterface, await currentInterface()),
  },
]
for (const file of [...files.flat(), ...reference]) {
  if (await isCurrent(file)) continue
  const shown = relative(process.cwd(), file.path)
  if (process.argv.includes('--check')) {
    process.stderr.write(`${shown} is not what contracts/src compiles to. Run npm run contracts.\n`)
    process.exitCode = 1
  } else {
    await mkdir(dirname(file.path), { recursive: true })
    await writeFile(file.path, file.text)
    process.stderr.write(`wrote ${shown}\n`)
  }
}
