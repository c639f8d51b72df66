// The dashboard is one by Grafana's own schema: the types that Grafana publishes as @grafana/schema, to which the
// compiler holds the file as it stands. They leave open what a plugin makes of a panel's `options`.
import { execFile } from 'node:child_process'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { temporaryFolder } from '../support/folder.ts'
import { grafanaSchema, needing, tools } from '../support/tools.ts'

const run = promisify(execFile)
const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const file = new URL('../../deploy/monitoring/grafana.json', import.meta.url)
const held = needing(test, tools.grafanaSchema)

/** In a file, an enumeration is its words. The two fields are of dashboards that are shared, beside the schema. */
const schema = `import type { Dashboard } from '@grafana/schema'
type Written<T> = T extends string ? \`\${T}\`
  : T extends readonly (infer Item)[] ? Written<Item>[]
  : T extends object ? { [Key in keyof T]: Written<T[Key]> }
  : T
type Shared = Written<Dashboard> & { __inputs: unknown; __requires: unknown }
`

/** What the compiler says of a dashboard; nothing when it is one. */
async function complaints(t: ExecutionContext, dashboard: string): Promise<string> {
  const folder = await temporaryFolder(t)
  await symlink(join(grafanaSchema, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'd.ts'), `${schema}export const dashboard: Shared = ${dashboard}`)
  const how = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--typeRoots', '.']
  try {
    return (await run(process.execPath, [compiler, ...how, 'd.ts'], { cwd: folder })).stdout
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

held('the dashboard is one by the schema of Grafana', async (t) => {
  t.is(await complaints(t, await readFile(file, 'utf8')), '')
})

held(
  'a name that Grafana does not know, a word that is none of its words, and a lack are found',
  async (t) => {
    const text = await readFile(file, 'utf8')
    for (const [from, to] of [
      ['"gridPos":', '"gridPosition":'],
      ['"mode": "absolute"', '"mode": "absolut"'],
      ['"schemaVersion": ', '"schemaVersions": '],
    ] as const) {
      t.true(text.includes(from), from)
      t.not(await complaints(t, text.replace(from, to)), '', to)
    }
  },
)
