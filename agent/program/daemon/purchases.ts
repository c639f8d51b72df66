// What jobs, proxy and commands buy with the shared agent, counted, and the prices that were seen.
import { isUraidenError, type TokenAmount } from '../../../protocol/index.ts'
import type { ChannelName } from '../../channels/records.ts'
import type { Agent, RequestOptions } from '../../options.ts'
import type { PaymentFacts } from '../../purchase/types.ts'
import type { Counters } from '../control/status.ts'
import type { SharedAgent } from './shared-agent.ts'

export interface Purchases extends Pick<Agent, 'stream' | 'request' | 'repeatPayment'> {
  readonly counters: () => Counters
}

export interface PurchasesOptions {
  readonly shared: SharedAgent
  readonly onPaid: (channel: ChannelName, price: TokenAmount) => void
  readonly onFailed: (error: unknown) => void
}

/** A limit of one's own said no. */
const refusal = /^(price_|budget_|deposit_|host_|receiver_not_allowed|wrong_contract|wrong_token)/

export function createPurchases({ shared, onPaid, onFailed }: PurchasesOptions): Purchases {
  let [payments, refusals, failures] = [0, 0, 0]

  async function counted<Answer extends { readonly payment: PaymentFacts | undefined }>(
    options: RequestOptions | undefined,
    ask: (agent: Agent, options: RequestOptions) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const answer = await shared.use((agent, stopping) => {
        const signal = options?.signal ? AbortSignal.any([options.signal, stopping]) : stopping
        return ask(agent, { ...options, signal })
      })
      if (answer.payment !== undefined) {
        payments++
        onPaid(answer.payment.channel, answer.payment.price)
      }
      return answer
    } catch (error) {
      if (isUraidenError(error) && refusal.test(error.code)) refusals++
      // Who hung up knows it.
      else if (!options?.signal?.aborted && !isUraidenError(error, 'dry_run')) {
        failures++
        onFailed(error)
      }
      throw error
    }
  }

  return {
    counters: () => ({ payments, refusals, failures }),
    stream: (url, options) => counted(options, (agent, all) => agent.stream(url, all)),
    request: (url, options) => counted(options, (agent, all) => agent.request(url, all)),
    repeatPayment: (url, payment, options) =>
      counted(options, (agent, all) => agent.repeatPayment(url, payment, all)),
  }
}
