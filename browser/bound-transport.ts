// Bound requests by fetch: what is sent is signed, and of what comes back only the receiver's own answer to
// exactly this request is an answer. Whatever else comes, somebody between wrote, or may have.

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type AnswerContent,
  answerId,
  type BoundKeys,
  compareAnswer,
  createNonce,
  digestOfContent,
  draftRequest,
  equalBytes,
  finishDraft,
  formatAudience,
  formatBoundPayment,
  formatContentDigest,
  originOf,
  parseBoundAnswer,
  parseReceipt,
  type VerifiedAnswer,
  verifyReceipt,
} from '../protocol/bound/index.ts'
import type { HeaderFields, TokenAmount, UraidenError } from '../protocol/index.ts'
import type { BoundAnswer, BoundRequest, KeptKeys, MacKey } from './bound.ts'
import { browserError } from './error-codes.ts'
import type { Fetch } from './parts.ts'
import { reach } from './receiver-api.ts'

/** With whom, by which keys, and where its channel API is. */
export interface BoundPlace {
  readonly fetcher: Fetch
  readonly api: URL
  readonly binding: BoundKeys['binding']
  readonly keys: Pick<KeptKeys, 'keyid' | 'requests' | 'answers'>
}

export type BoundReply =
  | { readonly kind: 'authentic'; readonly answer: BoundAnswer }
  /** From whomever: nothing of it may be believed. */
  | {
      readonly kind: 'unproven'
      readonly status: number
      /** What a receiver says that cannot check our signature. */
      readonly code: string | undefined
      readonly error: UraidenError
    }

/** @throws UraidenError `receiver_unreachable`; `answer_lost` for content that is not the receiver's */
export async function sendBound(place: BoundPlace, request: BoundRequest): Promise<BoundReply> {
  const { fetcher, keys } = place
  const { method, url, body, signal } = request
  const { headers, mac } = await signed(place, request)
  const response = await reach(fetcher, url.href, {
    ...{ method, headers },
    ...(body === undefined ? {} : { body }),
    cache: 'no-store',
    credentials: 'same-origin',
    // Elsewhere nobody could check it, or sign the answer.
    redirect: 'manual',
    signal: signal ?? null,
  })
  const { status } = response
  const claimed = parseBoundAnswer({ status, fields: [...response.headers] }, { requestMac: mac })
  const verified = claimed.ok
    ? compareAnswer(claimed.value, {
        keyid: keys.keyid,
        mac: await macOf(keys.answers, claimed.value.base),
      })
    : claimed
  if (verified.ok) {
    const answer = await authentic({ ...place, request, mac }, response, verified.value)
    return { kind: 'authentic', answer }
  }
  const code = await refusalCode(response)
  return { kind: 'unproven', status, code, error: lost(url, verified.detail) }
}

/** Non-extractable where there is WebCrypto: pages that came over plain HTTP have none. */
export async function importMacKey(bytes: Uint8Array): Promise<MacKey> {
  const { subtle } = crypto as Partial<typeof crypto>
  const copy = new Uint8Array(bytes)
  if (subtle === undefined) return copy
  return subtle.importKey('raw', copy, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

async function macOf(key: MacKey, text: string): Promise<Uint8Array> {
  const message = new Uint8Array(utf8ToBytes(text))
  if (key instanceof Uint8Array) return hmac(sha256, key, message)
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message))
}

/** Fields by their names in lower case, as fetch sends them. */
async function signed(
  { binding, keys }: BoundPlace,
  { method, url, headers, body, payment }: BoundRequest,
): Promise<{ readonly headers: HeaderFields; readonly mac: Uint8Array }> {
  const fields = new Map<string, string>()
  const put = (from: HeaderFields): void => {
    for (const [name, value] of Object.entries(from)) fields.set(name.toLowerCase(), value)
  }
  // What the browser would add itself would not be covered, and so not count.
  const languages = globalThis.navigator?.languages ?? []
  if (languages.length > 0) put({ 'accept-language': languages.join(', ') })
  put(headers)
  const { contract, channel } = binding
  put(formatAudience({ origin: originOf(url.href), contract, ...channel }))
  if (payment !== undefined) put(formatBoundPayment(payment))
  if (body !== undefined) {
    put({ 'content-digest': formatContentDigest(digestOfContent(utf8ToBytes(body))) })
  }
  const message = { method, path: url.pathname, query: url.search, fields: [...fields] }
  const nonce = payment === undefined ? createNonce() : undefined
  const draft = draftRequest(message, { keyid: keys.keyid, binding }, { nonce })
  const { fields: signature, mac } = finishDraft(draft, await macOf(keys.requests, draft.base))
  put({ ...signature })
  return { headers: Object.fromEntries(fields), mac }
}

interface Exchange extends BoundPlace {
  readonly request: BoundRequest
  readonly mac: Uint8Array
}

async function authentic(
  exchange: Exchange,
  response: Response,
  { covered, drop, content }: VerifiedAnswer,
): Promise<BoundAnswer> {
  const { url } = exchange.request
  const coding = covered('content-encoding')
  if (content.kind !== 'none' && coding !== undefined && coding !== 'identity') {
    throw lost(url, `Its content is coded (${coding}), and a page sees it decoded only.`)
  }
  const { status, statusText } = response
  const { body, length, digest } = await readContent(url, response)
  const cost = await checkContent(exchange, content, { status, length, digest })
  const dropped = new Set(drop)
  const headers = [...response.headers]
    .filter(([name]) => !dropped.has(name))
    .map(([name, value]): [string, string] => [name, covered(name) ?? value])
  const proven = new Response(length === 0 ? null : body, { status, statusText, headers })
  return { response: proven, header: covered, cost }
}

interface Received {
  readonly status: number
  readonly length: number
  readonly digest: Uint8Array
}

/** @throws UraidenError `answer_lost` when it broke off */
async function readContent(
  url: URL,
  { body }: Response,
): Promise<Omit<Received, 'status'> & { readonly body: Blob }> {
  const hash = sha256.create()
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  try {
    const reader = body?.getReader()
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      hash.update(part.value)
      chunks.push(part.value)
      length += part.value.length
    }
  } catch (cause) {
    throw lost(url, 'It broke off.', cause)
  }
  return { body: new Blob(chunks), length, digest: hash.digest() }
}

/** What a receipt says that it cost. @throws UraidenError `answer_lost` */
async function checkContent(
  exchange: Exchange,
  content: AnswerContent,
  received: Received,
): Promise<TokenAmount | undefined> {
  const { url } = exchange.request
  switch (content.kind) {
    case 'none':
      if (received.length === 0) return undefined
      throw lost(url, `It has ${received.length} bytes that nobody signed.`)
    case 'digest':
      if (equalBytes(received.digest, content.digest)) return undefined
      throw lost(url, 'Its content is not what the receiver signed.')
    case 'later': {
      const receipt = verifyReceipt(parseReceipt(await askForReceipt(exchange)), received)
      if (receipt.ok) return receipt.value.cost
      throw lost(url, receipt.detail)
    }
  }
}

async function askForReceipt(exchange: Exchange): Promise<string> {
  const { api, binding, mac, request } = exchange
  const { sender, openBlock } = binding.channel
  const path = `${api.pathname}/channels/${sender}/${openBlock}/answers/${answerId(mac)}`
  const reply = await sendBound(exchange, {
    method: 'GET',
    url: new URL(path, api),
    headers: { accept: 'application/json' },
    signal: request.signal,
  })
  if (reply.kind === 'unproven') throw reply.error
  const { response } = reply.answer
  if (response.status === 200) return response.text()
  throw lost(request.url, `The receiver has no receipt for it (${response.status}).`)
}

/** What it says is for a decision that does no harm only: to sign the same again with other keys. */
async function refusalCode(response: Response): Promise<string | undefined> {
  if (response.status < 400) return undefined
  const said: unknown = await response.json().catch(() => undefined)
  const { code } = Object(said) as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** The payment stays pending: the same request may be sent again, and pays once. */
function lost({ origin }: URL, detail: string, cause?: unknown): UraidenError {
  return browserError({
    code: 'answer_lost',
    message: `What came from ${origin} is not the receiver’s answer to this request. ${detail}`,
    cause,
  })
}
