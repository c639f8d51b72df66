// npm run errors: writes docs/reference/errors.md from the catalogues of the rooms.
import { writeFile } from 'node:fs/promises'
import { errorReference, errorReferenceFile } from './shared/error-reference.ts'

await writeFile(errorReferenceFile, errorReference())
