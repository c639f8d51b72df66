// What a registry shows of a package.
import { type PackageName, shapes } from './shape.ts'

export function readmeOf(name: PackageName): string {
  const { description, entries } = shapes[name]
  const names = Object.keys(entries).map((entry) => `- \`${name}${entry.slice(1)}\``)
  return [
    `# ${name}\n`,
    `${description}.\n`,
    ...(names.length > 0 ? ['```sh', `npm install ${name}`, '```\n', ...names, ''] : []),
    'Part of µRaiden for Raspberry Pi. The packages of one release belong together: each depends on',
    'the others in exactly its own version. What is under `internal` may change with every release.\n',
    'License: MIT.\n',
  ].join('\n')
}
