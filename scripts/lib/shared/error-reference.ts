// The reference of error codes, made from the catalogues of the rooms.
import { fileURLToPath } from 'node:url'
import { agentErrors } from '../../../agent/errors/index.ts'
import { browserErrors } from '../../../browser/error-codes.ts'
import { commonExitCode } from '../../../platform/cli/exit-codes.ts'
import { platformErrors } from '../../../platform/errors/index.ts'
import { type ErrorCatalogue, protocolErrors } from '../../../protocol/errors.ts'
import { receiverErrors } from '../../../receiver/errors/index.ts'
import { toolErrors } from './errors.ts'

export const errorReferenceFile: string = fileURLToPath(
  new URL('../../../docs/reference/errors.md', import.meta.url),
)

interface Section {
  readonly title: string
  readonly about: string
  readonly catalogue: ErrorCatalogue
}

const sections: readonly Section[] = [
  {
    title: 'Values and signatures',
    about: 'Raised wherever a value is read or written.',
    catalogue: protocolErrors,
  },
  {
    title: 'Machine, configuration and chain',
    about: 'Raised by both programs.',
    catalogue: platformErrors,
  },
  {
    title: 'Agent',
    about: 'Raised by the library, the daemon and `uraiden-agent`.',
    catalogue: agentErrors,
  },
  {
    title: 'Receiver',
    about: 'Raised by the library, the server and `uraiden-receiver`.',
    catalogue: receiverErrors,
  },
  {
    title: 'Browser',
    about: 'Raised while a page pays. No program exits with them.',
    catalogue: browserErrors,
  },
  {
    title: 'Scripts, packaging and provisioning',
    about: 'Raised by what a person runs. These programs exit with 1, or 2 for a wrong argument.',
    catalogue: toolErrors,
  },
]

const introduction = `# Error codes

Made from the catalogues in the code by \`npm run errors\`; do not edit it here.

Every error has a code, a sentence that names the value, and what to do. A code
keeps its meaning. The kind decides the exit code of a command; the status is
that of the receiver\u2019s HTTP API, 400 where none is given. The agent\u2019s proxy
answers with the status of the agent\u2019s errors, and where none is given with
that of their kind ([refusals](../guides/proxy.md#refusals)). Where the last
column is empty, the error itself says what to do, because it depends on the case.
`

/** The whole page, in Markdown. */
export function errorReference(): string {
  return `${[introduction, ...sections.map(section)].join('\n')}`
}

function section({ title, about, catalogue }: Section): string {
  const rows = Object.entries(catalogue).map(
    ([code, { kind, status, hint }]) =>
      `| \`${code}\` | ${kind} (${commonExitCode[kind]}) | ${status ?? ''} | ${cell(hint ?? '')} |`,
  )
  const head = '| code | kind (exit code) | status | what to do |\n|---|---|---|---|'
  return `## ${title}\n\n${about}\n\n${head}\n${rows.join('\n')}\n`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')
}
