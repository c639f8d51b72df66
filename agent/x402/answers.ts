// What a seller's answer says in x402: what it asks, and what became of a payment. Bytes of a stranger.
import { readAtMost } from '../../platform/http/read-at-most.ts'
import { headerName, isUraidenError, parseUint192 } from '../../protocol/index.ts'
import {
  exactTerms,
  isExact,
  mostBody,
  type PaymentRequired,
  parsePaymentRequired,
  parsePaymentResponse,
  parseVersion1,
  type Settlement,
  version1Field,
  x402Field,
} from '../../protocol/x402/index.ts'
import { notAReceiver } from '../purchase/errors.ts'
import type { Asked } from '../purchase/types.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { type Asset, unitOf } from './types.ts'

export interface SellerAsks {
  readonly version: 1 | 2
  readonly required: PaymentRequired
}

export function speaksRdn({ header }: OpenAnswer): boolean {
  return header(headerName.price) !== undefined
}

/**
 * Of a 402; undefined where it does not speak x402. Version 1 stands in the body, which is read where nothing else
 * is said.
 * @throws UraidenError `terms_unreadable`
 */
export async function readAsked(url: URL, answer: OpenAnswer): Promise<SellerAsks | undefined> {
  const field = answer.header(x402Field.required)
  try {
    if (field !== undefined) return { version: 2, required: parsePaymentRequired(field) }
    if (speaksRdn(answer)) return undefined
    const body = await beginning(answer)
    return body.includes('x402Version') ? { version: 1, required: parseVersion1(body) } : undefined
  } catch (error) {
    if (isUraidenError(error, 'malformed_x402')) throw notAReceiver(url, error)
    throw error
  }
}

/** As much of a body as terms may have; what breaks off has none. */
async function beginning({ stream }: OpenAnswer): Promise<string> {
  try {
    return (await readAtMost(stream, mostBody))?.toString('utf8') ?? ''
  } catch {
    return ''
  } finally {
    stream.destroy()
  }
}

/** Undefined where nothing is said that can be read. */
export function settlementIn({ header }: OpenAnswer): Settlement | undefined {
  const field = header(x402Field.response) ?? header(version1Field.response)
  if (field === undefined) return undefined
  try {
    return parsePaymentResponse(field)
  } catch {
    return undefined
  }
}

/** Why a payment was not taken, in the seller's words. */
export function reasonIn(answer: OpenAnswer): string | undefined {
  const settlement = settlementIn(answer)
  const said = settlement?.errorReason ?? settlement?.errorMessage
  if (said !== undefined) return said
  try {
    return parsePaymentRequired(answer.header(x402Field.required) ?? '').error
  } catch {
    return undefined
  }
}

/** What a 402 asks in x402, for who compares. */
export function quotesIn({ required }: SellerAsks, assets: readonly Asset[]): readonly Asked[] {
  return required.accepts.filter(isExact).flatMap((offer, at): readonly Asked[] => {
    try {
      const { amount: price, asset, chainId } = exactTerms(offer, `accepts[${at}]`)
      const known = assets.find((each) => each.address === asset && each.chainId === chainId)
      return [{ dialect: 'x402', price, unit: known && unitOf(known) }]
    } catch {
      return []
    }
  })
}

/** The same in RDN. */
export function rdnQuoteIn({ header }: OpenAnswer): readonly Asked[] {
  try {
    return [
      { dialect: 'rdn', price: parseUint192(header(headerName.price) ?? ''), unit: undefined },
    ]
  } catch {
    return []
  }
}
