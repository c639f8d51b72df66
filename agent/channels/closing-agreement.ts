// What a receiver is asked before a channel is closed together with it: its agreement, and where it stands.

import {
  type Address,
  parseClosingAgreement,
  parseUint192,
  type Signature,
  type SignatureDomain,
  type TokenAmount,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { type BoundChannel, sendBound } from '../transport/bound.ts'
import {
  type HttpRequest,
  mostApiAnswer,
  type OpenAnswer,
  type Transport,
} from '../transport/transport.ts'

export interface CloseRequest {
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly balance: TokenAmount
  readonly domain: SignatureDomain
}

/**
 * Asks the receiver for its closing agreement over `balance` and checks that it really is one. Of a bound
 * channel only the receiver's own answer counts.
 * @throws UraidenError `close_refused`: it has not agreed; `close_failed`: it may have;
 * `closing_agreement_invalid`, and those of the transport
 */
export async function askForClosingAgreement(
  transport: Transport,
  request: CloseRequest,
  bound?: BoundChannel,
): Promise<Signature> {
  const { api, sender, openBlock, balance } = request
  const answer = await send(transport, bound, {
    method: 'DELETE',
    url: new URL(`${api.pathname}/channels/${sender}/${openBlock}`, api),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ balance: balance.toString() }),
    mostBody: mostApiAnswer,
  })
  const said = readJson(await answer.body())
  if (answer.status >= 500) {
    throw agentError({
      code: 'close_failed',
      message: `The receiver ${request.receiver} failed when it was asked to agree to a close (${answer.status}).`,
    })
  }
  if (answer.status !== 200) {
    throw agentError({
      code: 'close_refused',
      message: `The receiver ${request.receiver} does not agree to close: ${said.detail ?? answer.status}`,
    })
  }
  return checkedAgreement(request, said.close_signature ?? '')
}

async function send(
  transport: Transport,
  bound: BoundChannel | undefined,
  request: HttpRequest,
): Promise<OpenAnswer> {
  if (bound === undefined) return transport.send(request)
  const reply = await sendBound(transport, request, bound)
  if (reply.kind === 'unproven') throw reply.error
  return reply.answer
}

function checkedAgreement(request: CloseRequest, text: string): Signature {
  const { receiver, sender, openBlock, balance, domain } = request
  const agreed = { domain, channel: { sender, receiver, openBlock }, balance }
  const agreement = parseClosingAgreement(text, agreed)
  if (agreement !== undefined) return agreement
  throw agentError({
    code: 'closing_agreement_invalid',
    message: `What the receiver ${receiver} sent is not its closing agreement over this balance.`,
  })
}

/**
 * What the receiver says the channel stands at. Its word only: the caller checks what it may be.
 * @throws UraidenError `close_refused`, and those of the transport
 */
export async function askForBalance(
  transport: Transport,
  { api, sender, openBlock }: Pick<CloseRequest, 'api' | 'sender' | 'openBlock'>,
): Promise<TokenAmount> {
  const answer = await transport.send({
    method: 'GET',
    url: new URL(`${api.pathname}/channels/${sender}/${openBlock}`, api),
    headers: { accept: 'application/json' },
    mostBody: mostApiAnswer,
  })
  const { balance } = readJson(await answer.body())
  if (answer.status === 200 && balance !== undefined) return parseUint192(String(balance))
  throw agentError({
    code: 'close_refused',
    message: `The receiver at ${api.origin} does not say where the channel stands (${answer.status}).`,
  })
}

interface ChannelAnswer {
  readonly close_signature?: string
  readonly detail?: string
  readonly balance?: string | number
}

function readJson(body: Uint8Array): ChannelAnswer {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {}
  } catch {
    return {}
  }
}
