// The receiver's channel API as far as a sender needs it (wire-protocol.md section 5).

import {
  type ContractBlock,
  maxBlockNumber,
  parseClosingAgreement,
  type Signature,
} from '../protocol/index.ts'
import type { BoundChannel } from './bound.ts'
import { stored } from './channels.ts'
import { browserError } from './error-codes.ts'
import { absolute, type Fetch, type Parts, type ReceiverPlace } from './parts.ts'

/**
 * Asks the receiver to agree to close where the channel stands, and checks that it did. From then on
 * nothing more is paid on it, unless the receiver has said no.
 * @throws UraidenError `channel_missing`, `receiver_unreachable`, `close_refused`,
 * `closing_agreement_invalid`, those of `Binding` and its channels
 */
export async function askForClosing(parts: Parts): Promise<Signature> {
  const { sender, memory } = parts
  const { openBlock } = stored(parts)
  const bound = await parts.binding.ensure(openBlock)
  // It may have shown where the channel stands.
  const channel = stored(parts)
  memory.save({ ...channel, closing: true })
  const path = `channels/${sender}/${openBlock}`
  const answer = await send(parts, bound, {
    ...{ method: 'DELETE', path },
    body: { balance: `${channel.balance}` },
  })
  const said = (await answer.json().catch(() => ({}))) as Answer
  if (!answer.ok) {
    memory.save({ ...stored(parts), closing: undefined })
    throw browserError({
      code: 'close_refused',
      message: `The receiver does not agree to close: ${said.detail ?? answer.status}`,
    })
  }
  const { receiver, domain } = parts
  const { balance } = channel
  const agreed = { domain, channel: { sender, receiver, openBlock }, balance }
  const agreement = parseClosingAgreement(said.close_signature ?? '', agreed)
  if (agreement !== undefined) return agreement
  throw browserError({
    code: 'closing_agreement_invalid',
    message: 'What the receiver sent is not its agreement to close at this balance.',
  })
}

/**
 * In which blocks the receiver has seen the sender open channels. Hints only: an unknown sender, and
 * an answer that is no list, are none.
 * @throws UraidenError `receiver_unreachable`
 */
export async function askForOpenings({
  fetcher,
  api,
  sender,
}: Parts): Promise<readonly ContractBlock[]> {
  const answer = await reach(fetcher, `${api}/channels/${sender}?status=all`, {
    headers: { accept: 'application/json' },
    credentials: 'same-origin',
  })
  const listed: unknown = answer.ok ? await answer.json().catch(() => []) : []
  if (!Array.isArray(listed)) return []
  return listed.slice(0, mostHints).flatMap((channel: { readonly open_block?: unknown } | null) => {
    const block = Number(channel?.open_block)
    return Number.isInteger(block) && block >= 0 && block <= maxBlockNumber ? [block] : []
  })
}

/** Each one is a question to the chain. */
const mostHints = 100

/** A request to the channel API with a JSON body. */
export interface ApiRequest {
  readonly method: 'POST' | 'DELETE'
  /** Below the root of the API. */
  readonly path: string
  readonly body: object
}

/** Of a bound channel only the receiver's own answer counts. */
export async function send(
  { fetcher, api }: ReceiverPlace,
  bound: BoundChannel | undefined,
  { method, path, body }: ApiRequest,
): Promise<Response> {
  const url = `${api}/${path}`
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const text = JSON.stringify(body)
  return bound === undefined
    ? reach(fetcher, url, { method, headers, body: text, credentials: 'same-origin' })
    : (await bound.send({ method, url: absolute(url), headers, body: text })).response
}

interface Answer {
  readonly close_signature?: string
  readonly detail?: string
}

/** @throws UraidenError `receiver_unreachable` */
export async function reach(fetcher: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetcher(url, init)
  } catch (cause) {
    throw browserError({
      code: 'receiver_unreachable',
      message: 'The server does not answer.',
      cause,
    })
  }
}
