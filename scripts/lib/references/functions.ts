// docs/reference/functions.md: the docstrings of what the packages export by their roots.
import { fileURLToPath } from 'node:url'
import { type Entry, type ExportedFunction, entries, exportedFunctions } from './exported.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export function functionReference(): string {
  const { functions } = exportedFunctions(root)
  const sections = Object.entries(entries).map(([entry, name]) => {
    const own = functions.filter((each) => each.entry === (entry as Entry))
    return `\n## ${name}\n${own.map(section).join('')}`
  })
  return `# Functions

Every function that the packages export by their roots, under the first package that has it:
\`uraiden-pi\` has those of the agent and the usual ones of the others. The types are in
the packages. \`npm run reference\` writes this page from the docstrings.
${sections.join('')}`
}

function section({ name, signature, text, throws, examples }: ExportedFunction): string {
  const thrown = throws.map((each) => `Throws ${each.trim().replaceAll('\n', ' ')}.\n\n`)
  const said = text === '' ? '' : `${text.trim()}\n\n`
  const blocks = [signature, ...examples].map((code) => `\`\`\`ts\n${code.trim()}\n\`\`\`\n`)
  return `\n### ${name}\n\n${said}${thrown.join('')}${blocks.join('\n')}`
}
