// docs/reference/http-api.md: the receiver's OpenAPI document, for people.
import { openApiDocument } from '../../../receiver/server/openapi/document.ts'
import type { Operation, Paths } from '../../../receiver/server/openapi/types.ts'

const titles: { readonly [tag: string]: string } = {
  channels: 'Channels',
  relay: 'Relay',
  admin: 'Administration',
  operations: 'Operations',
}

interface Route {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export function httpApiReference(): string {
  const { paths, tags, info } = openApiDocument
  const routes: readonly Route[] = Object.entries<Paths[string]>(paths).flatMap(([path, item]) =>
    Object.entries<Operation>(item).map(([method, operation]) => ({ method, path, operation })),
  )
  const sections = tags.map(({ name, description }) => {
    const own = routes.filter(({ operation }) => operation.tags.includes(name))
    return `\n## ${titles[name] ?? name}\n\n${description}.\n${own.map(entry).join('')}`
  })
  return `# The receiver's HTTP API

${info.description}

Programs read the same as \`/api/1/openapi.json\`, with the schema of every body.
[Running a receiver](../guides/operations.md) says how to log in.
\`npm run reference\` writes this page.
${sections.join('')}`
}

function entry({ method, path, operation }: Route): string {
  const { summary, description, security, parameters = [], responses } = operation
  const facts = [
    ...(security === undefined ? [] : ['Needs a login.']),
    ...(description === undefined ? [] : [description]),
  ]
  const given = parameters.map(
    (each) =>
      `| \`${each.name}\`, in the ${each.in} | ${each.description ?? ''}${each.required ? '' : ' (may be left out)'} |\n`,
  )
  const answers = Object.entries(responses).map(
    ([status, answer]) => `| ${status} | ${answer.description.replaceAll('|', '\\|')} |\n`,
  )
  const about = facts.length === 0 ? '' : `${facts.join(' ')}\n\n`
  const table = `| | |\n|---|---|\n${given.join('')}${answers.join('')}`
  return `\n### ${method.toUpperCase()} ${path}\n\n${summary}.\n\n${about}${table}`
}
