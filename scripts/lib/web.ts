// npm run web: bundles what browsers load, into the checkout or the folder of a built package that is named.
import { buildPages } from './web/build.ts'

const [folder] = process.argv.slice(2)
await buildPages(folder)
