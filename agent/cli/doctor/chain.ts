// Node, contract, tokens, ether.
import { formatAmount } from '../../../protocol/index.ts'
import { type Check, failure, ok, type Patient, warning } from './check.ts'

/** A head older than this is one of a node that is behind, or of a quiet test chain. */
const oldHead = 300

const notAsked = failure('Not looked at, because the chain does not answer.')

export const chainCheck: Check = {
  name: 'chain',
  look: async ({ chain }) => {
    if (chain === undefined) return notAsked
    const { number, timestamp } = await chain.head()
    const age = Math.max(0, Math.round(Date.now() / 1000) - timestamp)
    const says = `chain id ${chain.chainId}, block ${number}, ${age} s old`
    if (age <= oldHead) return ok(says)
    return warning(`${says}. The node may be behind, or this clock wrong; see \`clock\`.`)
  },
}

export const contractCheck: Check = {
  name: 'contract',
  look: async ({ chain }) => {
    if (chain === undefined) return notAsked
    const [{ version }, token] = await Promise.all([chain.contractFacts(), chain.tokenFacts()])
    return ok(`${chain.contract}, version ${version}, token ${token.symbol}`)
  },
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
