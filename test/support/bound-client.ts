// A hand to send bound requests with, built on protocol/bound alone: each field can be changed on its way.
import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { buffer } from 'node:stream/consumers'
import {
  type BoundKeys,
  type BoundPayment,
  createNonce,
  createRequestKey,
  deriveBoundKeys,
  type FieldLines,
  fieldLines,
  formatAudience,
  formatBoundPayment,
  formatContentDigest,
  parseBoundAnswer,
  parseReceiverKey,
  requestKeyDigest,
  serializeRequestKey,
  sharedSecret,
  signRequest,
  verifyAnswer,
} from '../../protocol/bound/index.ts'
import { fromHex, type Signature, signDigest } from '../../protocol/index.ts'
import type { givenChannel } from './channel.ts'

type System = Pick<
  Awaited<ReturnType<typeof givenChannel>>,
  'channel' | 'domain' | 'sign' | 'senderAccount'
>

export interface Sent {
  readonly method: string
  readonly path: string
  readonly fields: FieldLines
  readonly body: Buffer
}

export interface Answer {
  readonly status: number
  readonly fields: FieldLines
  readonly body: Buffer
  /** The connection broke off in the middle. */
  readonly broken: boolean
}

export interface Asked {
  readonly method?: string
  readonly body?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly balance?: bigint
  /** What is paid. Default 5. */
  readonly amount?: bigint
  readonly nonce?: string
  /** In place of the signature under the balance: a tick, or nothing. */
  readonly proof?: Pick<BoundPayment, 'tick' | 'commitment'>
}

export function fieldOf({ fields }: Pick<Answer, 'fields'>, name: string): string | undefined {
  return fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1]
}

/** Over the wire as it is. */
export function send(origin: string, { method, path, fields, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const length = body.length > 0 ? [['Content-Length', `${body.length}`] as const] : []
    const host = ['Host', `${hostname}:${port}`] as const
    const headers = [host, ...fields, ...length].flat()
    const request = httpRequest({ hostname, port, method, path, headers, agent: false })
    request.once('error', reject).once('response', (response) => {
      const { statusCode: status = 0, rawHeaders } = response
      const answer = { status, fields: fieldLines(rawHeaders) }
      buffer(response).then(
        (content) => resolve({ ...answer, body: content, broken: false }),
        () => resolve({ ...answer, body: Buffer.of(), broken: true }),
      )
    })
    request.end(body)
  })
}

/** The client of one channel; `number` and `pair` are of its request key, `root` is the channel API's. */
export async function boundClient(
  origin: string,
  { channel, domain, sign, senderAccount }: System,
  {
    number = BigInt(channel.openBlock),
    pair = createRequestKey(),
    key = senderAccount.privateKey,
    root = '/api/1',
    send: sendBy = send,
  } = {},
) {
  const none = { fields: [], body: Buffer.of() }
  const shown = await sendBy(origin, { method: 'GET', path: `${root}/request-key`, ...none })
  const offer = parseReceiverKey(shown.body.toString())
  const keys: BoundKeys = deriveBoundKeys(sharedSecret(pair.privateKey, offer.key), {
    ...domain,
    channel,
    senderKey: pair.publicKey,
    receiverKey: offer.key,
  })
  const make = (path: string, asked: Asked = {}) => {
    const { method = 'GET', body = '', balance, amount = 5n, nonce, proof } = asked
    const [pathname = '', query] = path.split('?', 2)
    const payment =
      balance === undefined
        ? {}
        : formatBoundPayment({
            ...{ balance, amount },
            ...(proof ?? { signature: sign(balance) as Signature }),
          })
    const content = Buffer.from(body)
    const digest = formatContentDigest(createHash('sha256').update(content).digest())
    const fields = Object.entries({
      ...formatAudience({ origin, contract: domain.contract, ...channel }),
      ...payment,
      ...(body !== '' && { 'Content-Digest': digest, 'Content-Type': 'application/json' }),
      ...asked.fields,
    })
    const message = {
      method,
      path: pathname,
      query: query === undefined ? '' : `?${query}`,
      fields,
    }
    const fresh = balance === undefined ? (nonce ?? createNonce()) : undefined
    const { fields: signature, mac } = signRequest(message, keys, { nonce: fresh })
    const sent: Sent = {
      method,
      path,
      body: content,
      fields: [...fields, ...Object.entries(signature)],
    }
    return { sent, mac }
  }
  /** Whether the answer is the receiver's own to exactly this request, head and content. */
  const isAuthentic = ({ status, fields, body }: Answer, requestMac: Uint8Array): boolean => {
    const claimed = parseBoundAnswer({ status, fields }, { requestMac })
    const verified = claimed.ok ? verifyAnswer(claimed.value, keys) : claimed
    if (!verified.ok) return false
    const { content } = verified.value
    if (content.kind === 'later') return true
    if (content.kind === 'none') return body.length === 0
    return createHash('sha256').update(body).digest().equals(content.digest)
  }
  const ask = async (path: string, asked: Asked = {}) => {
    const { sent, mac } = make(path, asked)
    const answer = await sendBy(origin, sent)
    return { ...answer, authentic: isAuthentic(answer, mac), mac }
  }
  const own = `${root}/channels/${channel.sender}/${channel.openBlock}`
  const message = {
    key: pair.publicKey,
    number,
    receiver: channel.receiver,
    openBlock: channel.openBlock,
  }
  const signature = signDigest(requestKeyDigest(domain, message), fromHex(key))
  const body = serializeRequestKey({ key: pair.publicKey, number, signature })
  const putKey = () => ask(`${own}/request-key`, { method: 'PUT', body })
  const close = (balance: bigint) =>
    ask(own, { method: 'DELETE', body: `{"balance":"${balance}"}` })
  return { offer, pair, keys, make, ask, isAuthentic, putKey, close, own, putBody: body }
}
