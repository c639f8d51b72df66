// What a receiver says of itself in the local network: DNS-SD (RFC 6763) service `_uraiden._tcp`
// and its TXT record (wire-protocol.md section 8, LAN discovery). Nobody signs it: it helps to find a
// receiver, never to trust one.

import { type Address, parseAddress } from './address.ts'
import { shorten } from './bytes.ts'
import { defined } from './defined.ts'
import { isUraidenError, protocolError, type UraidenError } from './errors.ts'
import { parseGatewayPath } from './headers.ts'

/** The service type without underscores, as DNS-SD libraries take it: `_uraiden._tcp`. */
export const discoveryService = { type: 'uraiden', protocol: 'tcp' } as const

export interface Announcement {
  /** Root of the channel API, a path such as `/api/1`. */
  readonly path: string
  readonly receiver: Address
  readonly contract: Address
  readonly chainId: bigint
  /** It speaks https, not http. */
  readonly tls: boolean
  /** For a person who browses, such as `from 0.005 TKN`; what counts is the answer to a request. */
  readonly price?: string
}

/** Names and values of a TXT record. */
export type TxtRecord = { readonly [name: string]: string }

/** RFC 6763 section 6.1: one string `name=value` has at most 255 bytes. */
const mostBytes = 255

/** Of the price, in characters: a note, not a price list. */
const longestPrice = 60

const keys = {
  path: 'path',
  receiver: 'receiver',
  contract: 'contract',
  chain: 'chain',
  tls: 'tls',
  price: 'price',
} as const

/**
 * @throws UraidenError `announcement_too_long` for a path over what one string holds
 * @example
 * const announcement = { path: '/api/1', receiver, contract, chainId: 1n, tls: false }
 * formatAnnouncement(announcement).chain // '1'
 */
export function formatAnnouncement(announcement: Announcement): TxtRecord {
  const { path, receiver, contract, chainId, tls, price } = announcement
  const record: TxtRecord = defined({
    [keys.path]: path,
    [keys.receiver]: receiver,
    [keys.contract]: contract,
    [keys.chain]: chainId.toString(),
    [keys.tls]: tls ? '1' : undefined,
    [keys.price]: price === undefined ? undefined : printable(price),
  })
  for (const [name, value] of Object.entries(record)) {
    if (new TextEncoder().encode(`${name}=${value}`).length <= mostBytes) continue
    throw protocolError({
      code: 'announcement_too_long',
      message: `"${shorten(value)}" does not fit into one string of a TXT record.`,
      hint: `${name} and its value may have ${mostBytes - 1} bytes together.`,
    })
  }
  return record
}

/**
 * Of a record as a library hands it over: values are text or bytes. Unknown names are passed over;
 * names are compared without regard to case (RFC 6763 section 6.4).
 * @throws UraidenError `bad_announcement`, which names what is missing or wrong
 * @example
 * const record = { path: '/api/1', receiver, contract, chain: '1', tls: '1' }
 * parseAnnouncement(record).tls // true
 */
export function parseAnnouncement(record: { readonly [name: string]: unknown }): Announcement {
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(record)) {
    const key = name.toLowerCase()
    if (!values.has(key)) values.set(key, textOf(value))
  }
  const price = values.get(keys.price)
  return defined({
    path: read(values, keys.path, parseGatewayPath),
    receiver: read(values, keys.receiver, parseAddress),
    contract: read(values, keys.contract, parseAddress),
    chainId: read(values, keys.chain, parseChainId),
    tls: values.get(keys.tls) === '1',
    price: price === undefined ? undefined : printable(price),
  })
}

function read<Value>(
  values: ReadonlyMap<string, string>,
  name: string,
  parse: (text: string) => Value,
): Value {
  const text = values.get(name)
  if (text === undefined) throw bad(name, 'it is missing.')
  try {
    return parse(text)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    throw bad(name, error.message)
  }
}

function bad(name: string, what: string): UraidenError {
  return protocolError({
    code: 'bad_announcement',
    message: `The announcement's ${name}: ${what}`,
  })
}

/** EIP-155 sets no bound; 2^53 is far above every chain id there is. */
function parseChainId(text: string): bigint {
  if (/^[1-9][0-9]{0,15}$/.test(text)) return BigInt(text)
  throw protocolError({
    code: 'not_a_chain_id',
    message: `"${shorten(text)}" is not a chain id.`,
  })
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  return typeof value === 'string' ? value : ''
}

/** Anybody in the network can announce: what a terminal would obey is taken out. */
function printable(text: string): string {
  return shorten(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ''), longestPrice)
}
