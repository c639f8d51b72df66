// Our member of the dictionaries Signature-Input and Signature, between the members of others.
import { UraidenError } from '../errors.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { collectFields, type FieldLines, type Fields } from './fields.ts'
import { macLength } from './mac.ts'
import { boundHeaderName, signatureLabel } from './profile.ts'
import {
  type InnerList,
  type Member,
  type Parameters,
  parseDictionary,
  serializeDictionary,
  stringValue,
} from './structured.ts'

/** Our member, read. */
export interface SignatureMember {
  readonly components: InnerList
  readonly parameters: SignatureParameters
  readonly mac: Uint8Array
}

export interface SignatureParameters {
  readonly keyid: string
  readonly tag: string
  readonly nonce?: string
}

/** Both fields with our member in them: they take the place of all lines of these names. */
export interface SignatureFields {
  readonly 'Signature-Input': string
  readonly Signature: string
}

const signatureNames: readonly string[] = [
  boundHeaderName.signatureInput.toLowerCase(),
  boundHeaderName.signature.toLowerCase(),
]

/**
 * Our member; undefined when the message has none.
 * @throws UraidenError `malformed_dictionary`, `malformed_signature`
 */
export function readSignature(fields: Fields): SignatureMember | undefined {
  const [inputName = '', valueName = ''] = signatureNames
  const inputField = fields.get(inputName)
  const valueField = fields.get(valueName)
  if (inputField === undefined && valueField === undefined) return
  const input = ownMember(parseDictionary(inputField?.value ?? ''))
  // Signature alone may be that of an older scheme, which is no dictionary.
  if (inputField === undefined && !isDictionary(valueField?.value ?? '')) return
  const value = ownMember(parseDictionary(valueField?.value ?? ''))
  if (input === undefined && value === undefined) return
  if (input?.value.kind !== 'list') throw malformed('Signature-Input has no list of components.')
  return {
    components: input.value,
    parameters: readParameters(input.value.parameters),
    mac: readMac(value),
  }
}

/** The text of our member of Signature, as an answer covers it with `"signature";req;key="rdn"`. */
export function formatMac(mac: Uint8Array): string {
  return `:${toBase64(mac)}:`
}

/**
 * Our member behind those of others, which stay as they are; an earlier one of ours goes.
 * @throws UraidenError `malformed_dictionary` when the message has a Signature of another kind
 */
export function appendSignature(
  fields: Fields,
  components: string,
  mac: Uint8Array,
): SignatureFields {
  const [inputName = '', valueName = ''] = signatureNames
  return {
    'Signature-Input': withOwn(fields.get(inputName)?.value, components),
    Signature: withOwn(fields.get(valueName)?.value, formatMac(mac)),
  }
}

/**
 * The message without our member. What others wrote stays, in one line a field; without members of
 * others the field goes.
 * @throws UraidenError `malformed_dictionary`
 */
export function removeSignature(lines: FieldLines): FieldLines {
  const fields = collectFields(lines)
  const rest = new Map<string, string>()
  for (const name of signatureNames) {
    const value = fields.get(name)?.value
    if (value !== undefined) rest.set(name, serializeDictionary(foreignMembers(value)))
  }
  return lines.flatMap(([name, value]) => {
    const left = rest.get(name.toLowerCase())
    if (left === undefined) return [[name, value] as const]
    rest.set(name.toLowerCase(), '')
    return left === '' ? [] : [[name, left] as const]
  })
}

function ownMember(members: readonly Member[]): Member | undefined {
  const own = members.filter(({ key }) => key === signatureLabel)
  if (own.length > 1) throw malformed('The member rdn is there twice.')
  return own[0]
}

function isDictionary(text: string): boolean {
  try {
    parseDictionary(text)
    return true
  } catch {
    return false
  }
}

function readMac(member: Member | undefined): Uint8Array {
  const value = member?.value
  if (value?.kind !== 'item' || value.value.kind !== 'bytes' || value.parameters.length > 0) {
    throw malformed('Signature has no MAC.')
  }
  const mac = fromBase64(value.value.text.slice(1, -1))
  if (mac.length !== macLength) throw malformed(`The MAC has ${mac.length} bytes.`)
  return mac
}

/** Strict: a parameter that is not known could mean that something else is not as it seems. */
function readParameters(parameters: Parameters): SignatureParameters {
  const texts = new Map<string, string>()
  for (const [key, item] of parameters) {
    const text = stringValue(item)
    if (text === undefined || !['keyid', 'tag', 'nonce'].includes(key)) {
      throw malformed(`The parameter ${key} is not known.`)
    }
    texts.set(key, text)
  }
  const keyid = texts.get('keyid')
  const tag = texts.get('tag')
  const nonce = texts.get('nonce')
  if (keyid === undefined || tag === undefined) throw malformed('keyid or tag is missing.')
  return nonce === undefined ? { keyid, tag } : { keyid, tag, nonce }
}

function withOwn(before: string | undefined, own: string): string {
  const others = before === undefined ? [] : foreignMembers(before)
  return serializeDictionary([...others, { text: `${signatureLabel}=${own}` }])
}

function foreignMembers(text: string): readonly Member[] {
  return parseDictionary(text).filter(({ key }) => key !== signatureLabel)
}

function malformed(message: string): UraidenError {
  return new UraidenError({
    code: 'malformed_signature',
    message,
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  })
}
