// Compiles a standard-JSON input with the compiler of node_modules, as an explorer does, without hardhat.
import solc from 'solc'
import { z } from 'zod'
import { toolError } from '../shared/errors.ts'

/** A contract that was compiled; code in hex digits, with 0x. */
export interface CompiledContract {
  /** Such as `0.8.37+commit.f401782d`. */
  readonly compiler: string
  /** `path:Name` */
  readonly identifier: string
  readonly bytecode: string
  readonly deployedBytecode: string
  /** Where the constructor puts values into the code, in bytes. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[]
  readonly metadata: string
}

const place = z.object({ start: z.number(), length: z.number() })

const contractOutput = z.object({
  metadata: z.string(),
  evm: z.object({
    bytecode: z.object({ object: z.string() }),
    deployedBytecode: z.object({
      object: z.string(),
      immutableReferences: z.record(z.string(), z.array(place)).optional(),
    }),
  }),
})

const output = z.object({
  contracts: z.record(z.string(), z.record(z.string(), contractOutput)).optional(),
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).optional(),
})

/** Such as `0.8.37+commit.f401782d`: metadata and explorers name it so, without the platform. */
export function installedCompiler(): string {
  return String(solc.version()).split('.').slice(0, 4).join('.')
}

/**
 * Takes some ten seconds.
 * @param input text of a standard-JSON input
 * @param identifier `path:Name` of the contract
 * @throws UraidenError `source_differs` when the input does not compile or has no such contract
 */
export function compileStandardJson(input: string, identifier: string): CompiledContract {
  const [path = '', name = ''] = identifier.split(':')
  const { contracts, errors = [] } = output.parse(JSON.parse(solc.compile(input)))
  const compiled = contracts?.[path]?.[name]
  if (compiled === undefined) {
    const reason = errors.find(({ severity }) => severity === 'error')?.formattedMessage
    throw toolError({
      code: 'source_differs',
      message: `The standard-JSON input does not compile to ${identifier}: ${reason ?? 'it has no such contract'}`,
    })
  }
  const { bytecode, deployedBytecode } = compiled.evm
  return {
    compiler: installedCompiler(),
    identifier,
    bytecode: `0x${bytecode.object}`,
    deployedBytecode: `0x${deployedBytecode.object}`,
    immutables: Object.values(deployedBytecode.immutableReferences ?? {}).flat(),
    metadata: compiled.metadata,
  }
}
