// Completes the folder of a built package, which is named, with what is read at run time and is no code.
import { cp } from 'node:fs/promises'
import { shipDeployments } from './deploy/published.ts'
import { buildPages } from './web/build.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('name the folder of the built package')
await buildPages(folder)
await shipDeployments(folder)
// The tables of a shared state.
const tables = 'receiver/postgres/migrations'
await cp(tables, `${folder}/${tables}`, { recursive: true })
// The terms of what is compiled into the module beside them.
const terms = 'receiver/signatures/libsecp256k1/COPYING'
await cp(terms, `${folder}/${terms}`)
