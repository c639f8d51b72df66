import { loadWebAssets } from '../web/assets.ts'
import { type PaywallPage, plainPage } from './page.ts'
import { paywallPage } from './paywall-page.ts'

/** The page to pay from; the plain one where it was not built. */
export async function builtPage(log?: {
  readonly warn: (facts: object, message: string) => void
}): Promise<PaywallPage> {
  const assets = await loadWebAssets()
  if (assets !== undefined) return paywallPage(assets)
  log?.warn({}, 'the paywall page is not built (npm run web): browsers get a plain one')
  return plainPage
}
