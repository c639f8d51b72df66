// Node, contract, tokens, ether.
import { failure, lookAtChain, lookAtContract, ok, warning } from '../../../platform/cli/doctor.ts'
import { formatAmount } from '../../../protocol/index.ts'
import type { Check, Patient } from './check.ts'

const notAsked = failure('Not looked at, because the chain does not answer.')

export const chainCheck: Check = {
  name: 'chain',
  look: async ({ chain }) => (chain === undefined ? notAsked : lookAtChain(chain)),
}

export const contractCheck: Check = {
  name: 'contract',
  look: async ({ chain }) => (chain === undefined ? notAsked : lookAtContract(chain)),
}

export const tokensCheck: Check = {
  name: 'tokens',
  look: async (patient) => {
    const { chain, signer } = patient
    if (chain === undefined || signer === undefined) return notKnown(patient)
    const [balance, token] = await Promise.all([
      chain.tokenBalance(signer.address),
      chain.tokenFacts(),
    ])
    if (balance > 0n) return ok(formatAmount(balance, token))
    return warning(
      `0 ${token.symbol}: no channel can be opened. Send ${token.symbol} to ${signer.address}.`,
    )
  },
}

export const etherCheck: Check = {
  name: 'ether',
  look: async (patient) => {
    const { chain, signer } = patient
    if (chain === undefined || signer === undefined) return notKnown(patient)
    const balance = await chain.etherBalance(signer.address)
    if (balance > 0n) return ok(formatAmount(balance, { symbol: 'ETH', decimals: 18 }))
    return warning(
      `0 ETH: fine while the receiver relays; closing without it needs ether. Send some to ${signer.address}.`,
    )
  },
}

function notKnown({ chain }: Patient) {
  return chain === undefined ? notAsked : failure('Not looked at, because there is no key.')
}
