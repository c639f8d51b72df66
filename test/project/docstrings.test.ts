// Every function that a package exports by its root has an example in its docstring, of which
// docs/reference/functions.md is made. The compiler accepts them all; those of protocol/ are run, and give what they say.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import ts from 'typescript'
import { type ExportedFunction, exportedFunctions } from '../../scripts/lib/references/exported.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { functions, values, program: sources } = exportedFunctions(root)

/** Handlers in an example get their types from where a reader puts them. */
const lenient = { noImplicitAny: false, noUncheckedIndexedAccess: false, noUnusedLocals: false }
const options = { ...sources.getCompilerOptions(), ...lenient, noUnusedParameters: false }

interface Example extends ExportedFunction {
  readonly code: string
}

const examples = functions.flatMap((each): readonly Example[] =>
  each.examples.map((code) => ({ ...each, code })),
)

test('every exported function has an example', (t) => {
  t.true(functions.length > 100)
  t.deepEqual(
    functions.filter(({ examples }) => examples.length === 0).map(({ name }) => name),
    [],
  )
  t.log(`${functions.length} functions, ${examples.length} examples`)
})

/** `expression // value`, and any other line. */
const claim = /^(?!\/\/|const |if )(\S.*?) \/\/ (.+)$/gm

const world = [
  'receiver',
  'contract',
  'signer',
  'privateKey',
  'domain',
  'channel',
  'separator',
].concat(['digest', 'signature', 'lastWord', 'commitment', 'tokenAddress', 'publicKey'])

/** What examples speak of besides. */
const surroundings: { readonly [entry: string]: string } = {
  'protocol/index.ts': `import { ${world.join(', ')} } from '../../test/support/docstring-world.ts'
    declare const answer: Response, request: Request, url: string, line: string
    declare const transfer: import('../../protocol/index.ts').Transfer, text: string`,
  'browser/index.ts': `import { receiver, contract } from '../../test/support/docstring-world.ts'
    declare const wallet: import('../../browser/index.ts').Eip1193Provider
    declare const offer: (name: string, wallet: import('../../browser/index.ts').Eip1193Provider) => void`,
}
const programs = `import express from 'express'
  import type { FastifyInstance } from 'fastify'
  import { createServer } from 'node:http'
  declare const agent: import('../../agent/index.ts').Agent
  declare const receiver: import('../../receiver/index.ts').Receiver
  declare const app: any, options: any, resources: any, handler: any, answerReading: any, before: any, now: any
  declare const price: bigint, contract: import('../../protocol/index.ts').Address
  declare const former: import('../../protocol/index.ts').Address`

/** Of other entries, where an example needs them. */
const besides: readonly (readonly [name: string, module: string])[] = [
  ['fromHex', 'protocol/index.ts'],
  ['httpPaywall', 'receiver/http/node.ts'],
  ['expressPaywall', 'receiver/http/express.ts'],
]

function moduleOf({ entry, code }: Example): string {
  const names = values.get(entry) ?? []
  const others = besides.filter(([name]) => !names.includes(name))
  return `import { deepEqual as equal } from 'node:assert/strict'
    import { ${names.join(', ')} } from '../../${entry}'
    ${others.map(([name, module]) => `import { ${name} } from '../../${module}'`).join('\n')}
    ${surroundings[entry] ?? programs}
    export async function example() {
    ${code.replaceAll(claim, 'equal($1, $2)')}
    }`
}

test('the compiler accepts every example, and those of the protocol give what they say', async (t) => {
  const folder = join(root, '.cache', `docstrings-${process.pid}`)
  await mkdir(folder, { recursive: true })
  t.teardown(() => rm(folder, { recursive: true }))
  const files = examples.map((example, index) => ({
    ...example,
    path: join(folder, `${index}.ts`),
  }))
  for (const each of files) await writeFile(each.path, moduleOf(each))
  const paths = files.map(({ path }) => path)
  const program = ts.createProgram(paths, options, undefined, sources)
  const faults = files.flatMap(({ path, name, file }) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(path)),
      ...program.getSemanticDiagnostics(program.getSourceFile(path)),
    ].map(
      ({ messageText }) => `${name}, ${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    ),
  )
  t.deepEqual(faults, [])
  const wrong: string[] = []
  const run = files.filter(
    ({ entry, code }) => entry === 'protocol/index.ts' && code.search(claim) >= 0,
  )
  for (const { path, name } of run) {
    const { example } = (await import(path)) as { readonly example: () => Promise<void> }
    await example().catch(({ message }: Error) => wrong.push(`${name}: ${message}`))
  }
  t.deepEqual(wrong, [])
  t.true(run.length > 50)
  t.log(`${run.length} were run`)
})
