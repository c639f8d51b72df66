// A dialect turns a request into a payment of a channel and a decision into headers. RDN is the first; another
// one is another implementation of this interface (receiver/x402/).
import type { IncomingHttpHeaders } from 'node:http'
import {
  type Address,
  type Feature,
  formatStanding,
  formatTerms,
  type HeaderFields,
  type HeaderSource,
  headerName,
  type Payment,
  type PaymentReason,
  parsePayment,
  type TokenAmount,
} from '../../protocol/index.ts'
import { type BestProof, type Channel, isTicked } from '../channels/records.ts'

export interface RequestView {
  readonly method: string
  /** As the client sent it: path and query. */
  readonly url: string
  readonly header: HeaderSource
  readonly cookie: HeaderSource
}

/** What an answer says about the payment, whatever the dialect. */
export interface PaymentAnswer {
  readonly price: TokenAmount
  /** The channel that the payment named, if we know it. */
  readonly channel?: Channel | undefined
  readonly reason?: PaymentReason | undefined
  /** What it cost in the end, when that is not the price. */
  readonly cost?: TokenAmount | undefined
  /** To a bound request: without what the sender had to know before it could bind itself. */
  readonly bound?: boolean | undefined
  /** The request has paid, and is served. */
  readonly isPaid?: true | undefined
  /** To a bound request: says what bound requests may use, too. */
  readonly offers?: boolean | undefined
}

export interface Dialect {
  readonly name: string
  /**
   * The payment of a request; undefined when it does not pay in this dialect.
   * @throws UraidenError `malformed_header`, `high_s_signature`
   */
  readonly payment: (request: RequestView) => Payment | undefined
  readonly headers: (answer: PaymentAnswer) => HeaderFields
}

/** A request of node:http, fastify or express. */
export interface ServerRequest {
  readonly method?: string | undefined
  /** express rewrites `url` below a mount point and keeps what was asked for here. */
  readonly originalUrl?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** As it stood in the request line. */
export function targetOf({ originalUrl, url }: ServerRequest): string {
  return originalUrl ?? url ?? '/'
}

export function viewOf(request: ServerRequest): RequestView {
  const { method = 'GET', headers } = request
  const cookies = parseCookies(headers.cookie ?? '')
  return {
    method,
    url: targetOf(request),
    header: (name) => {
      const value = headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    cookie: (name) => cookies.get(name),
  }
}

/** The RDN cookies of a `Cookie` header (RFC 6265 section 4.2); others are not ours to look at. */
export function parseCookies(header: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const pair of header.split(';')) {
    const [name = '', value] = pair.split('=', 2).map((part) => part.trim())
    if (value !== undefined && name.startsWith('RDN-') && !found.has(name)) found.set(name, value)
  }
  return found
}

export interface RdnIdentity {
  readonly gatewayPath: string
  readonly receiver: Address
  readonly contract: Address
  /** Of the same receiver, best first. */
  readonly otherContracts?: readonly Address[] | undefined
  readonly token: Address
  readonly features: ReadonlySet<Feature>
  /** What bound requests may use beside: said in answers that nobody else can have made. */
  readonly boundFeatures?: ReadonlySet<Feature> | undefined
}

/** Headers and cookies of µRaiden (wire-protocol.md sections 2, 3 and 8). */
export function rdnDialect(given: RdnIdentity): Dialect {
  const { otherContracts = [], boundFeatures = new Set(), ...named } = given
  const offer = boundFeatures.size > 0 && { [headerName.features]: [...boundFeatures].join(', ') }
  const identity = otherContracts.length === 0 ? named : { ...named, otherContracts }
  return {
    name: 'RDN',
    payment: ({ header, cookie }) => parsePayment(header, cookie),
    headers: ({ price, channel, reason, cost, bound, offers }) => {
      const standing = {
        price,
        ...(channel && { senderBalance: channel.claims.highest }),
        ...(channel?.proof && shownUnbound(channel.proof)),
        ...(reason !== undefined && { reason }),
        ...(cost !== undefined && { cost }),
      }
      if (bound === true) return { ...formatStanding(standing), ...(offers === true && offer) }
      return formatTerms({ ...identity, ...standing, ...(channel && { sender: channel.sender }) })
    },
  }
}

/** A tick proves what bound requests have paid, to whom none of this is shown. */
function shownUnbound(proof: BestProof) {
  return isTicked(proof) ? {} : { signature: proof.signature }
}
