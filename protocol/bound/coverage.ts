// What our signatures cover: plain components, and of an answer also its request's signature.
import { createRecent } from '../recent.ts'
import { type Coverage, coverageOf, unsound } from './base.ts'
import { signatureLabel } from './profile.ts'
import { type InnerList, type Parameters, stringItem, stringValue } from './structured.ts'

export interface SignatureParameters {
  readonly keyid: string
  readonly tag: string
  readonly nonce?: string | undefined
}

/** Our member of Signature-Input, read. */
export interface SignatureInput {
  readonly coverage: Coverage
  /** Fields and derived components, without quotes. */
  readonly names: ReadonlySet<string>
  /** Whether the signature of a request is among what is covered. */
  readonly coversRequest: boolean
  readonly parameters: SignatureParameters
}

/** RFC 9421 section 2.4: the member of ours in the Signature of the request. */
export const requestSignature = `"signature";req;key="${signatureLabel}"`

/** Lower case, as section 2 of RFC 9421 demands of names. */
const plainName = /^@?[a-z0-9!#$%&'*+.^_`|~-]+$/

/** Fields that cannot be covered by what they hold. */
const circular: readonly string[] = ['signature', 'signature-input']

/** @throws UraidenError `component_repeated`, `unknown_component`, `unknown_parameter` */
export function readSignatureInput(list: InnerList): SignatureInput {
  const coverage = coverageOf(list)
  const names = new Set<string>()
  for (const identifier of coverage.identifiers) {
    if (identifier !== requestSignature) names.add(requireName(nameOf(identifier)))
  }
  return {
    coverage,
    names,
    coversRequest: names.size < coverage.identifiers.length,
    parameters: readParameters(list.parameters),
  }
}

/**
 * The coverage of plain components, and the parameters in their order.
 * @throws UraidenError `unknown_component`
 */
export function formatCoverage(
  names: readonly string[],
  parameters: SignatureParameters,
  more: readonly string[] = [],
): Coverage {
  const { keyid, nonce, tag } = parameters
  const { identifiers, list } = identified(names, more)
  const fresh = nonce === undefined ? '' : `;nonce=${stringItem(nonce).text}`
  const text = `${list};keyid=${stringItem(keyid).text}${fresh};tag="${tag}"`
  return { identifiers, text }
}

interface Identified {
  readonly identifiers: readonly string[]
  readonly list: string
}

/** Lists that were written lately: messages of one resource all cover the same. */
const written = createRecent<Identified>(256)

function identified(names: readonly string[], more: readonly string[]): Identified {
  // No name that was written has a space or an end of line in it: the same key is the same list, or none.
  const key = `${names.join(' ')}\n${more.join(' ')}`
  const before = written.get(key)
  if (before?.identifiers.length === names.length + more.length) return before
  const identifiers = [...names.map((name) => `"${requireName(name)}"`), ...more]
  const made = { identifiers, list: `(${identifiers.join(' ')})` }
  written.set(key, made)
  return made
}

/** The name in the identifier of a plain component. */
export function nameOf(identifier: string): string {
  return identifier.slice(1, -1)
}

function requireName(name: string): string {
  if (!plainName.test(name) || circular.includes(name)) {
    throw unsound('unknown_component', 'The signature covers a component that is not used here.')
  }
  return name
}

/** Strict: a parameter that is not known could mean that something else is not as it seems. */
function readParameters(parameters: Parameters): SignatureParameters {
  const texts = new Map<string, string>()
  for (const [key, item] of parameters) {
    const text = stringValue(item)
    if (text === undefined || !['keyid', 'tag', 'nonce'].includes(key)) {
      throw unsound('unknown_parameter', 'The signature has a parameter that is not used here.')
    }
    texts.set(key, text)
  }
  const [keyid, tag, nonce] = ['keyid', 'tag', 'nonce'].map((key) => texts.get(key))
  if (keyid === undefined || tag === undefined) {
    throw unsound('unknown_parameter', 'The signature has no keyid or no tag.')
  }
  return { keyid, tag, nonce }
}
