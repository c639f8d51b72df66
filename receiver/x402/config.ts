// `accept` of receiver.yaml: what is taken beside channels.
import { z } from 'zod'
import { address, amountText, count, httpUrl, seconds } from '../../platform/config/index.ts'
import { defined } from '../../protocol/index.ts'
import type { X402Options } from './open.ts'

const x402Schema = z.strictObject({
  asset: address.describe('an EIP-3009 token on this chain, such as USDC'),
  domain: z
    .strictObject({
      name: z.string().min(1).max(128).optional().describe('what the chain says'),
      version: z.string().min(1).max(128).optional().describe('what the chain says'),
    })
    .prefault({})
    .describe('how the token calls itself in what is signed for it'),
  payTo: address.optional().describe('who is paid; the receiver’s account'),
  tokenPrice: amountText
    .optional()
    .describe('one token of the channels in the asset: 1 USDC; not where it is the same token'),
  least: amountText.optional().describe('nothing is sold for less: 0.01 USDC'),
  etherPrice: amountText
    .optional()
    .describe('one ether in the asset: nothing is sold for less than twice its settlement’s fee'),
  timeout: count.min(10).max(3600).default(60).describe('seconds that a payment is good for'),
  facilitator: z
    .strictObject({
      url: httpUrl.describe('/verify and /settle are below it'),
      trust: z
        .enum(['chain', 'facilitator'])
        .default('chain')
        .describe('facilitator: what it says is not looked up'),
      timeout: seconds(0.1, 300).default(10).describe('seconds for one answer'),
    })
    .optional()
    .describe('settles payments; without it this program does, and pays the gas'),
  patience: seconds(0.1, 300).default(30).describe('seconds that a request waits to be settled'),
  confirmations: count.min(1).max(1000).default(1).describe('depth of a settlement’s block'),
  channels: z
    .enum(['on', 'off'])
    .default('on')
    .describe('off: channels are not offered as a scheme of x402'),
  limits: z
    .strictObject({
      most: count.min(1).max(10_000).optional().describe('settlements under way (32)'),
      mostPerPayer: count.min(1).max(10_000).optional().describe('of one payer (4)'),
      mostRefused: count
        .min(1)
        .optional()
        .describe('payments in a minute that only the chain shows to be not good (60)'),
      mostFailed: count
        .min(1)
        .optional()
        .describe('settlements in an hour that fail on the chain (10)'),
    })
    .prefault({})
    .describe('what strangers may have settled'),
})

export const acceptSchema = z.strictObject({
  x402: x402Schema.optional().describe('payments of x402: asset, payTo, …'),
})

/** `mostFeePerGas` is the general `mostGasPrice`, in wei. */
export function acceptOptions(
  { x402 }: z.output<typeof acceptSchema>,
  mostFeePerGas: bigint | undefined,
): { readonly x402?: X402Options } {
  if (x402 === undefined) return {}
  const { patience, facilitator, ...rest } = x402
  return {
    x402: {
      ...rest,
      mostFeePerGas,
      patience: patience * 1000,
      ...defined({
        facilitator: facilitator && { ...facilitator, timeout: facilitator.timeout * 1000 },
      }),
    },
  }
}
