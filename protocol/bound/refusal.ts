// Why a receiver does not take a bound request: one code a cause.
import { type RefusalOf, refusalOf } from '../refusal.ts'

interface BoundRefusalKind {
  readonly status: 400 | 401 | 409
  readonly title: string
  readonly remedy: string
}

const kinds = {
  request_key_unknown: {
    status: 401,
    title: 'The request key is not known here',
    remedy: 'Put the channel’s request key again, then send the same request.',
  },
  request_altered: {
    status: 401,
    title: 'The request is not what its signature says',
    remedy: 'Send the same request again. If that fails too, something between alters requests.',
  },
  other_origin: {
    status: 401,
    title: 'The request is for another origin',
    remedy: 'Send it to the origin that RDN-Origin names, or ask for what you want here.',
  },
  nonce_required: {
    status: 401,
    title: 'The request needs the receiver’s nonce',
    remedy: 'Sign the request again with the nonce that Accept-Signature names.',
  },
  request_key_invalid: {
    status: 400,
    title: 'This is not a request key of the channel’s sender',
    remedy: 'Make a new request key and sign it with the key of the channel’s sender.',
  },
  request_key_replaced: {
    status: 409,
    title: 'A newer request key has replaced this one',
    remedy: 'Another program uses this channel. Stop one of the two, or make a newer key.',
  },
} as const satisfies { readonly [code: string]: BoundRefusalKind }

export type BoundRefusalCode = keyof typeof kinds

export type BoundRefusal = RefusalOf<BoundRefusalKind, BoundRefusalCode>

export function boundRefusal(code: BoundRefusalCode, detail?: string): BoundRefusal {
  return refusalOf<BoundRefusalKind, BoundRefusalCode>(kinds, code, detail)
}
