// How this protocol uses HTTP Message Signatures: what RFC 9421 section 1.4 leaves to a profile.
// Algorithm hmac-sha256, fixed by the key. No `created`: small devices have no clock to trust.

/** The member of `Signature` and `Signature-Input` that is ours. */
export const signatureLabel = 'rdn'

export const boundHeaderName = {
  signatureInput: 'Signature-Input',
  signature: 'Signature',
  contentDigest: 'Content-Digest',
  acceptSignature: 'Accept-Signature',
  /** Scheme, host and port that the sender dialled. */
  origin: 'RDN-Origin',
  /** `later` on an answer whose head is authenticated before its content is. */
  body: 'RDN-Body',
} as const

/** The only value of RDN-Body. */
export const bodyLater = 'later'

/** Parameter `tag`, one a direction. */
export const signatureTag = { request: 'rdn-request-1', answer: 'rdn-answer-1' } as const

/** Derived components that every request covers. */
export const requestComponents: readonly string[] = ['@method', '@path', '@query']

/** Fields that every bound request has: who pays whom, where, and what was dialled. */
export const requestFields: readonly string[] = [
  'rdn-origin',
  'rdn-contract-address',
  'rdn-receiver-address',
  'rdn-sender-address',
  'rdn-open-block',
]

/** Request fields that say what is served. Whoever may add one chooses what the payer buys. */
const choosing: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'authorization',
  'cookie',
  'content-encoding',
  'content-type',
  'content-digest',
  'prefer',
  'range',
  'x-method-override',
])

/** Answer fields that the agent acts on. Gateways rewrite etag, date, server and vary. */
const telling: ReadonlySet<string> = new Set([
  'accept-signature',
  'content-digest',
  'content-encoding',
  'content-range',
  'content-type',
  'location',
  'retry-after',
])

/** Fields of this protocol. In a bound message they come once, and never uncovered. */
export function isOfProtocol(name: string): boolean {
  return name.startsWith('rdn-')
}

/** The same of requests: their key says what is repeated. */
export function isOfPayment(name: string): boolean {
  return isOfProtocol(name) || name === 'idempotency-key'
}

/** Fields of a request that count only when they are covered. */
export function choosesWhatIsServed(name: string): boolean {
  return choosing.has(name) || name.startsWith('if-') || name.startsWith('x-http-method')
}

/** Fields of an answer that count only when they are covered. */
export function tellsTheAgent(name: string): boolean {
  return telling.has(name)
}
