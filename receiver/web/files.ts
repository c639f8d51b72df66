// Where the receiver's pages are: beside this module, in the checkout as in the package.
import { readFrom } from '../../platform/web/files.ts'

export const readAsset = readFrom(new URL('./assets/', import.meta.url))
