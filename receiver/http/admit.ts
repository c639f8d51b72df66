import type { TokenAmount } from '../../protocol/index.ts'
import { type Admission, badRequest, type Paywall } from '../paywall/paywall.ts'
import type { Pricer } from '../paywall/price.ts'
import { type AnyRequest, urlOf, viewOf } from './request.ts'

/** Asks for the price and then the paywall; a price function may refuse the request as wrong. */
export async function admit<Request extends AnyRequest>(
  paywall: Paywall,
  pricer: Pricer<Request>,
  request: Request,
  teaser?: string,
): Promise<Admission> {
  let amount: TokenAmount
  try {
    amount = await pricer({ method: request.method ?? 'GET', url: urlOf(request) }, request)
  } catch (error) {
    return badRequest(error)
  }
  const view = viewOf(request)
  return paywall.admit(teaser === undefined ? view : { ...view, teaser }, amount)
}
