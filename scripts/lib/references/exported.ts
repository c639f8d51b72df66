// The functions that the packages export by their roots, as their docstrings describe them.
import { join } from 'node:path'
import ts from 'typescript'

/** A function is named with the first that has it. */
export const entries = {
  'protocol/index.ts': '@uraiden/protocol',
  'agent/index.ts': '@uraiden/agent',
  'receiver/index.ts': '@uraiden/receiver',
  'browser/index.ts': '@uraiden/browser',
  'index.ts': 'uraiden-pi',
} as const

export type Entry = keyof typeof entries

const entryFiles = Object.keys(entries) as readonly Entry[]

export interface ExportedFunction {
  readonly name: string
  readonly entry: Entry
  /** Where it is declared. */
  readonly file: string
  readonly signature: string
  readonly text: string
  readonly throws: readonly string[]
  readonly examples: readonly string[]
}

export interface Exported {
  readonly functions: readonly ExportedFunction[]
  /** Names of everything with a value. */
  readonly values: ReadonlyMap<Entry, readonly string[]>
  /** For whoever compiles more of the kind. */
  readonly program: ts.Program
}

export function exportedFunctions(root: string): Exported {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const paths = entryFiles.map((entry) => join(root, entry))
  const program = ts.createProgram(paths, options)
  const checker = program.getTypeChecker()
  const values = new Map<Entry, readonly string[]>()
  const found = new Map<ts.Symbol, ExportedFunction>()
  for (const entry of entryFiles) {
    const source = program.getSourceFile(join(root, entry))
    const module = source && checker.getSymbolAtLocation(source)
    const symbols = module === undefined ? [] : checker.getExportsOfModule(module)
    const originals = symbols
      .map((symbol) => original(symbol, checker))
      .filter(({ flags }) => flags & ts.SymbolFlags.Value)
    values.set(
      entry,
      originals.map(({ name }) => name),
    )
    for (const symbol of originals) {
      if (found.has(symbol)) continue
      const type = checker.getTypeOfSymbol(symbol)
      if (type.getCallSignatures().length === 0) continue
      found.set(symbol, { ...described(symbol, checker, root), entry })
    }
  }
  return { functions: [...found.values()], values, program }
}

function original(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

function described(
  symbol: ts.Symbol,
  checker: ts.TypeChecker,
  root: string,
): Omit<ExportedFunction, 'entry'> {
  const tags = symbol.getJsDocTags(checker)
  const textsOf = (tag: string) =>
    tags.filter(({ name }) => name === tag).map(({ text }) => ts.displayPartsToString(text))
  const { valueDeclaration: declaration } = symbol
  return {
    name: symbol.name,
    file: declaration?.getSourceFile().fileName.slice(root.length) ?? '',
    signature: signatureOf(symbol, checker),
    text: ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    throws: textsOf('throws'),
    examples: textsOf('example'),
  }
}

/** As it is written in the source, without what it does. */
function signatureOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const { valueDeclaration: declaration } = symbol
  if (declaration !== undefined && ts.isFunctionDeclaration(declaration)) {
    const { body } = declaration
    const end = (body?.getStart() ?? declaration.end) - declaration.getStart()
    return declaration
      .getText()
      .slice(0, end)
      .trim()
      .replace(/^export (async )?/, '')
  }
  return `const ${symbol.name}: ${checker.typeToString(checker.getTypeOfSymbol(symbol))}`
}
