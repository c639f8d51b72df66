// Our member of the dictionaries Signature-Input and Signature, between the members of others.
import type { UraidenError } from '../errors.ts'
import { createRecent } from '../recent.ts'
import { type Coverage, unsound } from './base.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { readSignatureInput, type SignatureInput } from './coverage.ts'
import { collectFields, type FieldLines, type Fields } from './fields.ts'
import { macLength } from './mac.ts'
import { boundHeaderName, signatureLabel } from './profile.ts'
import { type Member, parseDictionary, serializeDictionary } from './structured.ts'

/** Our member of both dictionaries, read. */
export interface SignatureMember extends SignatureInput {
  readonly mac: Uint8Array
}

/** Both fields with our member in them: they take the place of all lines of these names. */
export interface SignatureFields {
  readonly 'Signature-Input': string
  readonly Signature: string
}

const inputName = boundHeaderName.signatureInput.toLowerCase()
const valueName = boundHeaderName.signature.toLowerCase()

/**
 * Our member; undefined when the message has none.
 * @throws UraidenError `malformed_dictionary`, `malformed_signature` and those of its coverage
 */
export function readSignature(fields: Fields): SignatureMember | undefined {
  const input = fields.get(inputName)?.value
  const value = fields.get(valueName)?.value
  // Signature alone may be that of an older scheme, which is no dictionary.
  if (input === undefined && !(value !== undefined && isDictionary(value))) return
  const own = readInput(input ?? '')
  const mac = readMac(value ?? '')
  if (own === undefined && mac === undefined) return
  if (own === undefined || mac === undefined) throw malformed('Half of the signature is missing.')
  return { ...own, mac }
}

/** The text of our member of Signature, as an answer covers it with `"signature";req;key="rdn"`. */
export function formatMac(mac: Uint8Array): string {
  return `:${toBase64(mac)}:`
}

/** Members of others, as text, of both dictionaries. */
export interface ForeignSignatures {
  readonly input: readonly Member[]
  readonly value: readonly Member[]
}

/**
 * What others have signed.
 * @throws UraidenError `malformed_dictionary` when the message has a Signature of another kind
 */
export function foreignSignatures(fields: Fields): ForeignSignatures {
  return {
    input: foreignMembers(fields.get(inputName)?.value ?? ''),
    value: foreignMembers(fields.get(valueName)?.value ?? ''),
  }
}

/** Our member behind those of others, which stay as they are. */
export function appendSignature(
  { input, value }: ForeignSignatures,
  coverage: Coverage,
  mac: Uint8Array,
): SignatureFields {
  return {
    'Signature-Input': serializeDictionary([...input, ownText(coverage.text)]),
    Signature: serializeDictionary([...value, ownText(formatMac(mac))]),
  }
}

/**
 * The message without our member. What others wrote stays, in one line a field; without members of
 * others the field goes.
 * @throws UraidenError `malformed_dictionary`
 */
export function removeSignature(lines: FieldLines): FieldLines {
  const fields = collectFields(lines.filter(([name]) => isSignatureField(name)))
  const rest = new Map<string, string>()
  for (const name of [inputName, valueName]) {
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

/**
 * Inputs that were read lately: all payments of a channel have the same, and each channel has its own. Half as long as
 * allowed, they take some 4 MB, however many are made up.
 */
const mostKnown = 4096
const longestKnown = 512
const known = createRecent<SignatureInput>(mostKnown)

function readInput(text: string): SignatureInput | undefined {
  const before = known.get(text)
  if (before !== undefined) return before
  const value = ownMember(text)?.value
  if (value === undefined) return
  if (value.kind !== 'list') throw malformed('Signature-Input has no list of components.')
  const input = readSignatureInput(value)
  // An input with a nonce does not come again.
  if (input.parameters.nonce === undefined && text.length <= longestKnown) known.set(text, input)
  return input
}

function ownMember(text: string): Member | undefined {
  const own = parseDictionary(text).filter(({ key }) => key === signatureLabel)
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

/** Usually ours is the only member. */
const onlyMac = new RegExp(`^${signatureLabel}=:([A-Za-z0-9+/=]{44}):$`)

function readMac(text: string): Uint8Array | undefined {
  const digits = onlyMac.exec(text)?.[1] ?? digitsOf(ownMember(text))
  if (digits === undefined) return
  const mac = fromBase64(digits)
  if (mac.length !== macLength) throw malformed(`The MAC has ${mac.length} bytes.`)
  return mac
}

function digitsOf(member: Member | undefined): string | undefined {
  const value = member?.value
  if (value === undefined) return
  if (value.kind !== 'item' || value.value.kind !== 'bytes' || value.parameters.length > 0) {
    throw malformed('Signature has no MAC.')
  }
  return value.value.text.slice(1, -1)
}

function ownText(value: string): Pick<Member, 'text'> {
  return { text: `${signatureLabel}=${value}` }
}

/** Of inputs that were read lately. */
const knownForeign = createRecent<readonly Member[]>(mostKnown)

function foreignMembers(text: string): readonly Member[] {
  if (text === '' || onlyMac.test(text)) return []
  const before = knownForeign.get(text)
  if (before !== undefined) return before
  const members = parseDictionary(text).filter(({ key }) => key !== signatureLabel)
  if (text.length <= longestKnown) knownForeign.set(text, members)
  return members
}

function isSignatureField(name: string): boolean {
  return /^signature(?:-input)?$/i.test(name)
}

function malformed(message: string): UraidenError {
  return unsound('malformed_signature', message)
}
