// npm run reference: writes the pages of docs/reference that say what the sources say.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { referenceFiles } from './references/files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

for (const [path, text] of referenceFiles()) await writeFile(`${root}${path}`, text)
