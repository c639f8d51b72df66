// What browsers load from a receiver.
import { type LoadedPages, loadPages } from '../../platform/web/assets.ts'
import { readAsset } from './files.ts'

export type WebAssets = LoadedPages<'paywall' | 'dashboard'>

/** Undefined when they were not built: `npm run web`. */
export function loadWebAssets(): Promise<WebAssets | undefined> {
  return loadPages(['paywall', 'dashboard'], readAsset)
}
