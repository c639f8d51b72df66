// The pages of the reference that are made from the sources are what those say, and leave nothing out.
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { openApiDocument } from '../../receiver/server/openapi/document.ts'
import { allCommands, programs } from '../../scripts/lib/manuals/model.ts'
import { referenceFiles } from '../../scripts/lib/references/files.ts'

test('the pages are what the sources say; npm run reference writes them', async (t) => {
  for (const [path, text] of referenceFiles()) t.is(await readFile(path, 'utf8'), text, path)
})

test('every command of both programs, and every route of the receiver, has a heading', async (t) => {
  const commands = await readFile('docs/reference/commands.md', 'utf8')
  for (const program of programs) {
    for (const { path } of allCommands(program)) {
      const heading =
        path.length === 0 ? `## ${program.name}` : `### ${program.name} ${path.join(' ')}`
      t.true(commands.includes(`\n${heading}\n`), heading)
    }
  }
  const api = await readFile('docs/reference/http-api.md', 'utf8')
  for (const [path, item] of Object.entries(openApiDocument.paths)) {
    for (const method of Object.keys(item)) {
      t.true(api.includes(`\n### ${method.toUpperCase()} ${path}\n`), `${method} ${path}`)
    }
  }
})
