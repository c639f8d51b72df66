// Which header fields a proxy hands on: pure functions (RFC 9110 section 7.6, RFC 9112 section 6).
import { removeSignature } from '../../protocol/bound/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

/** Name and value as they came, in their order. */
export type Field = readonly [name: string, value: string]

/** RFC 9110 section 7.6.1, with the two that a proxy keeps for itself. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** How this proxy calls itself in Via and Proxy-Status. */
export const proxyName = 'uraiden-agent'

/** node:http's flat list as pairs. */
export function fieldsOf(raw: readonly string[]): readonly Field[] {
  const fields: Field[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    fields.push([raw[at] ?? '', raw[at + 1] ?? ''])
  }
  return fields
}

/** Without what is meant for this hop alone, the fields that `Connection` names among it. */
export function endToEnd(fields: readonly Field[]): readonly Field[] {
  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase()))
  const dropped = new Set([...hopByHop, ...named])
  return fields.filter(([name]) => !dropped.has(name.toLowerCase()))
}

export function without(
  fields: readonly Field[],
  drop: (lowerCaseName: string) => boolean,
): readonly Field[] {
  return fields.filter(([name]) => !drop(name.toLowerCase()))
}

/** RFC 9110 section 7.6.3. */
export function withVia(fields: readonly Field[], version: string): readonly Field[] {
  return [...fields, ['Via', `${version} ${proxyName}`]]
}

/** True when a message has passed this proxy before. */
export function passedHere(fields: readonly Field[]): boolean {
  return fields.some(
    ([name, value]) =>
      name.toLowerCase() === 'via' &&
      value.split(',').some((hop) => hop.trim().split(/\s+/)[1] === proxyName),
  )
}

/**
 * How a request's content is delimited on the next hop. What has both lengths never comes here:
 * node:http refuses it, as RFC 9112 section 6.1 allows, because two readings of one message smuggle
 * another one in.
 * @throws UraidenError `transfer_coding_unknown`
 */
export function framing(method: string, fields: readonly Field[]): readonly Field[] {
  const coding = fields.filter(([name]) => name.toLowerCase() === 'transfer-encoding')
  if (coding.length > 0) {
    if (coding.length === 1 && coding[0]?.[1].trim().toLowerCase() === 'chunked') {
      return [['Transfer-Encoding', 'chunked']]
    }
    throw agentError({
      code: 'transfer_coding_unknown',
      message: 'The request is sent with a transfer coding other than chunked.',
    })
  }
  if (fields.some(([name]) => name.toLowerCase() === 'content-length')) return []
  // RFC 9110 section 8.6: a method that expects content says that there is none.
  return ['POST', 'PUT', 'PATCH'].includes(method) ? [['Content-Length', '0']] : []
}

/**
 * What a program sends to a receiver: a payment is the agent's business, so whatever looks like one in
 * header, cookie (wire-protocol.md section 3) or signature stays behind.
 */
export function withoutPayment(fields: readonly Field[]): readonly Field[] {
  const own = without(
    fields,
    (name) => name.startsWith('rdn-') || name.startsWith(ownPrefix) || name === 'cookie',
  )
  return withoutOurSignature(own.concat(cookies(fields)))
}

/** Without the member `rdn` of Signature and Signature-Input; what others have signed stays. */
export function withoutOurSignature(fields: readonly Field[]): readonly Field[] {
  try {
    return removeSignature(fields)
  } catch (error) {
    // A Signature from before RFC 9421 is no dictionary, and has no members.
    if (isUraidenError(error, 'malformed_dictionary')) return fields
    throw error
  }
}

/** Of this proxy's own fields: a receiver cannot set them. */
export const ownPrefix = 'uraiden-'

function cookies(fields: readonly Field[]): readonly Field[] {
  const kept = fields
    .filter(([name]) => name.toLowerCase() === 'cookie')
    .flatMap(([, value]) => value.split(';').map((pair) => pair.trim()))
    .filter((pair) => pair !== '' && !pair.toLowerCase().startsWith('rdn-'))
  return kept.length === 0 ? [] : [['Cookie', kept.join('; ')]]
}
