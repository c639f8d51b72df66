// Two published implementations of RFC 9421 under one interface, for tests in both directions.
import { createHmac } from 'node:crypto'
import {
  component,
  createSignature,
  type RequestDescriptor,
  type ResponseDescriptor,
  verifySignature,
} from 'http-message-sig'
import { httpbis } from 'http-message-signatures'
import { type Item, isInnerList, parseDictionary } from 'structured-headers'
import type { FieldLines } from '../../../protocol/bound/index.ts'

interface TheirRequest {
  readonly method: string
  readonly url: string
  readonly fields: FieldLines
}

/** An answer comes with the request that its signature covers. */
interface TheirAnswer {
  readonly status: number
  readonly fields: FieldLines
  readonly request: TheirRequest
}

export type TheirMessage = TheirRequest | TheirAnswer

interface Library {
  readonly name: string
  readonly verify: (message: TheirMessage, key: Uint8Array) => Promise<boolean>
  /** Both fields of a signature `rdn` that covers what this Signature-Input says. */
  readonly sign: (message: TheirMessage, key: Uint8Array, input: string) => Promise<FieldLines>
}

function mac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

/** The list of components and the parameters of `rdn`, as a third library reads them. */
function readInput(input: string) {
  const member = parseDictionary(input).get('rdn')
  if (member === undefined || !isInnerList(member)) throw new Error(`no list in ${input}`)
  const [items, parameters] = member
  return { items, parameters: textParameters(parameters) }
}

function textParameters(parameters: Item[1]): { [name: string]: string | true } {
  const entries = [...parameters].map(([name, value]) => [name, value === true || `${value}`])
  return Object.fromEntries(entries)
}

function record(fields: FieldLines): { [name: string]: string } {
  return Object.fromEntries(fields)
}

/** By Daniel Hensby. */
const httpMessageSignatures: Library = {
  name: 'http-message-signatures',
  async verify(message, key) {
    const keyLookup = async () => ({
      verify: async (data: Buffer, signature: Buffer) => mac(key, data).equals(signature),
    })
    const result =
      'status' in message
        ? await httpbis.verifyMessage(
            { keyLookup },
            { status: message.status, headers: record(message.fields) },
            hensbyRequest(message.request),
          )
        : await httpbis.verifyMessage({ keyLookup }, hensbyRequest(message))
    return result === true
  },
  async sign(message, key, input) {
    const { items, parameters } = readInput(input)
    const config = {
      key: { sign: async (data: Buffer) => mac(key, data) },
      name: 'rdn',
      fields: items.map(identifierOf),
      params: Object.keys(parameters),
      paramValues: { ...parameters, created: null } as {
        created: null
        [name: string]: string | null
      },
    }
    const { headers } =
      'status' in message
        ? await httpbis.signMessage(
            config,
            { status: message.status, headers: record(message.fields) },
            hensbyRequest(message.request),
          )
        : await httpbis.signMessage(config, hensbyRequest(message))
    return Object.entries(headers)
      .filter(([name]) => name.startsWith('Signature'))
      .map(([name, value]) => [name, `${value}`] as const)
  },
}

function hensbyRequest({ method, url, fields }: TheirRequest) {
  return { method, url, headers: record(fields) }
}

function identifierOf([name, parameters]: Item): string {
  const texts = [...parameters].map(([key, value]) =>
    value === true ? `;${key}` : `;${key}="${value}"`,
  )
  return `"${name}"${texts.join('')}`
}

/** By Cloudflare, stricter. */
const httpMessageSig: Library = {
  name: 'http-message-sig',
  async verify(message, key) {
    const input = record(message.fields)['Signature-Input'] ?? ''
    const verifier = {
      algorithm: 'hmac-sha256',
      verify: (data: Uint8Array, signature: Uint8Array) => mac(key, data).equals(signature),
    }
    try {
      await verifySignature(descriptorOf(message), {
        label: 'rdn',
        policy: {
          algorithms: ['hmac-sha256'],
          requiredComponents: componentsOf(readInput(input).items),
          requiredParameters: ['keyid', 'tag'],
        },
        resolveVerifier: () => verifier,
      })
      return true
    } catch {
      return false
    }
  },
  async sign(message, key, input) {
    const { items, parameters } = readInput(input)
    const signer = { algorithm: 'hmac-sha256', sign: (data: Uint8Array) => mac(key, data) }
    const fields = await createSignature(descriptorOf(message), {
      label: 'rdn',
      components: componentsOf(items),
      parameters: parameters as { [name: string]: string },
      signer,
    })
    return [
      ['Signature-Input', fields.signatureInput],
      ['Signature', fields.signature],
    ]
  },
}

function componentsOf(items: readonly Item[]) {
  return items.map(([name, parameters]) => component(`${name}`, textParameters(parameters)))
}

function descriptorOf(message: TheirMessage): RequestDescriptor | ResponseDescriptor {
  const fields = message.fields.map(([name, value]) => ({ name, value }))
  if ('status' in message) {
    const request = requestDescriptor(message.request)
    return { kind: 'response', status: message.status, fields, request }
  }
  return requestDescriptor(message)
}

function requestDescriptor({ method, url, fields }: TheirRequest): RequestDescriptor {
  const occurrences = fields.map(([name, value]) => ({ name, value }))
  return { kind: 'request', method, targetUri: url, fields: occurrences }
}

export const libraries: readonly Library[] = [httpMessageSignatures, httpMessageSig]
