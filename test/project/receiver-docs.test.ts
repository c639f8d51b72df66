// docs/reference/receiver-config.md, receiver-cli.md and resources.md say what
// the program does.
import { readFileSync } from 'node:fs'
import test from 'ava'
import { jsonSchemaOf } from '../../platform/config/index.ts'
import type { JsonSchema } from '../../platform/config/names.ts'
import { receiverConfig } from '../../receiver/program/config.ts'
import { resourcesSchema } from '../../receiver/resources/configuration/schema.ts'
import { temporaryFolder } from '../support/folder.ts'
import { runReceiver } from '../support/receiver-program.ts'

const read = (name: string) =>
  readFileSync(new URL(`../../docs/reference/${name}.md`, import.meta.url), 'utf8')

/** `a.b` for every setting; `<name>` stands for what a person chooses. */
function settings(schema: JsonSchema, path = ''): readonly string[] {
  const branches = [schema, ...(schema.anyOf ?? [])]
  const inside = branches.flatMap(({ properties = {}, additionalProperties }) => [
    ...Object.entries(properties).flatMap(([name, each]) =>
      settings(each, path === '' ? name : `${path}.${name}`),
    ),
    ...(typeof additionalProperties === 'object' ? [`${path}.<name>`] : []),
  ])
  return inside.length === 0 ? [path] : inside
}

/** The first column; `a.b` `.c` is `a.b` and `a.c`. */
function documented(table: string): readonly string[] {
  return [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => {
    const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
    const folder = (names[0] ?? '').split('.').slice(0, -1).join('.')
    const parent = names[0]?.includes('<name>') ? (names[0].split('.')[0] ?? '') : folder
    return names.map((name) => (name.startsWith('.') ? `${parent}${name}` : name))
  })
}

test('each setting is in docs/reference/receiver-config.md, and nothing else is', (t) => {
  const { resources: _, ...others } = receiverConfig.shape
  const known = new Set(
    Object.entries(others).flatMap(([name, schema]) => settings(jsonSchemaOf(schema), name)),
  )
  const explained = new Set(documented(read('receiver-config')))
  t.deepEqual(
    [...known].filter((name) => !explained.has(name)),
    [],
  )
  t.deepEqual(
    [...explained].filter(
      (name) => !known.has(name) && !['resources', 'relay', 'state', 'state.tls'].includes(name),
    ),
    [],
  )
})

test('each setting of a resource is in docs/reference/resources.md', (t) => {
  const text = read('resources')
  const [entry] = [jsonSchemaOf(resourcesSchema).additionalProperties]
  if (typeof entry !== 'object') return t.fail('resources are a table')
  for (const name of Object.keys(entry.properties ?? {})) t.regex(text, new RegExp(`\\b${name}\\b`))
})

test('each command and option is in docs/reference/receiver-cli.md', async (t) => {
  const folder = await temporaryFolder(t)
  const { stdout } = await runReceiver(folder, ['--help'])
  const text = read('receiver-cli')
  const [options = '', commands = ''] = stdout.split('Commands:')
  const names = [
    ...[...options.matchAll(/(--[a-z-]+)/g)].map(([, name = '']) => name),
    ...[...commands.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name),
  ].filter((name) => !['--help', 'help'].includes(name))
  t.true(names.length > 15)
  t.deepEqual(
    names.filter((name) => !text.includes(name)),
    [],
  )
})
