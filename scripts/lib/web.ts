// npm run web: bundles what browsers load into receiver/web/assets, or into the folder that is named.
import { buildPages } from './web/build.ts'

const [folder] = process.argv.slice(2)
await buildPages(folder)
