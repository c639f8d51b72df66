// Is a receiver there, and what does it ask?
import { type Finding, failure, findingOf, ok } from '../../../platform/cli/doctor.ts'
import {
  formatAmount,
  isUraidenError,
  parseTerms,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { createTransport } from '../../transport/transport.ts'
import type { Check, Patient } from './check.ts'

/** Asks without paying. */
export function receiverCheck(place: () => Promise<URL>, address: string | undefined): Check {
  return { name: 'receiver', look: (patient) => lookAtReceiver(place, address, patient) }
}

async function lookAtReceiver(
  place: () => Promise<URL>,
  address: string | undefined,
  { chain, config }: Patient,
): Promise<Finding> {
  try {
    const url = await place()
    const transport = createTransport({ timeout: 5000 })
    const answer = await transport.send({ method: 'GET', url, headers: {} })
    answer.stream.destroy()
    if (answer.status !== 402) return ok(`${url} answers, HTTP status ${answer.status}, free`)
    const terms = parseTerms(answer.header)
    if (terms.contract !== config.contract) {
      return failure(
        `${url} wants payment through the contract ${terms.contract}. Set contract to it, if you trust it.`,
      )
    }
    if (address !== undefined && terms.receiver !== address) {
      return failure(
        `${url} wants payment to ${terms.receiver}, not ${address}. Correct the address, if you trust it.`,
      )
    }
    const token = await chain?.tokenFacts().catch(() => undefined)
    const relays = terms.features.has('relay') ? ', relays deposits' : ''
    return ok(`${url} costs ${priceText(terms.price, token)}${relays}`)
  } catch (error) {
    if (isUraidenError(error)) return findingOf(error)
    throw error
  }
}

function priceText(price: bigint, token: TokenUnit | undefined): string {
  return token === undefined ? `${price} units` : formatAmount(price, token)
}
