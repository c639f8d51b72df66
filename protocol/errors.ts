/** What went wrong, for a program (`code`), for a person (`message`), and what to do (`hint`). */
export interface ErrorFacts {
  /** Stable, one per cause, in snake_case. Programs decide by it. */
  readonly code: string
  /** One sentence that names the field and the value. */
  readonly message: string
  /** What to do about it, in one or two sentences. */
  readonly hint: string
  /** What a program may want to know of it, amounts as decimals of the smallest unit. */
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

export type ErrorDetails = Readonly<Record<string, string>>

/**
 * Every error that this project raises on purpose. An error of another class is a defect of ours
 * or of a library and may be shown with its stack; this one never needs it.
 */
export class UraidenError extends Error {
  override readonly name = 'UraidenError'
  readonly code: string
  readonly hint: string
  declare readonly details?: ErrorDetails

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = facts.code
    this.hint = facts.hint
    if (facts.details !== undefined) this.details = facts.details
  }
}

/**
 * The same error, about the value that has this name.
 * @example
 * try {
 *   parseAddress(line)
 * } catch (error) {
 *   throw isUraidenError(error) ? errorAbout('receiver', error) : error
 * }
 */
export function errorAbout(name: string, error: UraidenError): UraidenError {
  const { code, message, hint } = error
  return new UraidenError({ code, message: `${name}: ${message}`, hint, cause: error })
}

/** Whose matter an error is. Decides the exit code of a command (docs/reference/errors.md). */
export type ErrorKind = 'usage' | 'refused' | 'receiver' | 'chain' | 'key' | 'state' | 'failed'

/** What a room says about one of its codes. */
export interface ErrorEntry {
  readonly kind: ErrorKind
  /** HTTP status where an API of ours answers with it. Default 400. */
  readonly status?: number
  /** What to do, unless the case at hand says it better. */
  readonly hint?: string
}

export type ErrorCatalogue = { readonly [code: string]: ErrorEntry }

/** The facts of one error of a catalogue; the hint may be left out where the catalogue has one. */
export type CataloguedFacts<Catalogue extends ErrorCatalogue> = {
  readonly [Code in keyof Catalogue & string]: Omit<ErrorFacts, 'code' | 'hint'> & {
    readonly code: Code
  } & (Catalogue[Code] extends { readonly hint: string }
      ? { readonly hint?: string }
      : { readonly hint: string })
}[keyof Catalogue & string]

/**
 * Makes the errors of one catalogue.
 * @example
 * const shopError = errorMaker({ sold_out: { kind: 'failed', hint: 'Come back tomorrow.' } })
 * shopError({ code: 'sold_out', message: 'There is no bread.' }).hint // 'Come back tomorrow.'
 */
export function errorMaker<const Catalogue extends ErrorCatalogue>(catalogue: Catalogue) {
  return (facts: CataloguedFacts<Catalogue>): UraidenError =>
    new UraidenError({ ...facts, hint: facts.hint ?? catalogue[facts.code]?.hint ?? '' })
}

/** What can go wrong when values are read or written: every code of this room, once. */
export const protocolErrors = {
  amount_too_large: { kind: 'usage', hint: 'Write a smaller amount.' },
  announcement_too_long: { kind: 'failed' },
  bad_announcement: {
    kind: 'failed',
    hint: 'What announces itself there is no µRaiden receiver, or a newer one.',
  },
  component_missing: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  component_not_ascii: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  component_repeated: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  component_uncovered: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  content_uncovered: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  contract_version_unsupported: { kind: 'chain' },
  field_missing: { kind: 'failed' },
  field_repeated: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  field_uncovered: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  high_s_signature: { kind: 'failed', hint: 'Sign with an implementation that follows EIP-2.' },
  malformed_body: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  malformed_challenge: {
    kind: 'failed',
    hint: 'Whatever answers there is not a µRaiden receiver, or something between changed it.',
  },
  malformed_content_digest: {
    kind: 'failed',
    hint: 'Write it as RFC 9530 says: sha-256=:<base64>:.',
  },
  malformed_dictionary: { kind: 'failed', hint: 'Write it as RFC 9651 section 3.2 says.' },
  malformed_header: { kind: 'failed' },
  malformed_nonce: {
    kind: 'failed',
    hint: 'Take 16 random bytes in base64url, or the nonce of the challenge.',
  },
  malformed_receipt: { kind: 'failed' },
  malformed_request_key: {
    kind: 'failed',
    hint: 'Send JSON with the texts key, number and signature, a receiver’s also with until.',
  },
  malformed_signature: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  malformed_x402: {
    kind: 'failed',
    hint: 'Whatever speaks x402 there does not keep to it, or something between changed it.',
  },
  missing_header: { kind: 'failed' },
  nonce_missing: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  not_a_block_number: { kind: 'usage' },
  not_a_commitment: {
    kind: 'failed',
    hint: 'Write base, step, ticks, root and signature with one space between.',
  },
  not_a_chain_id: { kind: 'usage', hint: 'Write a decimal integer above 0.' },
  not_a_path: { kind: 'usage' },
  not_a_query: {
    kind: 'usage',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  not_a_request_key: {
    kind: 'usage',
    hint: 'Send a compressed secp256k1 point: 0x and 66 hex digits that begin with 02 or 03.',
  },
  not_a_signature: { kind: 'usage' },
  not_a_status: {
    kind: 'usage',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  not_a_structured_string: { kind: 'usage', hint: 'Use printable ASCII only.' },
  not_a_tick: { kind: 'failed', hint: 'Write 0x and 64 hex digits.' },
  not_a_tick_proof: { kind: 'failed', hint: 'Ask for the proof of this balance again.' },
  not_an_address: { kind: 'usage', hint: 'Write 0x and 40 hex digits.' },
  not_an_amount: { kind: 'usage' },
  not_an_answer_id: {
    kind: 'usage',
    hint: 'Write the first 16 bytes of the request’s MAC: 32 hex digits in lower case.',
  },
  not_an_integer: {
    kind: 'usage',
    hint: 'Write a decimal integer without sign, point or exponent, of at most 58 digits.',
  },
  not_an_origin: {
    kind: 'usage',
    hint: 'Write scheme, host and port like http://192.168.1.20:5000, without a path.',
  },
  not_base64: { kind: 'failed', hint: 'Encode it as RFC 4648 says, without line breaks.' },
  not_hex: { kind: 'failed', hint: 'Write 0x and then two hex digits for each byte.' },
  other_channel: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  other_tag: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  too_many_decimals: { kind: 'usage' },
  transfer_malformed: {
    kind: 'failed',
    hint: 'Hand on what `agent.transfer` gave, whole and unchanged. Nothing was taken.',
  },
  unknown_component: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  unknown_parameter: {
    kind: 'failed',
    hint: 'The message was altered on its way, or its sender does not follow the profile.',
  },
  unrecoverable_signature: {
    kind: 'failed',
    hint: 'Sign again; the signature was damaged on its way or made up.',
  },
  unsignable_answer: { kind: 'failed', hint: 'Correct the answer: no agent believes it as it is.' },
  unsignable_request: {
    kind: 'failed',
    hint: 'Correct the request: no receiver takes it as it is.',
  },
  wrong_checksum: {
    kind: 'usage',
    hint: 'A character was probably mistyped. Copy the address again from its source.',
  },
  wrong_token: { kind: 'usage' },
} as const satisfies ErrorCatalogue

/**
 * An error of this room; a code that is not in its catalogue does not compile.
 * @example
 * protocolError({ code: 'not_a_path', message: 'It is not a path.', hint: 'Write /a.' }).code // 'not_a_path'
 */
export const protocolError = errorMaker(protocolErrors)

/**
 * True for an error of this project, narrowed to one cause when `code` is given.
 * @example
 * try {
 *   parseAddress('0x12')
 * } catch (error) {
 *   if (isUraidenError(error, 'not_an_address')) console.error(error.hint)
 *   else throw error
 * }
 */
export function isUraidenError(error: unknown, code?: string): error is UraidenError {
  return error instanceof UraidenError && (code === undefined || error.code === code)
}
