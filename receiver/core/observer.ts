// What the receiver tells whoever counts. All calls are made on the way of a request or a write, so
// they must be quick and must not throw.
import type { TokenAmount } from '../../protocol/index.ts'
import type { Admission, Paywall } from '../paywall/paywall.ts'

export interface ReceiverObserver {
  /** The paywall has decided about a request of this price. */
  readonly admitted: (admission: Admission, price: TokenAmount) => void
  /** A resource failed or cost less: so much of the price became the sender's credit again. */
  readonly credited: (amount: TokenAmount) => void
  /** A write of so many records was synced, or failed. */
  readonly committed: (records: number, seconds: number, outcome: 'ok' | 'failed') => void
  /** The node was asked; `outcome` is `ok` or the error's code. */
  readonly asked: (method: string, seconds: number, outcome: string) => void
}

/** The paywall, with everything it decides told to an observer. */
export function observedPaywall(paywall: Paywall, observer: ReceiverObserver): Paywall {
  return {
    ...paywall,
    admit: async (request, price) => {
      const admission = await paywall.admit(request, price)
      observer.admitted(admission, price)
      if (admission.kind !== 'paid') return admission
      return {
        ...admission,
        chargeOnly: async (cost) => {
          const headers = await admission.chargeOnly(cost)
          if (cost < price) observer.credited(price - cost)
          return headers
        },
      }
    },
  }
}
