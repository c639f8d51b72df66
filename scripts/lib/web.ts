// npm run web: bundles what browsers load, into the checkout.
import { buildPages } from './web/build.ts'

await buildPages()
