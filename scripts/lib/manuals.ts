// npm run manuals: writes the manual pages and the completions for bash, zsh and fish.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { manualFiles } from './manuals/files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

for (const [path, text] of manualFiles()) await writeFile(`${root}${path}`, text)
