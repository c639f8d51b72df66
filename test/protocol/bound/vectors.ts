// What the vectors hold: made by hand with node:crypto and by a published library, not by our code.
import { readFileSync } from 'node:fs'
import {
  type AnswerMessage,
  type BoundKeys,
  deriveBoundKeys,
  type FieldLines,
  parseRequestPublicKey,
  type RequestMessage,
} from '../../../protocol/bound/index.ts'
import { fromHex, parseAddress } from '../../../protocol/index.ts'

interface VectorKeys {
  readonly senderRequestPrivate: string
  readonly receiverRequestPrivate: string
  readonly S: string
  readonly R: string
  readonly Z: string
  readonly info: string
  readonly requestKey: string
  readonly answerKey: string
  readonly keyid: string
  readonly chainId: number
  readonly contract: string
  readonly sender: string
  readonly receiver: string
  readonly openBlock: number
}

interface VectorMessage {
  readonly name: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  readonly base: string
  /** Base64. */
  readonly mac: string
}

interface RequestVector extends VectorMessage {
  readonly kind: 'request'
  readonly method: string
  readonly url: string
}

interface AnswerVector extends VectorMessage {
  readonly kind: 'answer'
  readonly status: number
}

interface Vectors {
  readonly keys: VectorKeys
  readonly messages: readonly (RequestVector | AnswerVector)[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../bound-vectors.json', import.meta.url), 'utf8'),
)

export const vectorKeys = vectors.keys

export const requestVectors = vectors.messages.filter((message) => message.kind === 'request')

/** Every answer with the request before it. */
export const answerVectors = vectors.messages.flatMap((answer, at) => {
  if (answer.kind !== 'answer') return []
  const request = vectors.messages.slice(0, at).findLast(({ kind }) => kind === 'request')
  return request?.kind === 'request' ? [{ answer, request }] : []
})

export function requestVector(name: string): RequestVector {
  const found = requestVectors.find((message) => message.name === name)
  if (found === undefined) throw new Error(`no request "${name}"`)
  return found
}

export function answerVector(name: string): AnswerVector {
  const found = answerVectors.find(({ answer }) => answer.name === name)
  if (found === undefined) throw new Error(`no answer "${name}"`)
  return found.answer
}

export function bytes(hexDigits: string): Uint8Array {
  return fromHex(`0x${hexDigits}`)
}

export const binding = {
  chainId: BigInt(vectorKeys.chainId),
  contract: parseAddress(vectorKeys.contract),
  channel: {
    sender: parseAddress(vectorKeys.sender),
    receiver: parseAddress(vectorKeys.receiver),
    openBlock: vectorKeys.openBlock,
  },
  senderKey: parseRequestPublicKey(`0x${vectorKeys.S}`),
  receiverKey: parseRequestPublicKey(`0x${vectorKeys.R}`),
}

export const keys: BoundKeys = deriveBoundKeys(bytes(vectorKeys.Z), binding)

/** The message as it came over the wire. */
export function requestOf({ method, url, headers }: RequestVector): RequestMessage {
  const { pathname, search } = new URL(url)
  return { method, path: pathname, query: search, fields: Object.entries(headers) }
}

export function answerOf({ status, headers }: AnswerVector): AnswerMessage {
  return { status, fields: Object.entries(headers) }
}

export function macOf({ mac }: VectorMessage): Uint8Array {
  return new Uint8Array(Buffer.from(mac, 'base64'))
}

/** Without the two fields of the signature. */
export function unsigned(fields: FieldLines): FieldLines {
  return fields.filter(([name]) => !/^signature(-input)?$/i.test(name))
}

/** The nonce of the vectors' only request without a balance. */
export const vectorNonce = 'pYw3bC0k1mH2vQ5r'
