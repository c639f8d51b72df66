// Where the receiver's pages are: beside this module, in the checkout as in the package. The bundles of
// deploy/pi/packaging hold them themselves, in place of this module.
import { readFrom } from '../../platform/web/files.ts'

export const readAsset = readFrom(new URL('./assets/', import.meta.url))
